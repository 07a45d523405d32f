package discovery_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/evp/internal/discovery"
	"github.com/vepverify/vepverify/internal/hosttest"
)

// TestConfig checks that an error begins with the field that it is about.
func TestConfig(t *testing.T) {
	transport := roundTripper(nil)
	dial := func(context.Context, string, string) (net.Conn, error) { return nil, nil }
	for field, c := range map[string]discovery.Config{
		"Timeout":             {Timeout: -1},
		"Timeout: 6m":         {Timeout: 6 * time.Minute},
		"MaxEntries":          {MaxEntries: -1},
		"MaxBytes":            {MaxBytes: 1},
		"MaxFetches":          {MaxFetches: -1},
		"CAFile, RootCAs":     {CAFile: "x", RootCAs: hosttest.TrustedCA().Pool()},
		"CAFile":              {CAFile: "testdata/none.pem"},
		"Proxy":               {Proxy: "ftp://proxy.example"},
		"InsecureTransport":   {InsecureTransport: transport, Proxy: "http://proxy.example:1"},
		"InsecureDialContext": {InsecureDialContext: dial, Proxy: "http://proxy.example:1"},
	} {
		n, err := discovery.NewNetwork(c)
		if n != nil || err == nil || !strings.HasPrefix(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	for name, c := range map[string]discovery.Config{
		"zero":                    {},
		"resolver, no network":    {Resolver: &net.Resolver{}, InsecureTransport: transport},
		"resolver, dial function": {Resolver: &net.Resolver{}, InsecureDialContext: dial},
		"resolver, proxy":         {Resolver: &net.Resolver{}, Proxy: "socks5://proxy.example"},
	} {
		if _, err := discovery.NewNetwork(c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// BenchmarkCached measures a lookup that the cache answers.
func BenchmarkCached(b *testing.B) {
	n, s := newInternet(b), newSite()
	n.Serve(issuer, s.ServeHTTP)
	source := open(b, n.config())
	b.ReportAllocs()
	for b.Loop() {
		host, err := source.Issuer(b.Context(), mail)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := source.Keys(b.Context(), host, mail, false); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLargest measures parsing a key set of as many large keys as possible.
func BenchmarkLargest(b *testing.B) {
	keys := make([]string, 64)
	for i := range keys {
		keys[i] = rsaKey(4096, int64(i))
	}
	text := []byte(keySet(keys...))
	for b.Loop() {
		if _, err := discovery.ParseEntries(text); err != nil {
			b.Fatal(err)
		}
	}
}
