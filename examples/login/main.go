// Command login is a relying party for the provider of "vepverify idp --keys-out keys.json".
package main

import (
	"context"
	"flag"
	"html/template"
	"log"
	"net/http"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/login"
	"github.com/vepverify/vepverify/wellknown"
)

var page = template.Must(template.New("").Parse(`<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>A relying party</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><h1>A relying party</h1>
{{if .User}}<p>You are {{.User}}. Here is the <a href="/members">members’ page</a>.</p>
<button id="browserid-logout" data-user="{{.User}}" disabled>Sign out</button>{{else}}<button id="browserid-login" disabled>Sign in</button>{{end}}
<p id="browserid-state" role="status">Loading. If this text stays, allow JavaScript for this site, and reload the page.</p>
<script src="{{.Include}}" defer></script><script src="{{.Script}}" defer></script></html>`))

func site(include string, keys assertion.KeySource) http.Handler {
	auth := must(login.New(login.Config[string]{ // users are their addresses
		Verifier:     must(assertion.NewVerifier(assertion.Config{Keys: keys})),
		Audiences:    []string{"http://localhost:8080"},
		FindOrCreate: func(_ context.Context, res *assertion.Result) (string, error) { return res.Email, nil },
		UserID:       func(email string) string { return email },
		FindByID:     func(_ context.Context, email string) (string, error) { return email, nil },
	}))
	show := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self' "+include+"; connect-src 'self'; frame-ancestors 'none'")
		w.Header().Set("Cross-Origin-Opener-Policy", "same-origin-allow-popups")
		user, _ := auth.User(r.Context())
		if err := page.Execute(w, map[string]string{"User": user, "Include": include, "Script": auth.ScriptURL()}); err != nil {
			log.Print(err)
		}
	})
	mux := http.NewServeMux()
	auth.Routes(mux)
	mux.Handle("GET /{$}", auth.WithUser(show))
	mux.Handle("GET /members", auth.Require(show))
	return mux
}

func main() {
	include := flag.String("include", "http://localhost:8400/include.js", "the `URL` of a script that defines navigator.id")
	keys := flag.String("keys", "keys.json", "the `file` that vepverify idp --keys-out wrote")
	flag.Parse()
	source, err := wellknown.LoadStatic(*keys)
	if err != nil {
		log.Fatalf("%v. First start the provider in this folder: vepverify idp --keys-out %s", err, *keys)
	}
	log.Print("open http://localhost:8080/ in a browser; the keys are those of the provider that wrote ", *keys)
	log.Fatal((&http.Server{Addr: "localhost:8080", Handler: site(*include, source), // limits: docs/LOGIN.md
		MaxHeaderBytes: 64 << 10, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second}).ListenAndServe())
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}
