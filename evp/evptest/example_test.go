package evptest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/evp/evptest"
)

// A relying party's handler is tested with a browser that posts a token.
func ExampleBrowser() {
	world := evptest.New()
	verifier := world.Verifier("https://rp.example")
	nonces, err := evp.NewNonces(evp.NoncesConfig{Origins: []string{"https://rp.example"}})
	if err != nil {
		panic(err)
	}
	site := http.NewServeMux()
	site.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		nonce, err := nonces.Issue(w, r)
		if err != nil {
			http.Error(w, "try again", http.StatusInternalServerError)
			return
		}
		fmt.Fprintf(w, `<form method="post">%s<button>Sign in</button></form>`, evp.FormFields(nonce))
	})
	site.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		token := r.PostFormValue("token")
		nonce, err := nonces.Take(w, r, token)
		if err != nil {
			fmt.Fprint(w, "a code was mailed")
			return
		}
		result, err := verifier.Verify(r.Context(), token, evp.Expected{Nonce: nonce, Email: r.PostFormValue("email")})
		if err != nil {
			fmt.Fprint(w, "a code was mailed")
			return
		}
		fmt.Fprint(w, "welcome, "+result.Email)
	})

	browser := evptest.NewBrowser(world, site, "https://rp.example")
	show := func(page *evptest.Page, err error) {
		if err != nil {
			panic(err)
		}
		fmt.Println(page.Body)
	}
	show(browser.SignIn("/login", "alice@mail.example"))
	show(browser.SignIn("/login", "alice@mail.example", evptest.AudienceOther))
	show(browser.SignInWithout("/login", "alice@mail.example"))
	// Output:
	// welcome, alice@mail.example
	// a code was mailed
	// a code was mailed
}

// A token that is wrong, and an issuer that is down.
func ExampleWorld_Token() {
	world := evptest.New()
	request := evptest.Request{Email: "alice@mail.example", Origin: "https://rp.example", Nonce: "n1"}
	verify := func(token string) error {
		v := world.Verifier("https://rp.example") // without anything in its caches
		_, err := v.Verify(context.Background(), token, evp.Expected{Nonce: "n1"})
		return err
	}
	fmt.Println("right:", verify(world.Token(request)))
	fmt.Println("of another form:", errors.Is(verify(world.Token(request, evptest.NonceOther)), evp.ErrNonce))
	world.Set(evptest.MetadataError503)
	fmt.Println("issuer down:", errors.Is(verify(world.Token(request)), assertion.ErrUndecided))
	// Output:
	// right: <nil>
	// of another form: true
	// issuer down: true
}

// All faults, for a test of another verifier.
func ExampleTokenFaults() {
	for _, fault := range evptest.TokenFaults()[:3] {
		fmt.Println(fault.Name, fault.Rule, fault.Err)
	}
	// Output:
	// too-long 1.size malformed assertion
	// empty 1.form malformed assertion
	// evt-alone 1.form malformed assertion
}
