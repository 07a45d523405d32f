package assertion_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/wellknown"
)

// What an HTTP handler does with the assertion that a browser posted.
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

// Verification without a network: the issuers' documents are given.
func ExampleVerifier_Verify() {
	issuer, _ := keys.Generate(keys.DS256)
	published, _ := json.Marshal(map[string]any{
		"public-key": issuer.Public(), "authentication": "/sign_in", "provisioning": "/provision",
	})
	known, err := wellknown.NewStatic(map[string]json.RawMessage{"idp.example": published})
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := assertion.NewVerifier(assertion.Config{
		Keys: known,
		Now:  func() time.Time { return time.UnixMilli(1700000000000) },
	})
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

// Why an assertion does not hold, step by step.
func ExampleVerifier_Explain() {
	issuer, _ := keys.Generate(keys.DS128)
	known, _ := wellknown.NewStatic(map[string]json.RawMessage{"idp.example": nil})
	v, _ := assertion.NewVerifier(assertion.Config{Keys: known, Now: func() time.Time { return time.UnixMilli(1700000500000) }})

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
	//   found:    assertion expires 2023-11-14T22:15:20.000Z (6m20s ago)
	//   expected: valid at 2023-11-14T22:21:40.000Z, give or take 30s
	// skipped principal
	// skipped assertion signature
	// skipped authority of the issuer
	// skipped certificate signatures
	// skipped one use
}

// Both halves of an assertion: the issuer certifies, the user signs.
func ExampleSign() {
	issuer, _ := keys.Generate(keys.DS256)
	backed, err := assertion.Parse(signedBy(issuer))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	fmt.Println(backed.Certificates[0].Issuer, backed.Certificates[0].Algorithm, backed.Assertion.Algorithm)
	// Output: idp.example DS256 DS128
}

// signedBy makes an assertion of alice@idp.example, valid for two minutes from
// 1700000000000.
func signedBy(issuer keys.PrivateKey) string {
	user, err := keys.Generate(keys.DS128)
	if err != nil {
		panic(err)
	}
	start := time.UnixMilli(1700000000000)
	cert, err := certchain.Issue(certchain.Template{
		Issuer: "idp.example", Email: "alice@idp.example", PublicKey: user.Public(), IssuedAt: start, Expires: start.Add(time.Hour),
	}, issuer)
	if err != nil {
		panic(err)
	}
	backed, err := assertion.Sign(assertion.Template{Audience: "https://rp.example", Expires: start.Add(2 * time.Minute)}, user, cert)
	if err != nil {
		panic(err)
	}
	return backed
}
