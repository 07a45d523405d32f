package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/certchain"
)

// A tour is what there is to be seen of one sign-in.
type tour struct {
	Site, Issuer      string
	Until             string // when the assertion ends
	CertificateUntil  string
	Certificate, Word []claim // what the two tokens say; the word is the user's own
	Text              string  // the backed assertion
	Checks            []check
	Took              string
	Attempts          []attempt
}

// A claim is a member of a token, and what it is for.
type claim struct{ Name, Value, Meaning string }

// newTour tells about an assertion that was verified just now.
func (s *Site) newTour(ctx context.Context, text string, res *assertion.Result) (*tour, error) {
	b, err := assertion.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("an assertion that was verified cannot be parsed: %w", err)
	}
	user := b.Certificates[len(b.Certificates)-1]
	e := s.slow.Explain(ctx, text, s.config.Origin)
	t := &tour{
		Site: s.config.Origin, Issuer: res.Issuer,
		Until: s.clock(b.Assertion.Validity.Expires.UnixMilli()), CertificateUntil: s.clock(user.Validity.Expires.UnixMilli()),
		Certificate: s.claims(user.Token), Word: s.claims(b.Assertion),
		Text: text, Checks: checksOf(e),
	}
	var took time.Duration
	for _, step := range e.Steps {
		took += step.Took
	}
	t.Took = lapse(took)
	t.Attempts, err = s.attempts(ctx, text)
	return t, err
}

// meanings are what the protocol's claims are for (PROTOCOL §1).
var meanings = map[string]string{
	"alg":        "how it is signed",
	"iss":        "who signs: the identity provider",
	"principal":  "whose key it is",
	"public-key": "the public half of the key pair; the private half stays in the browser",
	"aud":        "for which site",
	"iat":        "issued",
	"nbf":        "not before",
	"exp":        "valid until",
}

// maxClaims is how many claims of a token a page shows. Browsers make two.
const maxClaims = 20

// claims returns what a token says, in its own order, the first maxClaims of it.
func (s *Site) claims(t *certchain.Token) []claim {
	list := []claim{{"alg", t.Algorithm, meanings["alg"]}}
	for i, name := range t.Claims.Names() {
		if i == maxClaims {
			return append(list, claim{Name: "…", Meaning: "and more"})
		}
		raw, _ := t.Claims.Get(name)
		c := claim{name, shortened(string(raw)), meanings[name]}
		var ms int64
		if slices.Contains([]string{"iat", "nbf", "exp"}, name) && json.Unmarshal(raw, &ms) == nil {
			c.Meaning += " " + s.clock(ms)
		}
		list = append(list, c)
	}
	return list
}

// clock gives a time of the protocol, in milliseconds, as the clock on the wall
// shows it.
func (s *Site) clock(ms int64) string {
	return time.UnixMilli(ms).In(s.config.Now().Location()).Format("15:04:05")
}

var manyDigits = regexp.MustCompile(`[0-9]{40,}`)

// shortened leaves out most digits of a key's numbers.
func shortened(text string) string {
	return manyDigits.ReplaceAllStringFunc(text, func(digits string) string {
		return fmt.Sprintf("%s… %d digits", digits[:12], len(digits))
	})
}

// lapse gives a duration as people read it, with three digits at most.
func lapse(d time.Duration) string {
	if d < time.Microsecond {
		return "under 1 µs"
	}
	unit := time.Microsecond
	for d >= 1000*unit {
		unit *= 10
	}
	digits := strings.TrimRight(d.Round(unit).String(), "nµms")
	return digits + " " + strings.TrimPrefix(d.Round(unit).String(), digits)
}
