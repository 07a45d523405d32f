package vepauth_test

import (
	"bytes"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"code.dny.dev/ssrf"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/vepauth"
	"github.com/vepverify/vepverify/wellknown"
)

// TestRefusalHidesLookup checks that a client cannot find out which names the network of the
// server resolves: the answer to an assertion is the same, whatever its domain resolves to.
// The log has the difference.
func TestRefusalHidesLookup(t *testing.T) {
	const name = "db.internal.example"
	var first answer
	for what, dial := range map[string]error{
		"no such host":  &net.DNSError{Err: "no such host", Name: name, IsNotFound: true},
		"is not public": &net.OpError{Op: "dial", Err: ssrf.ErrProhibitedIP},
	} {
		c, log := newClock(), new(bytes.Buffer)
		keys, err := wellknown.NewResolver(wellknown.Config{Now: c.now, InsecureTransport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, dial })})
		if err != nil {
			t.Fatal(err)
		}
		v, err := assertion.NewVerifier(assertion.Config{Keys: keys, Now: c.now})
		if err != nil {
			t.Fatal(err)
		}
		s := newSite(t, &vepauth.Config{Verifier: v, Now: c.now, Logger: slog.New(slog.NewTextHandler(log, nil))})
		text := idptest.New(name).At(start).Backed("alice@"+name, userKey, rp)
		got := s.do(tokenRequest(endpoint, text))
		if first.header == nil {
			first = got
		}
		if got.status != first.status || got.body != first.body || len(got.header) != len(first.header) {
			t.Errorf("%s: %d %s; another name: %d %s", what, got.status, got.body, first.status, first.body)
		}
		if !strings.Contains(log.String(), what) || strings.Contains(got.body, what) {
			t.Errorf("%s: %s; log %s", what, got.body, log)
		}
		if strings.Contains(log.String(), "alice@") || strings.Contains(log.String(), text[:40]) {
			t.Errorf("%s: log %s", what, log)
		}
	}
}
