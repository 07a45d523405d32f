package assertion

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// mismatch is the part of an audience that differs; its text follows
// "audience mismatch: " in the answer. They are in the order in which they are
// compared, so that of several mismatches the greatest came closest.
type mismatch int

const (
	audienceMalformed mismatch = iota + 1
	schemeMismatch
	domainMismatch
	portMismatch
	hasPath
)

var mismatchText = map[mismatch]string{
	audienceMalformed: "malformed",
	schemeMismatch:    "scheme mismatch",
	domainMismatch:    "domain mismatch",
	portMismatch:      "port mismatch",
	hasPath:           "has non-empty path",
}

// checkAudience errs with ErrAudience unless the assertion's audience is one of
// those that the relying party accepts.
func checkAudience(signed string, accepted []string) error {
	var closest mismatch
	for _, want := range accepted {
		differs := compareAudience(signed, want)
		if differs == 0 {
			return nil
		}
		closest = max(closest, differs)
	}
	return &Error{
		Kind: ErrAudience, Reason: "audience mismatch: " + mismatchText[closest],
		Found: fmt.Sprintf("%.200q", signed), Expected: fmt.Sprintf("%.200q", accepted),
		Advice: "the assertion was made for another site, or the relying party's own origin is misconfigured: give it in full, such as https://rp.example",
	}
}

// compareAudience compares the audience that the assertion names with one
// origin, or pattern, of the relying party (PROTOCOL §5); 0 when they match.
func compareAudience(signed, want string) mismatch {
	got, ok := splitOrigin(signed)
	if !ok {
		return audienceMalformed
	}
	own, ok := ownOrigin(want)
	if !ok {
		return audienceMalformed
	}
	if got.scheme != own.scheme || !isWebScheme(got.scheme) {
		return schemeMismatch
	}
	if differs := compareHosts(got.host, own); differs != 0 {
		return differs
	}
	gotPort, gotOK := got.effectivePort()
	ownPort, ownOK := own.effectivePort()
	if !gotOK || !ownOK || gotPort != ownPort {
		return portMismatch
	}
	if got.hasPath || own.hasPath {
		return hasPath
	}
	return 0
}

func isWebScheme(s string) bool { return s == "https" || s == "http" || s == "app" }

// pattern is an origin of the relying party: host in the form in which hosts
// compare and, when wildcard is set, the part behind "*.".
type pattern struct {
	origin
	wildcard bool
}

// ownOrigin reads the relying party's side, which may be written more freely
// than the assertion's: without a scheme, in Unicode, with a wildcard.
func ownOrigin(s string) (p pattern, ok bool) {
	if p.origin, ok = splitOrigin(s); !ok {
		return p, false
	}
	if p.scheme == "" {
		p.scheme = "http"
	}
	host, wildcard := strings.CutPrefix(p.host, "*.")
	p.wildcard = wildcard
	if p.host, ok = asciiHost(toASCII(host)); !ok {
		return p, false
	}
	return p, !wildcard || wildcardAllowed(p.host)
}

// Limits of a host written in Unicode. Each character becomes one byte or more in
// ASCII, where a label has at most 63 bytes and a host 253 (RFC 1035 §2.3.4). The
// time that a conversion takes grows with the square of a label's length.
const (
	maxLabelRunes = 63
	maxHostRunes  = 253
)

// toASCII converts a host written in Unicode. A host that cannot be converted
// is returned as it is, and is malformed.
func toASCII(host string) string {
	if strings.IndexFunc(host, func(r rune) bool { return r > '~' }) < 0 {
		return host
	}
	if len(host) > maxHostRunes*utf8.UTFMax || tooLong(host) {
		return host
	}
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		return ascii
	}
	return host
}

// tooLong reports whether a host in Unicode, or one of its labels, is over the
// limits. Dots are those that IDNA takes for one.
func tooLong(host string) bool {
	inHost, inLabel := 0, 0
	for _, c := range host {
		inHost, inLabel = inHost+1, inLabel+1
		if strings.ContainsRune(".\u3002\uff0e\uff61", c) {
			inLabel = 0
		}
		if inLabel > maxLabelRunes || inHost > maxHostRunes {
			return true
		}
	}
	return false
}

// wildcardAllowed: what follows "*." is two labels or more, and no IP address.
func wildcardAllowed(host string) bool {
	labels := strings.Split(host, ".")
	for _, label := range labels {
		if label == "" {
			return false
		}
	}
	last := labels[len(labels)-1]
	return len(labels) >= 2 && strings.Trim(last, "0123456789") != "" && !strings.HasPrefix(host, "[")
}

func compareHosts(signed string, own pattern) mismatch {
	if strings.Contains(signed, "*") {
		return domainMismatch
	}
	host, ok := asciiHost(signed)
	if !ok {
		return audienceMalformed
	}
	if !own.wildcard {
		if host != own.host {
			return domainMismatch
		}
		return 0
	}
	sub, found := strings.CutSuffix(host, "."+own.host)
	if !found || sub == "" || strings.HasPrefix(sub, ".") || strings.HasSuffix(sub, ".") || strings.Contains(sub, "..") {
		return domainMismatch
	}
	return 0
}
