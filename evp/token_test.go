package evp_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/evp/internal/jose"
)

func TestParse(t *testing.T) {
	m := newMint(t, jose.ES256, jose.EdDSA)
	m.evt["is_private_email"] = true
	m.evt["x"] = "a&b"
	got, err := evp.Parse(m.token(t))
	if err != nil {
		t.Fatal(err)
	}
	if got.Email != email || got.Issuer != "https://"+host || !got.Private || got.Audience != site || got.Nonce != nonce {
		t.Errorf("%+v", got)
	}
	at := time.Unix(now.Unix()-5, 0).UTC()
	if h := got.EVT; h.Algorithm != "ES256" || h.Type != "evt+jwt" || h.KeyID != "k1" || !h.IssuedAt.Equal(at) {
		t.Errorf("issuer's half: %+v", h)
	}
	if h := got.KB; h.Algorithm != "EdDSA" || h.Type != "kb+jwt" || h.KeyID != "" || !h.IssuedAt.Equal(at) {
		t.Errorf("browser's half: %+v", h)
	}
	if !strings.Contains(string(got.EVT.Claims), `"x":"a&b"`) || !json.Valid(got.KB.Header) || !json.Valid(got.KB.Claims) {
		t.Errorf("texts: %s %s %s", got.EVT.Claims, got.KB.Header, got.KB.Claims)
	}
}

// TestParseOtherTypes checks that claims of other types are zero.
func TestParseOtherTypes(t *testing.T) {
	m := newMint(t, jose.Ed25519, jose.Ed25519)
	m.evt = object{"email": 1, "iss": nil, "iat": "x", "is_private_email": "true"}
	m.kb = object{"aud": []string{site}, "nonce": false, "iat": 1e300}
	got, err := evp.Parse(m.token(t))
	if err != nil || got.Email != "" || got.Issuer != "" || got.Private || got.Audience != "" || got.Nonce != "" ||
		!got.EVT.IssuedAt.IsZero() || !got.KB.IssuedAt.IsZero() {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestParseRefused(t *testing.T) {
	m := newMint(t, jose.Ed25519, jose.Ed25519)
	m.kbHeader["kid"] = 1
	_, err := evp.Parse(m.token(t))
	wantError(t, err, evp.ErrHeader, "2.kid")
	_, err = evp.Parse("token")
	wantError(t, err, assertion.ErrMalformed, "1.form")
}

func TestIsToken(t *testing.T) {
	token := newMint(t, jose.Ed25519, jose.Ed25519).token(t)
	evt, kb, _ := strings.Cut(token, "~")
	for text, want := range map[string]bool{
		token:               true,
		evt + "~":           true,
		evt + "~x~" + kb:    true,
		evt[:120] + "~":     true, // malformed otherwise
		evt:                 false,
		kb + "~" + evt:      false, // a browser's half first, or an assertion of BrowserID
		"":                  false,
		"~":                 false,
		"e30.e30.e30~":      false,
		"e30~":              false,
		" " + token:         false,
		"W10.e30.e30~e30":   false,
		"http://x.example~": false,
	} {
		if got := evp.IsToken(text); got != want {
			t.Errorf("%.40q: got %t", text, got)
		}
	}
}

// production is the production of an email address in the HTML standard of WHATWG.
var production = regexp.MustCompile(`^[a-zA-Z0-9.!#$%&'*+/=?^_` + "`" + `{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$`)

// numeric is a last label that makes a domain an IPv4 address for some software.
var numeric = regexp.MustCompile(`(^|\.)([0-9]+|0x[0-9a-f]*)$`)

// wantEmail reports whether an address is accepted, by other means than the package.
func wantEmail(s string) bool {
	_, domain, _ := strings.Cut(s, "@")
	return len(s) <= 254 && production.MatchString(s) && !strings.Contains(s, "\n") &&
		domain == strings.ToLower(domain) && strings.Contains(domain, ".") && !numeric.MatchString(domain)
}

func TestEmail(t *testing.T) {
	label := strings.Repeat("a", 63)
	for _, address := range []string{
		email, "a@b.c", "a.@b.example", ".a..b@c.example", "!#$%&'*+/=?^_`{|}~-@b.example", "a@b-c.d--e.example",
		"a@1.2.3.4.example", "a@xn--bcher-kva.example", "a@" + label + ".example", "a@b.e1", "a@b.1e",
		strings.Repeat("a", 254-len("@b.example")) + "@b.example",
		// refused
		"", "@", "a", "a@", "@b.example", "a@b", "a@B.example", "a@b.Example", "a@.b.example", "a@b..example", "a@b.example.",
		"a@-b.example", "a@b-.example", "a@b_c.example", "a@" + label + "a.example", "a@b.1", "a@1.2.3.4", "a@[1.2.3.4]",
		"a@b.0x1", "a@b.0x", "a b@c.example", "a@b@c.example", `"a"@b.example`, "a@b.example ", " a@b.example", "a@b.example\n",
		"a@b.exämple", "ä@b.example", "a,b@c.example", "a@b.example:443", "A <a@b.example>",
		strings.Repeat("a", 255-len("@b.example")) + "@b.example",
	} {
		m := newMint(t, jose.Ed25519, jose.Ed25519)
		m.evt["email"] = address
		res, err := verifier(t, config(), sourceOf(m.issuer.Public())).Verify(t.Context(), m.token(t), evp.Expected{Nonce: nonce})
		if got := err == nil; got != wantEmail(address) || got && res.Email != address {
			t.Errorf("%q: %v", address, err)
		} else if !got {
			wantError(t, err, evp.ErrEmail, "3.email")
		}
	}
}
