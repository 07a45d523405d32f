package assertion_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/wellknown"
)

func ExampleVerify() {
	posted := "not an assertion"
	res, err := assertion.Verify(context.Background(), posted, "https://rp.example")
	switch {
	case err == nil:
		fmt.Println("signed in as", res.Email)
	case errors.Is(err, assertion.ErrUndecided):
		fmt.Println("try again later:", err)
	default:
		fmt.Println("refused:", err)
	}
	// Output: refused: no certificates provided
}

// A handler that signs users in. Package login is such a handler with sessions.
func ExampleVerify_handler() {
	signIn := func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 2*assertion.MaxSize)
		res, err := assertion.Verify(r.Context(), r.PostFormValue("assertion"), "https://rp.example")
		if err == nil {
			fmt.Fprintln(w, "signed in as", res.Email) // and start a session
			return
		}
		status := http.StatusForbidden
		if errors.Is(err, assertion.ErrUndecided) {
			status = http.StatusServiceUnavailable
		}
		answer := assertion.Failure(err)
		if answer == nil { // the fault is in this handler
			http.Error(w, "internal error", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(answer)
	}

	form := url.Values{"assertion": {"not an assertion"}}
	r := httptest.NewRequest("POST", "https://rp.example/sign-in", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	signIn(w, r)
	fmt.Print(w.Code, " ", w.Body)
	// Output: 403 {"status":"failure","reason":"no certificates provided"}
}

// Verification without a network: the issuers' support documents are given.
func ExampleVerifier_Verify() {
	issuer, _ := keys.Generate(keys.DS256)
	v, err := assertion.NewVerifier(assertion.Config{Keys: publishing("idp.example", issuer), Now: exampleClock})
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := v.Verify(context.Background(), signedBy(issuer), "https://rp.example")
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, _ := json.Marshal(res)
	fmt.Println(string(answer))
	// Output: {"status":"okay","email":"alice@idp.example","audience":"https://rp.example","expires":1700000120000,"issuer":"idp.example"}
}

// The one-use guard accepts each assertion once. The guard in memory is for a
// service of one process; redisstore.Store is shared by any number of them.
func ExampleNewMemoryOneUse() {
	issuer, _ := keys.Generate(keys.DS256)
	v, err := assertion.NewVerifier(assertion.Config{
		Keys:   publishing("idp.example", issuer),
		Now:    exampleClock,
		OneUse: assertion.NewMemoryOneUse(100_000, exampleClock), // the same clock
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	a := signedBy(issuer)
	for range 2 {
		_, err := v.Verify(context.Background(), a, "https://rp.example")
		fmt.Println(err)
	}
	// Output:
	// <nil>
	// the assertion was used before
}

// A trusted issuer certifies addresses of any domain.
func ExampleVerifier_WithTrustedIssuers() {
	issuer, _ := keys.Generate(keys.DS256)
	v, err := assertion.NewVerifier(assertion.Config{Keys: publishing("sso.example", issuer), Now: exampleClock})
	if err != nil {
		fmt.Println(err)
		return
	}
	trusting, err := v.WithTrustedIssuers("sso.example")
	if err != nil {
		fmt.Println(err)
		return
	}

	user, _ := keys.Generate(keys.DS128)
	certificate, _ := certchain.Issue(certchain.Template{
		Issuer: "sso.example", Email: "alice@other.example", PublicKey: user.Public(), Expires: exampleTime.Add(time.Hour),
	}, issuer)
	a, _ := assertion.Sign(assertion.Template{Audience: "https://rp.example", Expires: exampleTime.Add(time.Minute)}, user, certificate)
	for _, v := range []*assertion.Verifier{v, trusting} {
		res, err := v.Verify(context.Background(), a, "https://rp.example")
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(res.Email, "by", res.Issuer)
	}
	// Output:
	// undecided, no keys of other.example: domain is unavailable
	// alice@other.example by sso.example
}

// The report about an assertion that has expired.
func ExampleVerifier_Explain() {
	issuer, _ := keys.Generate(keys.DS128)
	v, _ := assertion.NewVerifier(assertion.Config{
		Keys: publishing("idp.example", issuer),
		Now:  func() time.Time { return exampleTime.Add(500 * time.Second) },
	})
	for _, step := range v.Explain(context.Background(), signedBy(issuer), "https://rp.example").Steps {
		fmt.Println(step.Outcome, step.Name)
		var failed *assertion.Error
		if errors.As(step.Err, &failed) {
			fmt.Println("  found:   ", failed.Found)
			fmt.Println("  expected:", failed.Expected)
		}
	}
	// Output:
	// passed size and number of certificates
	// passed form
	// passed algorithms and certified keys
	// passed audience
	// failed times
	//   found:    assertion expires 2023-11-14 22:15:20 UTC (6 minutes ago)
	//   expected: valid at 2023-11-14 22:21:40 UTC, with a leeway of 30 seconds
	// skipped principal
	// skipped assertion signature
	// skipped authority of the issuer
	// skipped certificate signatures
	// skipped one use
}

// The issuer signs a certificate of the user's key, and the user signs the
// assertion.
func ExampleSign() {
	issuer, _ := keys.Generate(keys.DS256)
	user, _ := keys.Generate(keys.DS128)
	certificate, err := certchain.Issue(certchain.Template{
		Issuer: "idp.example", Email: "alice@idp.example", PublicKey: user.Public(),
		IssuedAt: exampleTime, Expires: exampleTime.Add(time.Hour),
	}, issuer)
	if err != nil {
		fmt.Println(err)
		return
	}
	a, err := assertion.Sign(assertion.Template{
		Audience: "https://rp.example", Expires: exampleTime.Add(2 * time.Minute),
	}, user, certificate)
	if err != nil {
		fmt.Println(err)
		return
	}

	backed, err := assertion.Parse(a)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(backed.Certificates[0].Issuer, backed.Certificates[0].Algorithm, backed.Assertion.Algorithm)
	// Output: idp.example DS256 DS128
}

// exampleTime is when the examples take place.
var exampleTime = time.UnixMilli(1700000000000)

func exampleClock() time.Time { return exampleTime }

// publishing returns a KeySource in which one domain publishes one key.
func publishing(domain string, key keys.PrivateKey) *wellknown.Static {
	document, err := json.Marshal(map[string]any{
		"public-key": key.Public(), "authentication": "/sign_in", "provisioning": "/provision",
	})
	if err != nil {
		panic(err)
	}
	s, err := wellknown.NewStatic(map[string]json.RawMessage{domain: document})
	if err != nil {
		panic(err)
	}
	return s
}

// signedBy returns an assertion of alice@idp.example that is valid for two minutes
// from exampleTime.
func signedBy(issuer keys.PrivateKey) string {
	user, err := keys.Generate(keys.DS128)
	if err != nil {
		panic(err)
	}
	certificate, err := certchain.Issue(certchain.Template{
		Issuer: "idp.example", Email: "alice@idp.example", PublicKey: user.Public(),
		IssuedAt: exampleTime, Expires: exampleTime.Add(time.Hour),
	}, issuer)
	if err != nil {
		panic(err)
	}
	a, err := assertion.Sign(assertion.Template{
		Audience: "https://rp.example", Expires: exampleTime.Add(2 * time.Minute),
	}, user, certificate)
	if err != nil {
		panic(err)
	}
	return a
}
