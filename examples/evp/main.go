// Command evp signs visitors in with a token of their browser, or with a code from its log.
package main

import (
	"context"
	"crypto/rand"
	"flag"
	"html/template"
	"log"
	"net/http"
	"sync"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/login"
)

var page = template.Must(template.New("").Parse(`<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>A relying party</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><h1>A relying party</h1>
{{if .User}}<p>You are {{.User}}.</p><form method="post" action="/api/logout"><button>Sign out</button></form>
{{else if .Mailed}}<form method="post" action="/code"><label>The code for {{.Mailed}} <input name="code" autocomplete="one-time-code"></label> <button>Sign in</button></form>
{{else}}<form method="post" action="/api/login"><label for="email">Email address</label> {{.Fields}} <button>Sign in</button></form><script src="{{.Script}}" defer></script>{{end}}</html>`))

func show(w http.ResponseWriter, data map[string]any) {
	w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	if err := page.Execute(w, data); err != nil {
		log.Print(err)
	}
}

func site(origin string, tokens *evp.Verifier, mail func(email, code string)) http.Handler {
	var codes sync.Map // addresses by code; a real site limits the mails to an address, and in all
	fallback := func(w http.ResponseWriter, r *http.Request, email string) {
		code := rand.Text()
		codes.Store(code, email)
		time.AfterFunc(10*time.Minute, func() { codes.Delete(code) })
		mail(email, code)
		show(w, map[string]any{"Mailed": email})
	}
	auth := must(login.New(login.Config[string]{ // users are their addresses
		Audiences:    []string{origin},
		FindOrCreate: func(_ context.Context, res *assertion.Result) (string, error) { return res.Email, nil },
		UserID:       func(email string) string { return email },
		FindByID:     func(_ context.Context, email string) (string, error) { return email, nil },
		EVP:          &login.EVP{Verifier: tokens, Form: evp.Form{EmailAttributes: map[string]string{"id": "email", "required": ""}}, Fallback: fallback},
	}))
	mux := http.NewServeMux()
	auth.Routes(mux)
	mux.Handle("GET /{$}", auth.WithUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _ := auth.User(r.Context())
		show(w, map[string]any{"User": user, "Fields": auth.FormFields(w, r), "Script": auth.ScriptURL()})
	})))
	mux.HandleFunc("POST /code", func(w http.ResponseWriter, r *http.Request) {
		if email, found := codes.LoadAndDelete(r.PostFormValue("code")); found {
			auth.SignIn(w, r, email.(string))
			return
		}
		http.Error(w, "This code is not valid. Please go back to the first page.", http.StatusForbidden)
	})
	return http.MaxBytesHandler(http.NewCrossOriginProtection().Handler(mux), 64<<10)
}

func main() {
	origin := flag.String("origin", "http://localhost:8080", "the `origin` that browsers show")
	flag.Parse()
	tokens := must(evp.NewVerifier(evp.Config{Origins: []string{*origin}}))
	handler := site(*origin, tokens, func(email, code string) { log.Printf("the code for %s is %s", email, code) })
	log.Print("open ", *origin, " in a browser")
	log.Fatal((&http.Server{Addr: "localhost:8080", Handler: handler, // limits: docs/LOGIN.md
		MaxHeaderBytes: 64 << 10, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second}).ListenAndServe())
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}
