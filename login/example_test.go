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
