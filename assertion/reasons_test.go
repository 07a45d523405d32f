package assertion_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"code.dny.dev/ssrf"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/wellknown"
)

// fakeHosts are the answers of hosts: an error, a status or a body.
type fakeHosts map[string]any

func (w fakeHosts) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := 404, ""
	switch answer := w[r.URL.Hostname()].(type) {
	case error:
		return nil, answer
	case int:
		status = answer
	case string:
		status, body = 200, answer
	}
	return &http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Request: r, ContentLength: int64(len(body)),
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

func (w fakeHosts) source(t *testing.T) assertion.KeySource {
	t.Helper()
	r, err := wellknown.NewResolver(wellknown.Config{InsecureTransport: w, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// hostAnswers returns answers of a host in the verifier's network that a sender must
// not be able to tell apart.
func hostAnswers() map[string]any {
	return map[string]any{
		"no such host":       &net.DNSError{Err: "no such host", Name: "x", IsNotFound: true},
		"connection refused": &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED},
		"not found":          404,
		"redirect":           302,
		"malformed":          "{",
		"disabled":           `{"disabled": true}`,
		"address not public": &net.OpError{Op: "dial", Err: ssrf.ErrProhibitedIP},
		"port not allowed":   &net.OpError{Op: "dial", Err: ssrf.ErrProhibitedPort},
		"too large":          "{" + strings.Repeat(" ", 65<<10) + "}",
	}
}

// TestOneReason checks that a sender cannot tell names of the verifier's own network
// from others. All answers lead to the same reason: of the domain of the email, of a
// host to which it delegates, and of a trusted issuer.
func TestOneReason(t *testing.T) {
	fallback := string(document(idpKey.Public()))
	forged := func(issuer string) spec { return spec{issuer: issuer, issuerKey: otherRSA} }
	for name, c := range map[string]struct {
		config assertion.Config
		spec   spec
		want   string // the reason
	}{
		"no fallback":                 {assertion.Config{}, spec{}, "untrusted issuer: idp.example does not support BrowserID, and there is no fallback"},
		"no fallback, other issuer":   {assertion.Config{}, spec{issuer: "evil.example"}, "untrusted issuer: idp.example does not support BrowserID, and there is no fallback"},
		"not the fallback":            {assertion.Config{Fallback: "fallback.example"}, spec{}, "untrusted issuer, expected 'fallback.example', got 'idp.example'"},
		"forged as of the fallback":   {assertion.Config{Fallback: "fallback.example"}, forged("fallback.example"), "invalid signature"},
		"other key of the fallback":   {assertion.Config{Fallback: "fallback.example"}, spec{issuer: "fallback.example", issuerKey: otherDSA}, "algorithms do not match"},
		"opted out of row 4, forged":  {assertion.Config{Fallback: "fallback.example", InsecureFallbackOnUnavailable: true}, forged("fallback.example"), "invalid signature"},
		"dark fallback":               {assertion.Config{Fallback: "dark.example"}, spec{issuer: "dark.example"}, "undecided, no keys of dark.example: domain is unavailable"},
		"dark fallback, other issuer": {assertion.Config{Fallback: "dark.example"}, spec{}, "undecided, no keys of dark.example: domain is unavailable"},
		"not the bridge":              {assertion.Config{Fallback: "bridging.example"}, spec{}, "untrusted issuer, expected 'bridge.example', got 'idp.example'"},
		"fallback, which bridges":     {assertion.Config{Fallback: "bridging.example"}, spec{issuer: "bridging.example"}, "untrusted issuer, expected 'bridge.example', got 'bridging.example'"},
		"forged as of the bridge":     {assertion.Config{Fallback: "bridging.example"}, forged("bridge.example"), "invalid signature"},
		"trusted issuer":              {assertion.Config{TrustedIssuers: []string{"idp.example"}}, spec{}, "no keys of idp.example: domain does not support BrowserID"},
	} {
		for what, answer := range hostAnswers() {
			for _, hosts := range []fakeHosts{
				{"idp.example": answer},
				{"idp.example": `{"authority": "inner.example"}`, "inner.example": answer},
			} {
				hosts["fallback.example"], hosts["dark.example"] = fallback, 500
				hosts["bridging.example"], hosts["bridge.example"] = `{"authority": "bridge.example"}`, fallback
				c.config.Keys = hosts.source(t)
				_, err := verifier(t, c.config).Verify(context.Background(), c.spec.String(), rp)
				if f := assertion.Failure(err); f == nil || f.Reason != c.want {
					t.Errorf("%s, %s, %d hosts: %v", name, what, len(hosts), err)
				}
			}
		}
	}
}

// TestUnavailableReason checks the same for answers that leave a domain undecided.
func TestUnavailableReason(t *testing.T) {
	for what, answer := range map[string]any{
		"resolution failed": &net.DNSError{Err: "server misbehaving", Name: "x", IsTemporary: true},
		"timed out":         context.DeadlineExceeded,
		"reset":             &net.OpError{Op: "read", Err: syscall.ECONNRESET},
		"error 500":         500,
		"too many requests": 429,
	} {
		for _, hosts := range []fakeHosts{
			{"idp.example": answer},
			{"idp.example": `{"authority": "inner.example"}`, "inner.example": answer},
		} {
			_, err := verifier(t, assertion.Config{Keys: hosts.source(t)}).Verify(context.Background(), spec{}.String(), rp)
			f := assertion.Failure(err)
			if f == nil || !f.Undecided || f.Reason != "undecided, no keys of idp.example: domain is unavailable" {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
}

// TestOneReasonKeepsRow5 checks that a genuine certificate of the fallback, or of its
// delegate, passes for a domain that does not support BrowserID, and not for a domain
// that is refused, and that the error for operators tells why.
func TestOneReasonKeepsRow5(t *testing.T) {
	t.Run("fallback", func(t *testing.T) { testOneReasonKeepsRow5(t, "fallback.example", "fallback.example") })
	t.Run("delegate", func(t *testing.T) { testOneReasonKeepsRow5(t, "bridging.example", "fallback.example") })
}

func testOneReasonKeepsRow5(t *testing.T, fallback, issuer string) {
	refused := map[string]bool{"address not public": true, "port not allowed": true, "too large": true}
	for what, answer := range hostAnswers() {
		for _, delegated := range []bool{false, true} {
			hosts := fakeHosts{"idp.example": answer, "fallback.example": string(document(idpKey.Public())), "bridging.example": `{"authority": "fallback.example"}`}
			if delegated {
				hosts["idp.example"], hosts["inner.example"] = `{"authority": "inner.example"}`, answer
			}
			guard := &countingStore{}
			v := verifier(t, assertion.Config{Keys: hosts.source(t), Fallback: fallback, OneUse: guard})
			for range 3 { // the certificate is cached
				res, err := v.Verify(context.Background(), spec{issuer: issuer}.String(), rp)
				if !delegated && !refused[what] {
					if err != nil || res == nil {
						t.Errorf("%s: %v", what, err)
					}
					continue
				}
				var e *assertion.Error
				var cause *wellknown.LookupError
				if !errors.Is(err, assertion.ErrIssuer) || !errors.As(err, &cause) || !errors.As(err, &e) {
					t.Errorf("%s: %v", what, err)
				} else if !strings.Contains(e.Found, cause.Reason) || !strings.Contains(e.Detail(), cause.Reason) || strings.Contains(e.Reason, cause.Reason) {
					t.Errorf("%s: found %q, detail %q", what, e.Found, e.Detail())
				}
				if guard.n > 0 {
					t.Errorf("%s: counted as a use", what)
				}
			}
		}
	}
}

// countingStore is a one-use store that counts calls.
type countingStore struct {
	n int
}

func (u *countingStore) FirstUse(context.Context, string, time.Time) (bool, error) {
	u.n++
	return true, nil
}

// TestLookupDetail checks that the cause of a failed lookup is in the text for logs.
func TestLookupDetail(t *testing.T) {
	for name, m := range map[string]spec{
		"other issuer": {}, "forged": {issuer: "fallback.example", issuerKey: otherRSA}, "other key": {issuer: "fallback.example", issuerKey: otherDSA},
	} {
		hosts := fakeHosts{"idp.example": &net.OpError{Op: "dial", Err: ssrf.ErrProhibitedIP}, "fallback.example": string(document(idpKey.Public()))}
		v := verifier(t, assertion.Config{Keys: hosts.source(t), Fallback: "fallback.example"})
		_, err := v.Verify(context.Background(), m.String(), rp)
		var e *assertion.Error
		if !errors.As(err, &e) || !errors.Is(err, wellknown.ErrRefused) || !strings.Contains(e.Detail(), "not public") {
			t.Errorf("%s: %v", name, err)
		}
		if logged := slog.Any("error", err).Value.Resolve().String(); logged != e.Detail() {
			t.Errorf("%s: logs %q", name, logged)
		}
	}
}
