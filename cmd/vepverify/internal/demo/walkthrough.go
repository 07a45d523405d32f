package demo

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/internal/humantime"
)

// walkthrough explains one sign-in, step by step.
type walkthrough struct {
	Site, Issuer      string
	Expires           string  // of the assertion
	CertificateExpiry string  // of the certificate
	Certificate       []claim // the certificate's claims
	Assertion         []claim // the assertion's claims
	Text              string  // the backed assertion
	Checks            []check
	Took              string
	Attempts          []attempt
}

// newWalkthrough explains an assertion that was verified just now.
func (s *Site) newWalkthrough(ctx context.Context, text string, res *assertion.Result) (*walkthrough, error) {
	b, err := assertion.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("an assertion that was verified cannot be parsed: %w", err)
	}
	user := b.Certificates[len(b.Certificates)-1]
	e := s.verifiers.uncached.Explain(ctx, text, s.config.Origin)
	w := &walkthrough{
		Site: s.config.Origin, Issuer: res.Issuer,
		Expires: s.timeOfDay(b.Assertion.Validity.Expires), CertificateExpiry: s.timeOfDay(user.Validity.Expires),
		Certificate: s.claims(user.Token), Assertion: s.claims(b.Assertion),
		Text: text, Checks: checksOf(e),
	}
	var took time.Duration
	for _, step := range e.Steps {
		took += step.Took
	}
	w.Took = formatDuration(took)
	w.Attempts, err = s.attempts(ctx, text)
	return w, err
}

// claim is a member of a token and its meaning.
type claim struct{ Name, Value, Meaning string }

// meanings of the protocol's claims (PROTOCOL §1).
var meanings = map[string]string{
	"alg":        "the signature algorithm",
	"iss":        "the identity provider, which signs",
	"principal":  "the owner of the key",
	"public-key": "the public half of the key pair; the private half stays in the browser",
	"aud":        "the site that it is for",
	"iat":        "the time of issue",
	"nbf":        "not valid before",
	"exp":        "valid until",
}

// times are the claims whose value is a time.
var times = []string{"iat", "nbf", "exp"}

// maxClaims is the number of claims of a token that a page shows. Browsers make two.
const maxClaims = 20

// claims returns the first maxClaims claims of a token, in the token's order.
func (s *Site) claims(t *certchain.Token) []claim {
	list := []claim{{"alg", t.Algorithm, meanings["alg"]}}
	for i, name := range t.Claims.Names() {
		if i == maxClaims {
			return append(list, claim{Name: "…", Meaning: "and more"})
		}
		raw, _ := t.Claims.Get(name)
		c := claim{name, shortenNumbers(string(raw)), meanings[name]}
		var ms int64
		if slices.Contains(times, name) && json.Unmarshal(raw, &ms) == nil {
			c.Value = humantime.UTC(time.UnixMilli(ms))
			c.Meaning += ", in the token as milliseconds since 1970: " + string(raw)
		}
		list = append(list, c)
	}
	return list
}

// timeOfDay formats the time of day, in the location of the clock.
func (s *Site) timeOfDay(t time.Time) string {
	return t.In(s.config.Now().Location()).Format("15:04:05")
}

var manyDigits = regexp.MustCompile(`[0-9]{40,}`)

// shortenNumbers replaces most digits of a key's numbers.
func shortenNumbers(text string) string {
	return manyDigits.ReplaceAllStringFunc(text, func(digits string) string {
		return fmt.Sprintf("%s… %d digits", digits[:12], len(digits))
	})
}

// formatDuration formats a duration with a unit and at most three digits.
func formatDuration(d time.Duration) string {
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

// check is a step of a verification, as pages show it.
type check struct {
	Name    string
	Outcome assertion.Outcome
	Note    string // why it was skipped
	Facts   []assertion.Fact
	Took    string
	Err     *assertion.Error
}

// checksOf returns the steps of an explanation.
func checksOf(e *assertion.Explanation) []check {
	var checks []check
	note := "done once, when you signed in" // Explain does not mark an assertion as used
	for _, s := range e.Steps {
		c := check{Name: s.Name, Outcome: s.Outcome, Facts: s.Facts, Took: formatDuration(s.Took)}
		errors.As(s.Err, &c.Err)
		switch s.Outcome {
		case assertion.StepFailed:
			note = "not reached"
		case assertion.StepSkipped:
			c.Note = note
		}
		checks = append(checks, c)
	}
	return checks
}

// Mark returns the outcome as one character.
func (c check) Mark() string {
	return map[assertion.Outcome]string{
		assertion.StepPassed: "✓", assertion.StepFailed: "✗", assertion.StepSkipped: "–",
	}[c.Outcome]
}

// attempt is a misuse of an assertion, and its outcome.
type attempt struct {
	What   string
	Name   string // of its checks
	Reason string // empty means accepted
	Checks []check
}

// attempts tries to misuse an assertion, which has been accepted once.
func (s *Site) attempts(ctx context.Context, text string) ([]attempt, error) {
	forged, err := forge(text, "mallory@"+s.config.Provider.Domain())
	if err != nil {
		return nil, err
	}
	explained := func(what, name string, e *assertion.Explanation) attempt {
		return attempt{What: what, Name: name, Reason: reasonOf(e.Err), Checks: checksOf(e)}
	}
	v := s.verifiers
	list := []attempt{
		explained("A site that received it presents it to another site, http://bank.localhost.", "at the other site", v.once.Explain(ctx, text, "http://bank.localhost")),
		explained("A thief presents it here an hour later.", "an hour later", v.later.Explain(ctx, text, s.config.Origin)),
		explained("A forger writes another address into the certificate.", "with the forged address", v.once.Explain(ctx, forged, s.config.Origin)),
	}
	_, err = v.once.Verify(ctx, text, s.config.Origin)
	return append(list, attempt{What: "A thief presents it here a second time, now.", Reason: reasonOf(err)}), nil
}

// reasonOf returns the text of an error, or "" for nil.
func reasonOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// forge replaces the address in the certificate and keeps the signature, because it
// does not have the provider's key.
func forge(text, email string) (string, error) {
	certificate, rest, _ := strings.Cut(text, "~")
	parts := strings.Split(certificate, ".")
	if len(parts) != 3 {
		return "", errors.New("not a certificate")
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", err
	}
	var claims map[string]json.RawMessage
	if err := json.Unmarshal(raw, &claims); err != nil {
		return "", err
	}
	claims["principal"], err = json.Marshal(map[string]string{"email": email})
	if err != nil {
		return "", err
	}
	if raw, err = json.Marshal(claims); err != nil {
		return "", err
	}
	parts[1] = base64.RawURLEncoding.EncodeToString(raw)
	return strings.Join(parts, ".") + "~" + rest, nil
}
