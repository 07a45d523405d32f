package devidp_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp"
	"github.com/vepverify/vepverify/wellknown"
)

// A program that is an identity provider and a verifier, to try out a relying party.
func Example() {
	p, err := devidp.New(devidp.Config{})
	if err != nil {
		log.Fatal(err)
	}
	listener, err := devidp.Listen("localhost:0")
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Handler: p, MaxHeaderBytes: 64 << 10, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	// The verifier has the keys of this provider only.
	documents, err := wellknown.ParseStatic(p.KeysBundle())
	if err != nil {
		log.Fatal(err)
	}
	if _, err := assertion.NewVerifier(assertion.Config{Keys: documents}); err != nil {
		log.Fatal(err)
	}

	// The relying party's page loads this script.
	response, err := http.Get("http://" + listener.Addr().String() + "/include.js")
	if err != nil {
		log.Fatal(err)
	}
	script, err := io.ReadAll(response.Body)
	if err != nil {
		log.Fatal(err)
	}
	_ = response.Body.Close()
	fmt.Println(response.Status, len(script) > 1000)

	_ = server.Close()
	<-served
	http.DefaultClient.CloseIdleConnections()
	fmt.Println(p.Warning())
	// Output:
	// 200 OK true
	// For development only. This identity provider asks for no password: anyone who uses this machine can sign in as any user of idp.localhost.
}
