package login_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/evp/evptest"
	"github.com/vepverify/vepverify/login"
	"github.com/vepverify/vepverify/wellknown"
)

// An application that identifies users by their addresses. The identity provider is
// one for tests.
func Example() {
	idp := idptest.New("idp.example")
	keys, err := wellknown.NewStatic(map[string]json.RawMessage{"idp.example": idp.Document().JSON()})
	if err != nil {
		fmt.Println(err)
		return
	}
	verifier, err := assertion.NewVerifier(assertion.Config{Keys: keys})
	if err != nil {
		fmt.Println(err)
		return
	}
	auth, err := login.New(login.Config[string]{
		Verifier:  verifier,
		Audiences: []string{"https://rp.example"},
		FindOrCreate: func(_ context.Context, res *assertion.Result) (string, error) {
			if res.Email != "alice@idp.example" {
				return "", login.Refusal("accounts are by invitation")
			}
			return res.Email, nil
		},
		UserID:   func(email string) string { return email },
		FindByID: func(_ context.Context, email string) (string, error) { return email, nil },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	auth.Routes(mux)
	mux.Handle("/members", auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _ := auth.User(r.Context())
		fmt.Fprintln(w, "hello", user)
	})))

	// send does what a browser does.
	var session []*http.Cookie
	send := func(method, path string, form url.Values) {
		r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for _, c := range session {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if cookies := w.Result().Cookies(); len(cookies) > 0 {
			session = cookies
		}
		fmt.Println(w.Code, strings.TrimSpace(w.Body.String()))
	}
	loginForm := func(email, key string) url.Values {
		return url.Values{"assertion": {idp.Backed(email, idptest.Key(key), "https://rp.example")}}
	}
	send("GET", "/members", nil)
	send("POST", "/api/login", loginForm("bob@idp.example", "DS128-2"))
	send("POST", "/api/login", loginForm("alice@idp.example", "DS128"))
	send("GET", "/members", nil)
	send("POST", "/api/logout", nil)
	send("GET", "/members", nil)
	// Output:
	// 401 {"status":"failure","reason":"not signed in"}
	// 403 {"status":"failure","reason":"accounts are by invitation"}
	// 200 {"status":"okay","email":"alice@idp.example"}
	// 200 hello alice@idp.example
	// 200 {"status":"okay"}
	// 401 {"status":"failure","reason":"not signed in"}
}

// The routes under chi, with a group of pages for members.
func ExampleLogin_Routes_chi() {
	idp := idptest.New("idp.example")
	keys, err := wellknown.NewStatic(map[string]json.RawMessage{"idp.example": idp.Document().JSON()})
	if err != nil {
		fmt.Println(err)
		return
	}
	verifier, err := assertion.NewVerifier(assertion.Config{Keys: keys})
	if err != nil {
		fmt.Println(err)
		return
	}
	auth, err := login.New(login.Config[string]{
		Verifier:     verifier,
		Audiences:    []string{"https://rp.example"},
		FindOrCreate: func(_ context.Context, res *assertion.Result) (string, error) { return res.Email, nil },
		UserID:       func(email string) string { return email },
		FindByID:     func(_ context.Context, email string) (string, error) { return email, nil },
		AfterLogin:   "/members",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	r := chi.NewRouter()
	auth.Routes(r)
	r.Group(func(r chi.Router) {
		r.Use(auth.Require)
		r.Get("/members", func(w http.ResponseWriter, r *http.Request) {
			user, _ := auth.User(r.Context())
			fmt.Fprintln(w, "hello", user)
		})
	})

	form := url.Values{"assertion": {idp.Backed("alice@idp.example", idptest.Key("DS128"), "https://rp.example")}}
	request := httptest.NewRequest("POST", "/api/login", strings.NewReader(form.Encode()))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "text/html")
	response := httptest.NewRecorder()
	r.ServeHTTP(response, request)
	fmt.Println(response.Code, response.Header().Get("Location"))

	request = httptest.NewRequest("GET", "/members", nil)
	request.AddCookie(response.Result().Cookies()[0])
	response = httptest.NewRecorder()
	r.ServeHTTP(response, request)
	fmt.Println(response.Code, strings.TrimSpace(response.Body.String()))
	// Output:
	// 303 /members
	// 200 hello alice@idp.example
}

// An application whose visitors sign in with a token of their browser, or by a code. The
// issuer and the browser are pretended ones, for tests.
func ExampleLogin_FormFields() {
	world := evptest.New() // with an issuer for mail.example
	tokens, err := evp.NewVerifier(evp.Config{
		Origins: []string{"https://rp.example"}, Resolver: world, InsecureTransport: world, // in place of the network
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	auth, err := login.New(login.Config[string]{
		Audiences:    []string{"https://rp.example"},
		FindOrCreate: func(_ context.Context, res *assertion.Result) (string, error) { return res.Email, nil },
		UserID:       func(email string) string { return email },
		FindByID:     func(_ context.Context, email string) (string, error) { return email, nil },
		EVP: &login.EVP{
			Verifier: tokens,
			Fallback: func(w http.ResponseWriter, r *http.Request, email string) {
				// Mail a code. If the visitor enters it, call auth.SignIn.
				fmt.Fprint(w, "We have mailed a code to ", email)
			},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	auth.Routes(mux)
	mux.Handle("/", auth.WithUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, ok := auth.User(r.Context()); ok {
			fmt.Fprint(w, "hello ", user)
			return
		}
		fmt.Fprintf(w, `<form method="post" action="/api/login">%s<button>Sign in</button></form><script src="%s" defer></script>`,
			auth.FormFields(w, r), auth.ScriptURL())
	})))

	browser := evptest.NewBrowser(world, mux, "https://rp.example")
	page, err := browser.SignIn("/", "ada@mail.example")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(page.Status, page.Body)

	other := evptest.NewBrowser(world, mux, "https://rp.example")
	page, err = other.SignInWithout("/", "ada@mail.example") // the browser has no token
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(page.Status, page.Body)
	// Output:
	// 200 hello ada@mail.example
	// 200 We have mailed a code to ada@mail.example
}

// A visitor without a token enters a code that the application has mailed.
func ExampleLogin_SignIn() {
	auth, err := login.New(login.Config[string]{
		Audiences:    []string{"https://rp.example"},
		FindOrCreate: func(_ context.Context, res *assertion.Result) (string, error) { return res.Email, nil },
		UserID:       func(email string) string { return email },
		FindByID:     func(_ context.Context, email string) (string, error) { return email, nil },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	mailed := map[string]string{"83529174": "ada@mail.example"} // by code; in production they expire
	site := http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		email, ok := mailed[r.PostFormValue("code")]
		if !ok {
			http.Error(w, "This code is not valid.", http.StatusForbidden)
			return
		}
		auth.SignIn(w, r, email)
	}))

	for _, form := range []string{"code=1", "code=83529174&next=/members"} {
		r := httptest.NewRequest("POST", "/code", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		site.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 403 This code is not valid.
	//
	// 200 {"status":"okay","email":"ada@mail.example","next":"/members"}
}
