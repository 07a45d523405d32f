package discovery_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/vepverify/vepverify/evp/internal/discovery"
)

// TestHooks checks that the hooks are called for lookups that wait, and Done for all.
func TestHooks(t *testing.T) {
	n, s := newInternet(t), newSite()
	s.set(metadataPath, answer{body: metadata(jwksURL), media: "application/json"})
	s.set("/jwks", answer{body: keySet(ed25519Key), media: "application/json"})
	n.Serve(issuer, s.ServeHTTP)
	source := open(t, n.config())
	var calls []string
	ctx := discovery.WithHooks(t.Context(), &discovery.Hooks{
		Wait:   func(context.Context) error { calls = append(calls, "wait"); return nil },
		Waited: func() { calls = append(calls, "waited") },
		Done:   func(cached bool, err error) { calls = append(calls, fmt.Sprint("done ", cached, err)) },
	})
	for range 2 {
		if _, err := source.Issuer(ctx, mail); err != nil {
			t.Fatal(err)
		}
		if _, err := source.Keys(ctx, issuer, mail, false); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"wait", "waited", "done false <nil>", "wait", "waited", "done false <nil>", "done true <nil>", "done true <nil>",
	}
	if !slices.Equal(calls, want) {
		t.Errorf("%q, want %q", calls, want)
	}
}

// TestHookErrors checks that an error of Wait or Load makes a lookup unavailable, and is its
// cause.
func TestHookErrors(t *testing.T) {
	full := errors.New("full")
	n, s := newInternet(t), newSite()
	s.set(metadataPath, answer{body: metadata(jwksURL), media: "application/json"})
	n.Serve(issuer, s.ServeHTTP)
	for name, h := range map[string]*discovery.Hooks{
		"Wait": {Wait: func(context.Context) error { return full }},
		"Load": {Load: func(context.Context) (func(), error) { return nil, full }},
	} {
		ctx := discovery.WithHooks(t.Context(), h)
		source := open(t, n.config())
		if name == "Wait" {
			_, err := source.Issuer(ctx, mail)
			checkError(t, name, err, discovery.Unavailable, "8.unavailable")
			if !errors.Is(err, full) {
				t.Errorf("%s: the cause of %v is lost", name, err)
			}
		}
		_, err := source.Keys(ctx, issuer, mail, false)
		checkError(t, name, err, discovery.Unavailable, "9.unavailable")
		if !errors.Is(err, full) {
			t.Errorf("%s: the cause of %v is lost", name, err)
		}
	}
}
