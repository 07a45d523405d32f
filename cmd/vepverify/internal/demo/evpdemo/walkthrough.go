package evpdemo

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/demo/explained"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/internal/humantime"
	"github.com/vepverify/vepverify/internal/strictjson"
)

// walkthrough explains one sign-in, step by step.
type walkthrough struct {
	Requests []request         // that the browser made
	EVT, KB  []explained.Claim // the two halves of the token
	Text     string            // the token
	Checks   []explained.Check
	Took     string
	Attempts []explained.Attempt
	Expires  string
}

// newWalkthrough explains a token that was verified just now, with the address that was posted.
func (s *site) newWalkthrough(ctx context.Context, token, email string) (*walkthrough, error) {
	parsed, err := evp.Parse(token)
	if err != nil {
		return nil, err
	}
	expected := evp.Expected{Nonce: parsed.Nonce, Email: email}
	e := s.verifiers.explain(ctx, token, expected)
	if e.Err != nil {
		return nil, e.Err
	}
	w := &walkthrough{
		Requests: s.demo.network.recorder.list(), Text: token,
		Checks: explained.Checks(e.Steps), Took: explained.Took(e.Steps), Expires: s.timeOfDay(e.Result.Expires),
	}
	if w.EVT, err = claims(parsed.EVT); err != nil {
		return nil, err
	}
	if w.KB, err = claims(parsed.KB); err != nil {
		return nil, err
	}
	w.Attempts, err = s.attempts(ctx, token, expected)
	return w, err
}

// explanations of the members of a token.
var explanations = map[string]string{
	"typ":              "which half this is",
	"alg":              "the signature algorithm",
	"kid":              "which of the issuer’s keys has signed",
	"iss":              "the issuer, which signs",
	"iat":              "when it was signed",
	"cnf":              "the browser’s key: only who has its private half can use this half",
	"email":            "the address",
	"email_verified":   "the issuer says that the address is yours",
	"is_private_email": "the issuer has made the address for this site",
	"aud":              "the site that it is for",
	"nonce":            "the number in the form, new for each page: nobody can send the token again",
	"sd_hash":          "the hash of the other half, which ties the two together",
}

// maxClaims is the number of members of a half that a page shows. Browsers and issuers make
// eight.
const maxClaims = 20

// claims returns the members of the header and of the claims of a half, in their order.
func claims(half evp.Half) (list []explained.Claim, err error) {
	for _, text := range []json.RawMessage{half.Header, half.Claims} {
		object, err := strictjson.ParseObject(text)
		if err != nil {
			return nil, err
		}
		for _, m := range object {
			if len(list) == maxClaims {
				return append(list, explained.Claim{Name: "…", Meaning: "and more"}), nil
			}
			c := explained.Claim{Name: m.Name, Value: string(m.Value), Meaning: explanations[m.Name]}
			if m.Name == "iat" {
				c.Value = humantime.UTC(half.IssuedAt)
				c.Meaning += ", in the token as seconds since 1970: " + string(m.Value)
			}
			list = append(list, c)
		}
	}
	return list, nil
}

// attempts tries to misuse a token, which has been accepted once.
func (s *site) attempts(ctx context.Context, token string, expected evp.Expected) ([]explained.Attempt, error) {
	forged, err := forge(token, "mallory@"+mailDomain)
	if err != nil {
		return nil, err
	}
	explain := func(what, name string, e *evp.Explanation) explained.Attempt {
		return explained.NewAttempt(what, name, e.Err, e.Steps)
	}
	list := []explained.Attempt{
		explain("A site that received it presents it to another site, https://bank.example.", "at the other site", s.verifiers.bank.Explain(ctx, token, expected)),
		explain("A thief puts it into a form of another browser.", "in another form", s.verifiers.own.Explain(ctx, token, evp.Expected{Nonce: anotherNonce, Email: expected.Email})),
		explain("A thief presents it here ten minutes later.", "ten minutes later", s.verifiers.later.Explain(ctx, token, expected)),
		explain("A forger writes another address into the issuer’s half.", "with the forged address", s.verifiers.own.Explain(ctx, forged, evp.Expected{Nonce: expected.Nonce})),
	}
	_, err = s.verifiers.own.Verify(ctx, token, expected)
	return append(list, explained.NewAttempt("A thief presents it here a second time, now.", "", err, nil)), nil
}

// timeOfDay formats the time of day, in the location of the clock.
func (s *site) timeOfDay(t time.Time) string {
	return t.In(s.demo.config.Now().Location()).Format("15:04:05")
}

// forge replaces the address in a token, and keeps the signatures, because a forger has none
// of the keys.
func forge(token, email string) (string, error) {
	parts := strings.Split(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(parts[min(1, len(parts)-1)])
	if err != nil {
		return "", err
	}
	var claims map[string]json.RawMessage
	if err := json.Unmarshal(raw, &claims); err != nil {
		return "", err
	}
	if claims["email"], err = json.Marshal(email); err != nil {
		return "", err
	}
	if raw, err = json.Marshal(claims); err != nil {
		return "", err
	}
	parts[1] = base64.RawURLEncoding.EncodeToString(raw)
	return strings.Join(parts, "."), nil
}
