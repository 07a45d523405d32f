package demo

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"

	"github.com/vepverify/vepverify/assertion"
)

// An attempt is something that others could try with an assertion, and what
// became of it.
type attempt struct {
	What   string
	Reason string // empty when it was accepted
	Checks []check
}

// attempts tries what there is to try. The assertion has passed once.
func (s *Site) attempts(ctx context.Context, text string) ([]attempt, error) {
	forged, err := forge(text, "mallory@"+s.config.Provider.Domain())
	if err != nil {
		return nil, err
	}
	list := []attempt{
		explained("A site that got it presents it to another site, http://bank.localhost.", s.verifier.Explain(ctx, text, "http://bank.localhost")),
		explained("Somebody finds it an hour later and presents it here.", s.later.Explain(ctx, text, s.config.Origin)),
		explained("Somebody writes another address into the certificate.", s.verifier.Explain(ctx, forged, s.config.Origin)),
	}
	_, err = s.verifier.Verify(ctx, text, s.config.Origin)
	return append(list, attempt{What: "Somebody presents it here a second time, now.", Reason: reasonOf(err)}), nil
}

func explained(what string, e *assertion.Explanation) attempt {
	return attempt{What: what, Reason: reasonOf(e.Err), Checks: checksOf(e)}
}

func reasonOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// forge writes another address into the certificate, without the provider's
// key: the signature stays what it was.
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
