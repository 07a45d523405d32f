package verifyapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/signal"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/evp/evptest"
	"github.com/vepverify/vepverify/verifyapi"
	"github.com/vepverify/vepverify/wellknown"
)

// The API below a path of a server with other handlers.
func ExampleNew() {
	idp := idptest.New("idp.example") // in production, omit Keys: documents are fetched
	documents, err := wellknown.NewStatic(map[string]json.RawMessage{idp.Domain: idp.Document().JSON()})
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := assertion.NewVerifier(assertion.Config{Keys: documents})
	if err != nil {
		log.Fatal(err)
	}
	h, err := verifyapi.New(verifyapi.Config{Verifier: verifier})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/verifier/", http.StripPrefix("/verifier", h))
	server := httptest.NewServer(mux)
	defer server.Close()

	for _, text := range []string{idp.Backed("alice@idp.example", idptest.Key("DS128"), "https://rp.example"), "bogus"} {
		resp, err := http.PostForm(server.URL+"/verifier/verify", url.Values{"assertion": {text}, "audience": {"https://rp.example"}})
		if err != nil {
			log.Fatal(err)
		}
		defer resp.Body.Close()
		var answer struct{ Status, Email, Reason string }
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
			log.Fatal(err)
		}
		fmt.Println(resp.StatusCode, answer.Status+":", answer.Email+answer.Reason)
	}
	// Output:
	// 200 okay: alice@idp.example
	// 200 failure: no certificates provided
}

// POST /evp, for tokens of the Email Verification Protocol.
func ExampleConfig_tokens() {
	world := evptest.New() // in production, evp.NewVerifier with a configuration
	verifier, err := assertion.NewVerifier(assertion.Config{})
	if err != nil {
		log.Fatal(err)
	}
	h, err := verifyapi.New(verifyapi.Config{Verifier: verifier, Tokens: world.Verifier("https://rp.example")})
	if err != nil {
		log.Fatal(err)
	}
	server := httptest.NewServer(h)
	defer server.Close()

	token := world.Token(evptest.Request{Email: "alice@mail.example", Origin: "https://rp.example", Nonce: "n-1"})
	for _, nonce := range []string{"n-1", "n-2"} {
		resp, err := http.PostForm(server.URL+"/evp", url.Values{
			"token": {token}, "audience": {"https://rp.example"}, "nonce": {nonce}, "email": {"alice@mail.example"},
		})
		if err != nil {
			log.Fatal(err)
		}
		defer resp.Body.Close()
		var answer struct{ Status, Email, Reason string }
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
			log.Fatal(err)
		}
		fmt.Println(resp.StatusCode, answer.Status+":", answer.Email+answer.Reason)
	}
	// Output:
	// 200 okay: alice@mail.example
	// 200 failure: nonce mismatch
}

// A server for the API alone, with logs, metrics at an address of their own, and a
// graceful shutdown.
func ExampleHandler_Server() {
	verifier, err := assertion.NewVerifier(assertion.Config{})
	if err != nil {
		log.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	metrics, err := verifyapi.NewMetrics(registry)
	if err != nil {
		log.Fatal(err)
	}
	logger := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	h, err := verifyapi.New(verifyapi.Config{Verifier: verifier, Logger: logger, Metrics: metrics})
	if err != nil {
		log.Fatal(err)
	}
	go http.ListenAndServe("127.0.0.1:9090", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))

	server := h.Server()
	server.Addr = "127.0.0.1:8080"
	stop, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	context.AfterFunc(stop, func() {
		timeout, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		server.Shutdown(timeout)
	})
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		log.Fatal(err)
	}
}
