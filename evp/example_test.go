package evp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/evp/evptest"
	"github.com/vepverify/vepverify/evp/internal/vector"
)

// example returns the token of a test vector, and a verifier at its time that asks no
// network. A real site has neither Resolver, nor InsecureTransport, nor Now.
func example(name string) (*evp.Verifier, vector.Case) {
	data, err := os.ReadFile("../testdata/evp/vectors.json")
	if err != nil {
		panic(err)
	}
	list, err := vector.Load(data)
	if err != nil {
		panic(err)
	}
	for _, c := range list {
		if c.Name == name {
			v, err := evp.NewVerifier(c.Config())
			if err != nil {
				panic(err)
			}
			return v, c
		}
	}
	panic("no such vector")
}

func ExampleNewVerifier() {
	v, err := evp.NewVerifier(evp.Config{Origins: []string{"https://rp.example"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = v.Verify(context.Background(), "not a token", evp.Expected{Nonce: "of the form"})
	fmt.Println(err)
	// Output: malformed token: not two parts joined by one "~"
}

func ExampleVerifier_Verify() {
	v, form := example("chromium-156/mail-plus")
	res, err := v.Verify(context.Background(), form.Token, evp.Expected{Nonce: form.Nonce, Email: form.Email})
	switch {
	case err == nil:
		fmt.Println("signed in:", res.Email)
	case errors.Is(err, assertion.ErrUndecided):
		fmt.Println("mail a code: the issuer cannot be asked now")
	default:
		fmt.Println("mail a code:", err)
	}
	// Output: signed in: alice+shop@mail.example
}

func ExampleVerifier_Verify_refused() {
	v, form := example("chromium-156/mail-plus")
	_, err := v.Verify(context.Background(), form.Token, evp.Expected{Nonce: "of another form", Email: form.Email})
	var e *evp.Error
	if errors.As(err, &e) {
		fmt.Println(errors.Is(err, evp.ErrNonce), e.Rule)
		fmt.Println(e.Reason)
		fmt.Println(e.Advice)
	}
	// Output:
	// true 4.nonce
	// nonce mismatch
	// the form was opened in another session, or submitted twice; show it again with a new nonce
}

func ExampleVerifier_Explain() {
	v, form := example("chromium-156-mutated/ed25519, 61 s ahead")
	e := v.Explain(context.Background(), form.Token, evp.Expected{Nonce: form.Nonce})
	for _, s := range e.Steps {
		fmt.Println(s.Outcome, s.Name)
	}
	fmt.Println(e.Err)
	// Output:
	// passed size and form
	// passed headers
	// passed claims of the issuer
	// passed binding to site, page and issuer's half
	// failed times
	// skipped submitted address
	// skipped allowed issuers and domains
	// skipped browser's signature
	// skipped issuer of the domain
	// skipped keys of the issuer
	// skipped issuer's signature
	// skipped one use
	// issued later than verification date
}

func ExampleParse() {
	_, form := example("chromium-156/mail-plus")
	t, err := evp.Parse(form.Token) // anyone can make a token with any content
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(t.Email)
	fmt.Println(t.Issuer, t.EVT.Algorithm, t.EVT.IssuedAt.Format(time.RFC3339))
	fmt.Println(t.Audience, t.KB.Algorithm)
	// Output:
	// alice+shop@mail.example
	// https://accounts.issuer.example Ed25519 2026-11-29T21:26:33Z
	// https://rp.example Ed25519
}

func ExampleIsToken() {
	_, form := example("chromium-156/mail-plus")
	fmt.Println(evp.IsToken(form.Token))
	fmt.Println(evp.IsToken(strings.ToUpper(form.Token)))
	// Output:
	// true
	// false
}

func ExampleParseBundle() {
	b, err := evp.ParseBundle([]byte(`{
		"_email-verification.mail.example": ["iss=accounts.issuer.example"],
		"https://accounts.issuer.example/.well-known/email-verification": {"jwks_uri": "https://accounts.issuer.example/jwks"},
		"https://accounts.issuer.example/jwks": {"keys": []}
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := evp.NewVerifier(evp.Config{Origins: []string{"https://rp.example"}, Bundle: b})
	fmt.Println(v != nil, err)
	// Output: true <nil>
}

func ExampleVerifier_Lookup() {
	world := evptest.New() // with an issuer for mail.example, in place of DNS and the network
	v, err := evp.NewVerifier(evp.Config{Origins: []string{"https://rp.example"}, Resolver: world, InsecureTransport: world})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, domain := range []string{"mail.example", "other.example"} {
		d := v.Lookup(context.Background(), domain)
		fmt.Println(d.Domain, d.Records, d.Err)
		for _, key := range d.Entries {
			fmt.Println("key:", key.Kty, key.Algorithm)
		}
	}
	// Output:
	// mail.example [iss=accounts.issuer.example] <nil>
	// key: OKP Ed25519
	// other.example [] untrusted issuer: other.example does not support the protocol
}

// A bundle, with which tokens are verified without a network.
func ExampleVerifier_Save() {
	world := evptest.New() // with an issuer for mail.example, in place of DNS and the network
	online, err := evp.NewVerifier(evp.Config{Origins: []string{"https://rp.example"}, Resolver: world, InsecureTransport: world})
	if err != nil {
		fmt.Println(err)
		return
	}
	var text bytes.Buffer
	if err := online.Save(context.Background(), &text, "mail.example"); err != nil {
		fmt.Println(err)
		return
	}
	bundle, err := evp.ParseBundle(text.Bytes())
	if err != nil {
		fmt.Println(err)
		return
	}
	offline, err := evp.NewVerifier(evp.Config{Origins: []string{"https://rp.example"}, Bundle: bundle})
	if err != nil {
		fmt.Println(err)
		return
	}
	token := world.Token(evptest.Request{Email: "alice@mail.example", Origin: "https://rp.example", Nonce: "n-1"})
	res, err := offline.Verify(context.Background(), token, evp.Expected{Nonce: "n-1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(res.Email, bundle.Len())
	// Output: alice@mail.example 3
}

// A guard that several processes share, such as redisstore's, lets each token be used once.
func ExampleVerifier_WithOneUse() {
	v, form := example("chromium-156/mail-plus")
	v, err := v.WithOneUse(assertion.NewMemoryOneUse(100_000, v.Now))
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		_, err := v.Verify(context.Background(), form.Token, evp.Expected{Nonce: form.Nonce})
		fmt.Println(errors.Is(err, assertion.ErrReplayed), err)
	}
	// Output:
	// false <nil>
	// true the token was used before
}
