package wellknown_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"

	"github.com/vepverify/vepverify/wellknown"
)

// published is a bundle of support documents. One of them delegates.
var published = []byte(`{
	"idp.example": {"keys": [], "authentication": "/auth", "provisioning": "/prov"},
	"university.example": {"authority": "idp.example"},
	"mail.example": null
}`)

// A lookup over the network has four outcomes.
func ExampleResolver_Authority() {
	resolver, err := wellknown.NewResolver(wellknown.Config{})
	if err != nil {
		log.Fatal(err)
	}
	// An IP address is rejected before any host is contacted.
	_, err = resolver.Authority(context.Background(), "127.0.0.1", "127.0.0.1")
	switch {
	case err == nil:
		fmt.Println("found")
	case errors.Is(err, wellknown.ErrUnsupported):
		fmt.Println("ask the fallback")
	case errors.Is(err, wellknown.ErrUnavailable):
		fmt.Println("try later")
	default:
		fmt.Println(err)
	}
	// Output: 127.0.0.1: domain is refused: an IP address in place of a name
}

// Lookups in a bundle of documents need no network.
func ExampleParseStatic() {
	static, err := wellknown.ParseStatic(published)
	if err != nil {
		log.Fatal(err)
	}
	for _, domain := range []string{"university.example", "mail.example", "unknown.example"} {
		a, err := static.Authority(context.Background(), domain, domain)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(domain, "has the authority", a.Domain, "by delegation of", a.Delegations)
	}
	// Output:
	// university.example has the authority idp.example by delegation of [university.example]
	// mail.example: domain does not support BrowserID: recorded as not supporting BrowserID
	// unknown.example: domain is unavailable: no document of this host is known
}

func ExampleParseDocument() {
	d, err := wellknown.ParseDocument([]byte(`{"authority": "IdP.example"}`))
	fmt.Println(d.Authority, err)
	_, err = wellknown.ParseDocument([]byte(`{"authority": "https://idp.example/"}`))
	fmt.Println(err)
	// Output:
	// idp.example <nil>
	// malformed support document: authority: not a host
}

// Save writes a bundle for a verifier without a network.
func ExampleResolver_Save() {
	resolver, err := wellknown.NewResolver(wellknown.Config{
		InsecureTransport: roundTripper(func(*http.Request) (*http.Response, error) { // in place of the network
			return reply(200, `{"keys": [], "authentication": "/auth", "provisioning": "/prov"}`)
		}),
	})
	if err != nil {
		log.Fatal(err)
	}
	var file bytes.Buffer
	if err := resolver.Save(context.Background(), &file, "idp.example"); err != nil {
		log.Fatal(err)
	}
	fmt.Print(&file)
	// Output:
	// {
	//   "idp.example": {
	//     "keys": [],
	//     "authentication": "/auth",
	//     "provisioning": "/prov"
	//   }
	// }
}

// A service limits how many lookups wait for the network, and counts those that did not have to
// wait.
func ExampleWithHooks() {
	resolver, err := wellknown.NewResolver(wellknown.Config{
		InsecureTransport: roundTripper(func(*http.Request) (*http.Response, error) { // in place of the network
			return reply(200, `{"keys": [], "authentication": "/auth", "provisioning": "/prov"}`)
		}),
	})
	if err != nil {
		log.Fatal(err)
	}
	slots, busy, cached := make(chan struct{}, 100), errors.New("too many lookups"), 0
	ctx := wellknown.WithHooks(context.Background(), &wellknown.Hooks{
		Wait: func(context.Context) error {
			select {
			case slots <- struct{}{}:
				return nil
			default:
				return busy
			}
		},
		Waited: func() { <-slots },
		Done: func(fromCache bool, _ error) {
			if fromCache {
				cached++
			}
		},
	})
	for range 3 {
		if _, err := resolver.Authority(ctx, "idp.example", "idp.example"); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(cached, "of 3 from the cache")
	// Output: 2 of 3 from the cache
}
