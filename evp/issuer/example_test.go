package issuer_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/vepverify/vepverify/evp/issuer"
)

// A whole domain: people sign in at https://accounts.issuer.example/login, and their
// browsers get tokens for their addresses.
func ExampleNew() {
	keys, err := issuer.GenerateKeys(issuer.Ed25519)
	if err != nil {
		log.Fatal(err)
	}
	sessions := map[string]string{} // an application has a store, with expiry and a lock
	i, err := issuer.New(issuer.Config{
		Issuer:   "https://accounts.issuer.example",
		Keys:     keys,
		LoginURL: "/login",
		Accounts: func(r *http.Request) ([]issuer.Account, error) {
			cookie, err := r.Cookie("__Host-session")
			if err != nil || sessions[cookie.Value] == "" {
				return nil, nil // no user is signed in
			}
			return []issuer.Account{{Email: sessions[cookie.Value]}}, nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}

	mux := http.NewServeMux()
	for _, path := range i.Paths() {
		mux.Handle(path, i)
	}
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		sessions["random"] = "alice@mail.example" // after the password was checked
		http.SetCookie(w, &http.Cookie{
			Name: "__Host-session", Value: "random", Path: "/",
			Secure: true, HttpOnly: true, SameSite: http.SameSiteNoneMode,
		})
		issuer.LoggedIn(w)
	})
	mux.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) {
		delete(sessions, "random")
		issuer.LoggedOut(w)
	})

	fmt.Println(i.Record("mail.example"))
	fmt.Println(i.WebIdentityURL())
	for _, path := range []string{"/.well-known/email-verification", "/.well-known/web-identity"} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest("GET", "https://accounts.issuer.example"+path, nil))
		fmt.Println(w.Body)
	}
	// Output:
	// _email-verification.mail.example iss=accounts.issuer.example
	// https://issuer.example/.well-known/web-identity
	// {"issuer":"https://accounts.issuer.example","issuance_endpoint":"https://accounts.issuer.example/email-verification/issuance","jwks_uri":"https://accounts.issuer.example/email-verification/jwks","signing_alg_values_supported":["Ed25519"]}
	// {"accounts_endpoint":"https://accounts.issuer.example/email-verification/accounts","login_url":"https://accounts.issuer.example/login"}
}

// The signing key is replaced, and stored for the next start.
func ExampleKeys_Rotate() {
	keys, err := issuer.GenerateKeys(issuer.ES256)
	if err != nil {
		log.Fatal(err)
	}
	if err := keys.Rotate(); err != nil {
		log.Fatal(err)
	}
	stored, err := keys.PrivateJWKS() // to be written to a file with mode 0600
	if err != nil {
		log.Fatal(err)
	}
	if _, err := issuer.ParseKeys(stored); err != nil {
		log.Fatal(err)
	}
	fmt.Println(keys)
	// Output: issuer keys
}

// The keys are files. After a change of the files, the running issuer gets the new ones.
func ExampleKeys_Replace() {
	keys, err := issuer.GenerateKeys(issuer.Ed25519)
	if err != nil {
		log.Fatal(err)
	}
	reload := func() error { // at SIGHUP, say
		loaded, err := issuer.LoadKeys("current.jwk", "next.jwk", "previous.jwk")
		if err != nil {
			return err // the keys that are in use stay
		}
		return keys.Replace(loaded)
	}
	fmt.Println(reload() != nil)
	// Output: true
}
