// Command server has a public page and a page for programs that sign in. Try it with
// ../client or "vepverify request".
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/vepauth"
	"github.com/vepverify/vepverify/wellknown"
)

// site returns the handler of a server with an origin. It takes the keys of issuers from keys.
func site(origin string, keys assertion.KeySource) http.Handler {
	auth := must(vepauth.New(vepauth.Config{
		Audiences: []string{origin},
		Verifier:  must(assertion.NewVerifier(assertion.Config{Keys: keys})),
	}))
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if signer, ok := vepauth.FromContext(r.Context()); ok {
			fmt.Fprintln(w, "hello,", signer.Email)
			return
		}
		fmt.Fprintln(w, "hello, stranger")
	})
	mux := http.NewServeMux()
	mux.Handle("/", hello)
	mux.Handle("/private", auth.Require(hello))
	return auth.Handler(mux)
}

func main() {
	address := flag.String("address", "localhost:8080", "the `address` to listen on")
	keys := flag.String("keys", "keys.json", "a `file` of issuers' keys, as vepverify keygen writes it")
	flag.Parse()
	log.Fatal(server(*address, site("http://"+*address, must(wellknown.LoadStatic(*keys)))).ListenAndServe())
}

// server returns a server with limits for each connection.
func server(address string, h http.Handler) *http.Server {
	return &http.Server{
		Addr: address, Handler: h, MaxHeaderBytes: 64 << 10,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}
