package vepauth_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/vepauth"
)

// A client that signs in by itself, with a key that its user's domain has
// certified.
func ExampleTransport() {
	origin, stop := exampleServer()
	defer stop()
	key := idptest.Key("DS128")
	certificate, err := idptest.New("idp.example").Certificate("ada@idp.example", key.Public()).Encode()
	if err != nil {
		log.Fatal(err)
	}

	client := &http.Client{Transport: &vepauth.Transport{
		Assertion: func(_ context.Context, audience string) (string, error) {
			return assertion.Sign(assertion.Template{Audience: audience, Expires: time.Now().Add(2 * time.Minute)}, key, certificate)
		},
	}}
	for _, path := range []string{"/data", "/more?a=b"} {
		response, err := client.Get(origin + path)
		if err != nil {
			log.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		fmt.Println(response.Status, string(body))
	}
	// Output:
	// 200 OK only for ada@idp.example
	// 200 OK only for ada@idp.example
}
