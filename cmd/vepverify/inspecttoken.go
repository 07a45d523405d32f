package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/internal/strictjson"
)

// inspectToken shows a token of the Email Verification Protocol.
func (i *inspectCmd) inspectToken(c *cli.Call, text string) error {
	t, err := evp.Parse(text)
	if err != nil {
		return i.refuse(c, err, &adviser{})
	}
	now := i.now.Clock(c.Now)()
	v := viewOfToken(t, now)
	if i.format.JSON() {
		return c.PrintJSON(v)
	}
	v.print(c, now)
	return nil
}

// tokenView is a token as inspect shows it. The JSON form is for scripts. Times are milliseconds
// since 1970.
type tokenView struct {
	Verified    bool     `json:"verified"` // always false
	Email       string   `json:"email,omitempty"`
	Issuer      string   `json:"issuer,omitempty"` // a URL
	Private     bool     `json:"private,omitempty"`
	Audience    string   `json:"audience,omitempty"`
	Nonce       string   `json:"nonce,omitempty"`
	Key         *keyInfo `json:"publicKey,omitempty"` // of the browser
	KeyError    string   `json:"publicKeyError,omitempty"`
	IssuerHalf  halfView `json:"issuerHalf"`
	BrowserHalf halfView `json:"browserHalf"`
}

// halfView is one half of a token.
type halfView struct {
	Header json.RawMessage `json:"header"`
	Claims json.RawMessage `json:"claims"`
	half   evp.Half
	*times // nil if there is no time
}

// tokenLife is how long a half of a token is accepted after it was issued (rule 5.window of
// docs/EVP.md).
const tokenLife = 300 * time.Second

func viewOfToken(t *evp.Token, now time.Time) *tokenView {
	v := &tokenView{
		Email: t.Email, Issuer: t.Issuer, Private: t.Private, Audience: t.Audience, Nonce: t.Nonce,
		IssuerHalf: viewOfHalf(t.EVT, now), BrowserHalf: viewOfHalf(t.KB, now),
	}
	var err error
	if v.Key, err = describePublicJWK(holderKey(t)); err != nil {
		v.KeyError = err.Error()
	}
	return v
}

func viewOfHalf(h evp.Half, now time.Time) halfView {
	v := halfView{Header: h.Header, Claims: h.Claims, half: h}
	if h.IssuedAt.IsZero() {
		return v
	}
	expires := h.IssuedAt.Add(tokenLife)
	v.times = &times{IssuedAt: optionalMillis(h.IssuedAt), Expires: expires.UnixMilli(), Expired: now.After(expires)}
	return v
}

// holderKey returns the claim cnf.jwk, nil if there is none.
func holderKey(t *evp.Token) json.RawMessage {
	var claims struct {
		Holder struct {
			Key json.RawMessage `json:"jwk"`
		} `json:"cnf"`
	}
	if json.Unmarshal(t.EVT.Claims, &claims) != nil {
		return nil
	}
	return claims.Holder.Key
}

// print prints the view for people.
func (v *tokenView) print(c *cli.Call, now time.Time) {
	fmt.Fprintf(c.Out, "%s\n\nIssuer's half (EVT)\n", notVerified)
	t := cli.Table{Indent: "  "}
	t.Row("issued by", orNone(v.Issuer))
	t.Row("certifies email", orNone(v.Email))
	if v.Private {
		t.Row("private", "the issuer made this address for the site")
	}
	if v.Key != nil {
		t.Row("certified key", v.Key.String())
	} else {
		t.Row("certified key", v.KeyError)
	}
	v.IssuerHalf.rows(&t, now, "iss", "email", "is_private_email", "iat", "cnf")
	fmt.Fprintf(c.Out, "%s\nBrowser's half (KB-JWT)\n", t.String())
	t = cli.Table{Indent: "  "}
	t.Row("for site", orNone(v.Audience))
	t.Row("nonce", orNone(v.Nonce))
	v.BrowserHalf.rows(&t, now, "aud", "nonce", "iat")
	fmt.Fprintf(c.Out, "%s\n%s\n", t.String(), notVerified)
}

// rows adds what both halves have, and all claims but those in shown.
func (v *halfView) rows(t *cli.Table, now time.Time, shown ...string) {
	signature := fmt.Sprintf("%.40s", orNone(v.half.Algorithm))
	if v.half.KeyID != "" {
		signature += fmt.Sprintf(", kid %.100q", v.half.KeyID)
	}
	t.Row("signature", signature)
	t.Row("type", fmt.Sprintf("%.40s", orNone(v.half.Type)))
	if v.times == nil {
		t.Row("issued", "none, or not a time")
	} else {
		v.times.rows(t, now)
	}
	addClaims(t, "header member", membersBut(v.Header, "alg", "typ", "kid"))
	addClaims(t, "other claim", membersBut(v.Claims, shown...))
}

// membersBut returns the members of an object but those of some names.
func membersBut(object json.RawMessage, names ...string) map[string]json.RawMessage {
	parsed, err := strictjson.ParseObject(object)
	if err != nil {
		return nil
	}
	members := make(map[string]json.RawMessage, len(parsed))
	for _, m := range parsed {
		members[m.Name] = m.Value
	}
	maps.DeleteFunc(members, func(name string, _ json.RawMessage) bool { return slices.Contains(names, name) })
	return members
}

// orNone returns a text, or "none" for an empty one.
func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return cli.Shorten(text, 300)
}
