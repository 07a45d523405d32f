package vepauth_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/internal/doctest"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/redisstore"
	"github.com/vepverify/vepverify/vepauth"
)

// The functions below contain the Go snippets of docs/VEPAUTH.md, so that they compile.
// TestDocs reports a snippet that is missing here, and runs those that can run.

func docsServer(public, private http.Handler) error {
	auth, err := vepauth.New(vepauth.Config{Audiences: []string{"https://rp.example"}})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", public)
	mux.Handle("/private", auth.Require(private))
	server := &http.Server{
		Addr:              ":443",
		Handler:           auth.Handler(mux),
		MaxHeaderBytes:    64 << 10,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	return server.ListenAndServeTLS("cert.pem", "key.pem")
}

func docsSigner(r *http.Request) (vepauth.Identity, bool) {
	signer, ok := vepauth.FromContext(r.Context())
	return signer, ok
}

func docsProxy() vepauth.Config {
	config := vepauth.Config{
		Audiences:    []string{"https://rp.example"},
		PublicOrigin: "https://rp.example",
	}
	return config
}

func docsSeveral(secret, formerSecret []byte) (*vepauth.Authenticator, error) {
	store, err := redisstore.Open("redis://redis.internal:6379", redisstore.Config{})
	if err != nil {
		return nil, err
	}
	tokens, err := vepauth.NewSignedTokens(vepauth.SignedTokensConfig{Secrets: [][]byte{secret, formerSecret}})
	if err != nil {
		return nil, err
	}
	auth, err := vepauth.New(vepauth.Config{
		Audiences:    []string{"https://rp.example"},
		PublicOrigin: "https://rp.example",
		Tokens:       tokens,
		Nonces:       store,
	})
	if err == nil {
		err = store.Close()
	}
	return auth, err
}

func docsApplications() vepauth.Config {
	config := vepauth.Config{
		Audiences:    []string{"https://rp.example"},
		TokenURL:     "/{application}/{version}/token",
		Applications: map[string][]string{"sync": {"1.1", "1.5"}, "notes": {"2"}},
	}
	return config
}

type staff struct{ *vepauth.SignedTokens }

func (s staff) MakeToken(r *http.Request, g vepauth.Grant) (vepauth.Token, error) {
	if !strings.HasSuffix(g.Result.Email, "@staff.example") {
		return vepauth.Token{}, fmt.Errorf("%w: not a member of staff", vepauth.ErrRefused)
	}
	token, err := s.SignedTokens.MakeToken(r, g)
	token.Extra = map[string]any{"duration": 300}
	return token, err
}

func docsClient(key keys.PrivateKey, certificate string) *http.Client {
	client := &http.Client{Transport: &vepauth.Transport{
		Assertion: func(_ context.Context, audience string) (string, error) {
			return assertion.Sign(assertion.Template{Audience: audience, Expires: time.Now().Add(2 * time.Minute)}, key, certificate)
		},
	}}
	return client
}

func TestDocs(t *testing.T) {
	secret := []byte(strings.Repeat("s", 32))
	if _, err := docsSeveral(secret, secret); err != nil {
		t.Error(err)
	}
	if _, err := vepauth.New(docsProxy()); err != nil {
		t.Error(err)
	}
	applications, err := vepauth.New(docsApplications())
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	applications.Require(nil).ServeHTTP(w, get(rp+"/sync/1.5/x"))
	if got := w.Header().Get("WWW-Authenticate"); got != `OAuth+VEP url="/sync/1.5/token"` {
		t.Errorf("challenge %s", got)
	}
	var _ vepauth.TokenManager = staff{}
	_, _, _ = docsServer, docsSigner, docsClient

	doctest.Snippets(t, "../docs/VEPAUTH.md", "docs_test.go", 5)
}
