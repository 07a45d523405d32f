package vepauth_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/redisstore"
	"github.com/vepverify/vepverify/vepauth"
	"github.com/vepverify/vepverify/wellknown"
)

// A server with a public page that greets signers by their address, and a page for signers
// only.
func ExampleNew() {
	auth, err := vepauth.New(vepauth.Config{Audiences: []string{"https://rp.example"}})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/hello", func(w http.ResponseWriter, r *http.Request) {
		if signer, ok := vepauth.FromContext(r.Context()); ok {
			fmt.Fprintln(w, "hello,", signer.Email)
			return
		}
		fmt.Fprintln(w, "hello, stranger")
	})
	mux.Handle("/data", auth.Require(http.FileServer(http.Dir("data"))))

	server := httptest.NewServer(auth.Handler(mux)) // in production http.ListenAndServeTLS
	defer server.Close()

	for _, path := range []string{"/hello", "/data"} {
		response, err := http.Get(server.URL + path)
		if err != nil {
			log.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		fmt.Println(response.StatusCode, response.Header.Get("WWW-Authenticate"), strings.TrimSpace(string(body)))
	}
	// Output:
	// 200  hello, stranger
	// 401 OAuth+VEP url="/request_token" {"status":"failure","reason":"authentication required"}
}

// The whole exchange, step by step. Transport does the same.
func ExampleSign() {
	origin, stop := exampleServer()
	defer stop()

	// The challenge names the token endpoint.
	response, err := http.Get(origin + "/data")
	if err != nil {
		log.Fatal(err)
	}
	response.Body.Close()
	fmt.Println(response.Status, response.Header.Get("WWW-Authenticate"))

	// The token endpoint exchanges an assertion for credentials.
	response, err = http.PostForm(origin+"/request_token", url.Values{"assertion": {exampleAssertion(origin)}})
	if err != nil {
		log.Fatal(err)
	}
	var token struct {
		Key    string `json:"oauth_consumer_key"`
		Secret string `json:"oauth_consumer_secret"`
	}
	if err := json.NewDecoder(response.Body).Decode(&token); err != nil {
		log.Fatal(err)
	}
	response.Body.Close()
	fmt.Println(response.Status)

	// Each request is signed.
	request, err := http.NewRequest("GET", origin+"/data?a=b", nil)
	if err != nil {
		log.Fatal(err)
	}
	if err := vepauth.Sign(request, vepauth.Credentials{ID: token.Key, Secret: token.Secret}); err != nil {
		log.Fatal(err)
	}
	response, err = http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	body, _ := io.ReadAll(response.Body)
	response.Body.Close()
	fmt.Println(response.Status, string(body))
	// Output:
	// 401 Unauthorized OAuth+VEP url="/request_token"
	// 200 OK
	// 200 OK only for alice@idp.example
}

// staffOnly refuses addresses of other domains, and tells clients how long their token is
// valid.
type staffOnly struct{ *vepauth.SignedTokens }

func (s staffOnly) MakeToken(r *http.Request, g vepauth.Grant) (vepauth.Token, error) {
	if !strings.HasSuffix(g.Result.Email, "@staff.example") {
		return vepauth.Token{}, fmt.Errorf("%w: not a member of staff", vepauth.ErrRefused)
	}
	token, err := s.SignedTokens.MakeToken(r, g)
	token.Extra = map[string]any{"duration": 300}
	return token, err
}

// A TokenManager that issues tokens only to some identities.
func ExampleTokenManager() {
	tokens, err := vepauth.NewSignedTokens(vepauth.SignedTokensConfig{})
	if err != nil {
		log.Fatal(err)
	}
	for _, email := range []string{"bob@staff.example", "alice@idp.example"} {
		token, err := staffOnly{tokens}.MakeToken(nil, vepauth.Grant{Result: &assertion.Result{Email: email}})
		fmt.Println(token.Extra, err)
	}
	// Output:
	// map[duration:300] <nil>
	// map[] refused: not a member of staff
}

// Several servers with one name, each with two applications.
func ExampleConfig() {
	store, err := redisstore.Open("redis://redis.internal:6379", redisstore.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	tokens, err := vepauth.NewSignedTokens(vepauth.SignedTokensConfig{
		Secrets: [][]byte{[]byte("this year's, 32 random bytes ..."), []byte("last year's, 32 random bytes ...")},
	})
	if err != nil {
		log.Fatal(err)
	}
	auth, err := vepauth.New(vepauth.Config{
		Audiences:    []string{"https://rp.example"},
		PublicOrigin: "https://rp.example",
		Tokens:       tokens,
		Nonces:       store,
		TokenURL:     "/{application}/{version}/token",
		Applications: map[string][]string{"sync": {"1.1", "1.5"}, "notes": {"2"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	w := httptest.NewRecorder()
	auth.Require(nil).ServeHTTP(w, httptest.NewRequest("GET", "/sync/1.5/bookmarks", nil))
	fmt.Println(w.Code, w.Header().Get("WWW-Authenticate"))
	// Output: 401 OAuth+VEP url="/sync/1.5/token"
}

// exampleServer starts a server for the users of idp.example.
func exampleServer() (origin string, stop func()) {
	keys, err := wellknown.NewStatic(map[string]json.RawMessage{"idp.example": idptest.New("idp.example").Document().JSON()})
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := assertion.NewVerifier(assertion.Config{Keys: keys})
	if err != nil {
		log.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	origin = "http://" + server.Listener.Addr().String()
	auth, err := vepauth.New(vepauth.Config{Audiences: []string{origin}, Verifier: verifier})
	if err != nil {
		log.Fatal(err)
	}
	server.Config.Handler = auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signer, _ := vepauth.FromContext(r.Context())
		fmt.Fprint(w, "only for ", signer.Email)
	}))
	server.Start()
	return origin, server.Close
}

// exampleAssertion returns an assertion as a user agent would make it.
func exampleAssertion(origin string) string {
	return idptest.New("idp.example").Backed("alice@idp.example", idptest.Key("DS128"), origin)
}

// A client that signs in with a key that the user's domain has certified.
func ExampleTransport() {
	origin, stop := exampleServer()
	defer stop()
	key := idptest.Key("DS128")
	certificate, err := idptest.New("idp.example").Certificate("ada@idp.example", key.Public()).Encode()
	if err != nil {
		log.Fatal(err)
	}

	client := &http.Client{Transport: &vepauth.Transport{
		Assertion: func(_ context.Context, audience string) (string, error) {
			return assertion.Sign(assertion.Template{Audience: audience, Expires: time.Now().Add(2 * time.Minute)}, key, certificate)
		},
	}}
	for _, path := range []string{"/data", "/more?a=b"} {
		response, err := client.Get(origin + path)
		if err != nil {
			log.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		fmt.Println(response.Status, string(body))
	}
	// Output:
	// 200 OK only for ada@idp.example
	// 200 OK only for ada@idp.example
}
