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

// published are support documents, of which one delegates.
var published = []byte(`{
	"idp.example": {"keys": [], "authentication": "/auth", "provisioning": "/prov"},
	"university.example": {"authority": "idp.example"},
	"mail.example": null
}`)

// The usual case: look up over the network, and tell the outcomes apart.
func ExampleResolver_Authority() {
	resolver, err := wellknown.NewResolver(wellknown.Config{})
	if err != nil {
		log.Fatal(err)
	}
	// No domain may be an address; this is decided before anything is contacted.
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

// Documents at hand need no network.
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
		fmt.Println(domain, "is spoken for by", a.Domain, "through", a.Delegations)
	}
	// Output:
	// university.example is spoken for by idp.example through [university.example]
	// mail.example: domain does not support BrowserID: recorded as not supporting it
	// unknown.example: domain is unavailable: no document held
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

// Save what a verifier without network will need.
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

// A service lets so many look-ups wait for the network and no more, whatever it
// has room for besides, and counts those that need not wait.
func ExampleWithHooks() {
	resolver, err := wellknown.NewResolver(wellknown.Config{
		InsecureTransport: roundTripper(func(*http.Request) (*http.Response, error) { // in place of the network
			return reply(200, `{"keys": [], "authentication": "/auth", "provisioning": "/prov"}`)
		}),
	})
	if err != nil {
		log.Fatal(err)
	}
	places, busy, held := make(chan struct{}, 100), errors.New("too many look-ups"), 0
	ctx := wellknown.WithHooks(context.Background(), &wellknown.Hooks{
		Wait: func(context.Context) error {
			select {
			case places <- struct{}{}:
				return nil
			default:
				return busy
			}
		},
		Waited: func() { <-places },
		Done: func(wasHeld bool, _ error) {
			if wasHeld {
				held++
			}
		},
	})
	for range 3 {
		if _, err := resolver.Authority(ctx, "idp.example", "idp.example"); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(held, "of 3 held")
	// Output: 2 of 3 held
}
