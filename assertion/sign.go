package assertion

import (
	"fmt"
	"strings"
	"time"

	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/keys"
)

// Template says what an assertion states.
type Template struct {
	Audience string    // the relying party's origin, such as https://rp.example
	IssuedAt time.Time // cut to milliseconds; the zero time leaves iat out
	Expires  time.Time // cut to milliseconds; a few minutes ahead is usual
	// Extra claims, which a verifier reports as userClaims. Names that the
	// protocol uses are refused.
	Extra map[string]any
}

// Sign makes a backed assertion: the chain of certificates, the last of which
// certifies the public half of key, and the claim signed with key. It errs with
// certchain.ErrTemplate when no verifier would accept what is asked for.
func Sign(t Template, key keys.PrivateKey, chain ...string) (string, error) {
	if len(chain) == 0 {
		return "", fmt.Errorf("%w: no certificate", certchain.ErrTemplate)
	}
	if origin.Compare(t.Audience, t.Audience) != 0 {
		return "", fmt.Errorf("%w: the audience is no origin, such as https://rp.example", certchain.ErrTemplate)
	}
	claims := map[string]any{"aud": t.Audience, "exp": t.Expires.UnixMilli()}
	if !t.IssuedAt.IsZero() {
		claims["iat"] = t.IssuedAt.UnixMilli()
	}
	token, err := certchain.Sign(claims, t.Extra, key)
	if err != nil {
		return "", err
	}
	return Bundle(token, chain...), nil
}

// Bundle puts a chain of certificates and an assertion token together.
func Bundle(token string, chain ...string) string {
	return strings.Join(append(chain[:len(chain):len(chain)], token), "~")
}
