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
	"github.com/vepverify/vepverify/cmd/vepverify/internal/demo/explained"
	"github.com/vepverify/vepverify/internal/humantime"
)

// walkthrough explains one sign-in, step by step.
type walkthrough struct {
	Site, Issuer      string
	Expires           string            // of the assertion
	CertificateExpiry string            // of the certificate
	Certificate       []explained.Claim // the certificate's claims
	Assertion         []explained.Claim // the assertion's claims
	Text              string            // the backed assertion
	Checks            []explained.Check
	Took              string
	Attempts          []explained.Attempt
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
		Text: text, Checks: explained.Checks(e.Steps), Took: explained.Took(e.Steps),
	}
	w.Attempts, err = s.attempts(ctx, text)
	return w, err
}

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
func (s *Site) claims(t *certchain.Token) []explained.Claim {
	list := []explained.Claim{{Name: "alg", Value: t.Algorithm, Meaning: meanings["alg"]}}
	for i, name := range t.Claims.Names() {
		if i == maxClaims {
			return append(list, explained.Claim{Name: "…", Meaning: "and more"})
		}
		raw, _ := t.Claims.Get(name)
		c := explained.Claim{Name: name, Value: shortenNumbers(string(raw)), Meaning: meanings[name]}
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

// attempts tries to misuse an assertion, which has been accepted once.
func (s *Site) attempts(ctx context.Context, text string) ([]explained.Attempt, error) {
	forged, err := forge(text, "mallory@"+s.config.Provider.Domain())
	if err != nil {
		return nil, err
	}
	explain := func(what, name string, e *assertion.Explanation) explained.Attempt {
		return explained.NewAttempt(what, name, e.Err, e.Steps)
	}
	v := s.verifiers
	list := []explained.Attempt{
		explain("A site that received it presents it to another site, http://bank.localhost.", "at the other site", v.once.Explain(ctx, text, "http://bank.localhost")),
		explain("A thief presents it here an hour later.", "an hour later", v.later.Explain(ctx, text, s.config.Origin)),
		explain("A forger writes another address into the certificate.", "with the forged address", v.once.Explain(ctx, forged, s.config.Origin)),
	}
	_, err = v.once.Verify(ctx, text, s.config.Origin)
	return append(list, explained.NewAttempt("A thief presents it here a second time, now.", "", err, nil)), nil
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
