package wellknown

import (
	"strings"
	"time"
)

// How long outcomes are kept.
const (
	minFresh     = time.Minute
	maxFresh     = 24 * time.Hour
	defaultFresh = time.Hour

	maxNegative = 5 * time.Minute // from minFresh, which is also the default
	undecided   = 5 * time.Second

	staleFor     = 24 * time.Hour // after a document expired
	refreshAfter = time.Minute
	slowFor      = 10 * time.Minute // a host that did not answer counts as slow
	renewalShare = 4                // in the last quarter of its life a document that is used is renewed
	patience     = time.Second      // for a fetch while a document is held
)

// freshness is what an answer says about how long it may be kept.
type freshness struct {
	age  time.Duration
	told bool
}

// parseFreshness reads Cache-Control (RFC 9111 §5.2). The smallest of several
// ages counts; an age that is no number is 0, like no-store and no-cache.
func parseFreshness(headers []string) freshness {
	var f freshness
	for directive := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		name, value, _ := strings.Cut(directive, "=")
		age := time.Duration(0)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "no-store", "no-cache":
		case "max-age":
			age = seconds(strings.Trim(value, " \t\""))
		default:
			continue
		}
		if !f.told || age < f.age {
			f = freshness{age, true}
		}
	}
	return f
}

// seconds reads decimal digits, up to maxFresh: more makes no difference.
func seconds(digits string) time.Duration {
	n := time.Duration(0)
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' {
			return 0
		}
		n = min(n*10+time.Duration(c-'0'), maxFresh/time.Second)
	}
	return n * time.Second
}

// within clamps the age, if there is one.
func (f freshness) within(least, most, otherwise time.Duration) time.Duration {
	if !f.told {
		return otherwise
	}
	return min(max(f.age, least), most)
}

// lifetime is how long the outcome counts.
func (o outcome) lifetime() time.Duration {
	switch {
	case o.fault == nil:
		return o.within(minFresh, maxFresh, defaultFresh)
	case o.fault.kind == ErrUnavailable:
		return undecided
	}
	return o.within(minFresh, maxNegative, minFresh)
}
