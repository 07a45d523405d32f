package certchain_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/keys"
)

var now = time.UnixMilli(1700000000000)

func template() certchain.Template {
	return certchain.Template{
		Issuer: "IDP.example", Email: "alice@idp.example", PublicKey: userKey.Public(),
		IssuedAt: now, Expires: now.Add(time.Hour), Extra: map[string]any{"level": 2},
	}
}

func TestIssue(t *testing.T) {
	s, err := certchain.Issue(template(), issuerKey)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := certchain.Issue(template(), issuerKey)
	if again != s {
		t.Error("two certificates from one template differ")
	}
	c, err := certchain.ParseCertificate(s)
	if err != nil {
		t.Fatal(err)
	}
	email, _, err := c.Email()
	if err != nil || email != "alice@idp.example" || c.Issuer != "idp.example" {
		t.Errorf("%q by %q, %v", email, c.Issuer, err)
	}
	if c.Validity.IssuedAt.UnixMilli() != now.UnixMilli() || c.Validity.Expires.UnixMilli() != now.Add(time.Hour).UnixMilli() {
		t.Errorf("times %+v", c.Validity)
	}
	if string(c.Extra()["level"]) != "2" {
		t.Errorf("extra claims %s", c.Extra())
	}
	if err := c.Verify(userKey.Public(), issuerKey.Public()); err != nil {
		t.Errorf("its issuer's key: %v", err)
	}
	if err := c.Verify(userKey.Public()); !errors.Is(err, certchain.ErrAlgorithm) {
		t.Errorf("a key of another algorithm: %v", err)
	}
	if err := c.Verify(); !errors.Is(err, certchain.ErrAlgorithm) {
		t.Errorf("no key: %v", err)
	}
	if err := c.Verify(generate("DS128").Public()); !errors.Is(err, certchain.ErrSignature) {
		t.Errorf("another key: %v", err)
	}
}

func TestIssueRefuses(t *testing.T) {
	for name, change := range map[string]func(*certchain.Template){
		"no issuer":          func(c *certchain.Template) { c.Issuer = "" },
		"issuer a URL":       func(c *certchain.Template) { c.Issuer = "https://idp.example" },
		"no principal":       func(c *certchain.Template) { c.Email = "" },
		"two principals":     func(c *certchain.Template) { c.Host = "idp.example" },
		"malformed email":    func(c *certchain.Template) { c.Email = "alice" },
		"malformed host":     func(c *certchain.Template) { c.Email, c.Host = "", "a b" },
		"no key":             func(c *certchain.Template) { c.PublicKey = nil },
		"expires at once":    func(c *certchain.Template) { c.Expires = c.IssuedAt },
		"a protocol's claim": func(c *certchain.Template) { c.Extra = map[string]any{"exp": 1} },
		"no JSON":            func(c *certchain.Template) { c.Extra = map[string]any{"x": func() {}} },
	} {
		c := template()
		change(&c)
		if s, err := certchain.Issue(c, issuerKey); !errors.Is(err, certchain.ErrTemplate) || s != "" {
			t.Errorf("%s: %q, %v", name, s, err)
		}
	}
}

func TestSign(t *testing.T) {
	claims, extra := map[string]any{"exp": 1, "x": "claims"}, map[string]any{"x": "extra", "y": 2}
	s, err := certchain.Sign(claims, extra, userKey)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := certchain.ParseToken(s)
	if err != nil {
		t.Fatal(err)
	}
	if x, _ := tok.Claims.Text("x"); x != "extra" || len(tok.Claims.Names()) != 3 {
		t.Errorf("claims %q, x = %q", tok.Claims.Names(), x)
	}
	if _, ok := tok.Claims.Text("y"); ok {
		t.Error("a number is a text")
	}
	if err := tok.Verify(userKey.Public()); err != nil {
		t.Error(err)
	}
	if len(claims) != 2 || claims["x"] != "claims" || len(extra) != 2 {
		t.Errorf("the arguments are now %v and %v", claims, extra)
	}
	for _, name := range []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "public-key", "pubkey", "principal"} {
		if s, err := certchain.Sign(claims, map[string]any{name: 1}, userKey); !errors.Is(err, certchain.ErrTemplate) || s != "" {
			t.Errorf("extra claim %s: %q, %v", name, s, err)
		}
	}
	if _, err := certchain.Sign(nil, extra, userKey); err != nil {
		t.Errorf("no claims: %v", err)
	}
	if s, err := certchain.Sign(claims, extra, nil); !errors.Is(err, certchain.ErrTemplate) || s != "" {
		t.Errorf("no private key: %q, %v", s, err)
	}
}

// chain issues certificates from templates. Each certifies the user's key, which signs all
// of them but the first.
func chain(t *testing.T, templates ...certchain.Template) (certs certchain.Chain, certified []keys.PublicKey) {
	t.Helper()
	signer := issuerKey
	for _, c := range templates {
		c.PublicKey, c.Expires = userKey.Public(), now
		s, err := certchain.Issue(c, signer)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := certchain.ParseCertificate(s)
		if err != nil {
			t.Fatal(err)
		}
		certs, certified = append(certs, parsed), append(certified, c.PublicKey)
		signer = userKey
	}
	return certs, certified
}

func TestChain(t *testing.T) {
	certs, certified := chain(t,
		certchain.Template{Issuer: "root.example", Host: "mid.example"},
		certchain.Template{Issuer: "mid.example", Host: "IDP.example"},
		certchain.Template{Issuer: "idp.example", Email: "alice@idp.example"})
	if err := certs.CheckLinks(); err != nil {
		t.Error(err)
	}
	root := []keys.PublicKey{issuerKey.Public()}
	signer, err := certs.Verify(certified, append([]keys.PublicKey{otherIssuer.Public()}, root...))
	if err != nil || signer != 1 {
		t.Errorf("signed by %v, %v", signer, err)
	}
	if _, err := certs[1:].Verify(certified[1:], root); !errors.Is(err, certchain.ErrAlgorithm) {
		t.Errorf("without its root: %v", err)
	}
	certified[0] = generate("DS256").Public()
	if _, err := certs.Verify(certified, root); !errors.Is(err, certchain.ErrSignature) {
		t.Errorf("a break in the middle: %v", err)
	}
}

func TestCheckLinksRefuses(t *testing.T) {
	const user = `{"exp":1,"iss":"b.example","principal":{"email":"al@b.example"}}`
	for name, first := range map[string]string{
		"another host":    `{"exp":1,"iss":"a.example","principal":{"host":"c.example"}}`,
		"an email":        `{"exp":1,"iss":"a.example","principal":{"email":"al@b.example"}}`,
		"host and email":  `{"exp":1,"iss":"a.example","principal":{"host":"b.example","email":"al@b.example"}}`,
		"host and sub":    `{"exp":1,"iss":"a.example","sub":"x","principal":{"host":"b.example"}}`,
		"no principal":    `{"exp":1,"iss":"a.example","host":"b.example"}`,
		"principal text":  `{"exp":1,"iss":"a.example","principal":"b.example"}`,
		"host no string":  `{"exp":1,"iss":"a.example","principal":{"host":["b.example"]}}`,
		"host no domain":  `{"exp":1,"iss":"a.example","principal":{"host":"b.example/"}}`,
		"host with a dot": `{"exp":1,"iss":"a.example","principal":{"host":"b.example."}}`,
	} {
		links := certchain.Chain{certificate(t, first), certificate(t, user)}
		if err := links.CheckLinks(); !errors.Is(err, certchain.ErrChain) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func ExampleIssue() {
	issuer, _ := keys.Generate(keys.DS256) // the domain's; RS256 is the usual choice
	user, _ := keys.Generate(keys.DS128)
	signed, err := certchain.Issue(certchain.Template{
		Issuer: "idp.example", Email: "alice@idp.example", PublicKey: user.Public(),
		IssuedAt: time.UnixMilli(1700000000000), Expires: time.UnixMilli(1700003600000),
	}, issuer)
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := certchain.ParseCertificate(signed)
	if err != nil {
		fmt.Println(err)
		return
	}
	email, _, _ := c.Email()
	principal, _ := c.Claims.Get("principal")
	fmt.Println(c.Issuer, "certifies", email, c.Verify(issuer.Public()) == nil)
	fmt.Println(json.Valid(principal), strings.Count(signed, "."))
	// Output:
	// idp.example certifies alice@idp.example true
	// true 2
}
