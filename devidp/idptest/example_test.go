package idptest_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
)

// A relying party's test needs no more than this.
func ExampleNewServer() {
	idp := idptest.New("idp.example")
	server := idptest.NewServer(idp)
	defer server.Close()

	verifier, err := assertion.NewVerifier(assertion.Config{Keys: server.Resolver()})
	if err != nil {
		panic(err)
	}
	text := idp.Backed("alice@idp.example", idptest.Key("DS128"), "https://rp.example")
	result, err := verifier.Verify(context.Background(), text, "https://rp.example")
	if err != nil {
		panic(err)
	}
	fmt.Println(result.Email)
	// Output: alice@idp.example
}

// The provider has an outage.
func ExampleServer_Set() {
	idp := idptest.New("idp.example")
	server := idptest.NewServer(idp)
	defer server.Close()
	server.Set("idp.example", idptest.Status(503))

	verifier, err := assertion.NewVerifier(assertion.Config{Keys: server.Resolver()})
	if err != nil {
		panic(err)
	}
	text := idp.Backed("alice@idp.example", idptest.Key("DS128"), "https://rp.example")
	_, err = verifier.Verify(context.Background(), text, "https://rp.example")
	fmt.Println("try again later:", errors.Is(err, assertion.ErrUndecided))
	// Output: try again later: true
}

// An expired certificate, and an assertion that another key signed.
func ExampleToken() {
	idp := idptest.New("idp.example")
	user := idptest.Key("DS128")
	server := idptest.NewServer(idp)
	defer server.Close()
	verifier, err := assertion.NewVerifier(assertion.Config{Keys: server.Resolver()})
	if err != nil {
		panic(err)
	}

	certificate := idp.Certificate("alice@idp.example", user.Public())
	statement := idp.Assertion("https://rp.example", user)
	forged := statement
	forged.Key = idptest.Key("DS128-2")
	for _, text := range []string{
		idptest.Backed(certificate, statement),
		idptest.Backed(certificate.With("exp", 0), statement),
		idptest.Backed(certificate, forged),
	} {
		_, err := verifier.Verify(context.Background(), text, "https://rp.example")
		fmt.Println(err)
	}
	// Output:
	// <nil>
	// expired
	// invalid signature
}
