package assertion_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"code.dny.dev/ssrf"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/wellknown"
)

// mapSource is a KeySource with answers by host. Hosts without an answer do not
// support BrowserID.
type mapSource map[string]any

func (s mapSource) Authority(_ context.Context, host, _ string) (*wellknown.Authority, error) {
	switch answer := s[host].(type) {
	case error:
		return nil, answer
	case *wellknown.Authority:
		return answer, nil
	}
	return nil, wellknown.ErrUnsupported
}

// TestRows checks the rows of PROTOCOL §4: for the answers of the hosts and the
// issuer of the certificate, the outcome.
func TestRows(t *testing.T) {
	own := authority("idp.example", idpKey.Public())
	fallback := authority("fallback.example", idpKey.Public())
	refused := errors.New("refused by policy")
	outage := wellknown.ErrUnavailable
	for _, c := range []struct {
		name   string
		issuer string
		hosts  mapSource
		config assertion.Config
		want   error
		reason string
	}{
		{"row 1: trusted", "t.example", mapSource{"t.example": authority("t.example", idpKey.Public()), "idp.example": own},
			assertion.Config{TrustedIssuers: []string{"t.example"}}, nil, ""},
		{"row 1: trusted, delegating", "t.example", mapSource{"t.example": authority("d.example", idpKey.Public())},
			assertion.Config{TrustedIssuers: []string{"t.example"}}, nil, ""},
		{"row 1: trusted, unsupported", "t.example", mapSource{"idp.example": own, "fallback.example": fallback},
			assertion.Config{TrustedIssuers: []string{"t.example"}, Fallback: "fallback.example"}, assertion.ErrIssuer, ""},
		{"row 1: trusted, unavailable", "t.example", mapSource{"t.example": outage},
			assertion.Config{TrustedIssuers: []string{"t.example"}}, assertion.ErrUndecided, ""},
		{"row 1: trusted, incomplete", "t.example", mapSource{"t.example": incomplete("t.example")},
			assertion.Config{TrustedIssuers: []string{"t.example"}}, assertion.ErrIssuer, ""},
		{"row 2: itself", "idp.example", mapSource{"idp.example": own}, assertion.Config{}, nil, ""},
		{"row 2: by delegation", "d.example", mapSource{"idp.example": authority("d.example", idpKey.Public())}, assertion.Config{}, nil, ""},
		{"row 2: another", "evil.example", mapSource{"idp.example": own, "evil.example": authority("evil.example", idpKey.Public())},
			assertion.Config{}, assertion.ErrIssuer, "untrusted issuer, expected 'idp.example', got 'evil.example'"},
		{"row 2: itself although it delegates", "idp.example", mapSource{"idp.example": authority("d.example", idpKey.Public())},
			assertion.Config{}, assertion.ErrIssuer, "untrusted issuer, expected 'd.example', got 'idp.example'"},
		{"row 2: the fallback", "fallback.example", mapSource{"idp.example": own, "fallback.example": fallback},
			assertion.Config{Fallback: "fallback.example"}, assertion.ErrIssuer, "untrusted issuer, expected 'idp.example', got 'fallback.example'"},
		{"row 2: no usable key", "idp.example", mapSource{"idp.example": authority("idp.example"), "fallback.example": fallback},
			assertion.Config{Fallback: "fallback.example"}, assertion.ErrAlgorithm, "algorithms do not match"},
		{"row 3: no fallback", "idp.example", mapSource{}, assertion.Config{}, assertion.ErrIssuer, ""},
		{"row 3: the fallback", "fallback.example", mapSource{"fallback.example": fallback}, assertion.Config{Fallback: "Fallback.example"}, nil, ""},
		{"row 3: the fallback, incomplete", "fallback.example", mapSource{"fallback.example": incomplete("fallback.example")},
			assertion.Config{Fallback: "fallback.example"}, nil, ""},
		{"row 3: itself, incomplete", "idp.example", mapSource{"idp.example": incomplete("idp.example")}, assertion.Config{}, assertion.ErrIssuer, ""},
		{"row 3: not the fallback", "idp.example", mapSource{"fallback.example": fallback},
			assertion.Config{Fallback: "fallback.example"}, assertion.ErrIssuer, "untrusted issuer, expected 'fallback.example', got 'idp.example'"},
		{"row 3: the fallback is unavailable", "fallback.example", mapSource{"fallback.example": outage},
			assertion.Config{Fallback: "fallback.example"}, assertion.ErrUndecided, ""},
		{"row 3: the fallback is unsupported", "fallback.example", mapSource{}, assertion.Config{Fallback: "fallback.example"}, assertion.ErrIssuer, ""},
		{"row 3: the fallback's delegate", "d.example", mapSource{"fallback.example": authority("d.example", idpKey.Public())},
			assertion.Config{Fallback: "fallback.example"}, nil, ""},
		{"row 3: the fallback, which delegates", "fallback.example", mapSource{"fallback.example": authority("d.example", idpKey.Public())},
			assertion.Config{Fallback: "fallback.example"}, assertion.ErrIssuer, "untrusted issuer, expected 'd.example', got 'fallback.example'"},
		{"row 3: not the fallback's delegate", "other.example", mapSource{"fallback.example": authority("d.example", idpKey.Public())},
			assertion.Config{Fallback: "fallback.example"}, assertion.ErrIssuer, "untrusted issuer, expected 'd.example', got 'other.example'"},
		{"row 3: the fallback's delegate is incomplete", "d.example", mapSource{"fallback.example": incomplete("d.example")},
			assertion.Config{Fallback: "fallback.example"}, assertion.ErrIssuer, ""},
		{"row 3: the fallback's delegate is unavailable", "d.example", mapSource{"fallback.example": outage},
			assertion.Config{Fallback: "fallback.example"}, assertion.ErrUndecided, ""},
		{"row 3: the fallback's delegation leads nowhere", "d.example", mapSource{"fallback.example": refused},
			assertion.Config{Fallback: "fallback.example"}, assertion.ErrIssuer, ""},
		{"row 3: not the fallback, which is unavailable", "other.example", mapSource{"fallback.example": outage},
			assertion.Config{Fallback: "fallback.example"}, assertion.ErrUndecided, ""},
		{"row 3: not the fallback, which is unsupported", "other.example", mapSource{},
			assertion.Config{Fallback: "fallback.example"}, assertion.ErrIssuer, "untrusted issuer, expected 'fallback.example', got 'other.example'"},
		{"row 3: the fallback's delegate for a domain that delegates to the fallback", "d.example", mapSource{"idp.example": authority("d.example", idpKey.Public())},
			assertion.Config{Fallback: "fallback.example"}, nil, ""},
		{"row 4: unavailable, the fallback's delegate", "d.example", mapSource{"idp.example": outage, "fallback.example": authority("d.example", idpKey.Public())},
			assertion.Config{Fallback: "fallback.example"}, assertion.ErrUndecided, ""},
		{"row 4: opted out, the fallback's delegate", "d.example", mapSource{"idp.example": outage, "fallback.example": authority("d.example", idpKey.Public())},
			assertion.Config{Fallback: "fallback.example", InsecureFallbackOnUnavailable: true}, nil, ""},
		{"row 5: refused, the fallback's delegate", "d.example", mapSource{"idp.example": refused, "fallback.example": authority("d.example", idpKey.Public())},
			assertion.Config{Fallback: "fallback.example"}, assertion.ErrIssuer, ""},
		{"row 4: unavailable", "fallback.example", mapSource{"idp.example": outage, "fallback.example": fallback},
			assertion.Config{Fallback: "fallback.example"}, assertion.ErrUndecided, ""},
		{"row 4: out of time", "fallback.example", mapSource{"idp.example": context.DeadlineExceeded, "fallback.example": fallback},
			assertion.Config{Fallback: "fallback.example"}, assertion.ErrUndecided, ""},
		{"row 4: opted out", "fallback.example", mapSource{"idp.example": outage, "fallback.example": fallback},
			assertion.Config{Fallback: "fallback.example", InsecureFallbackOnUnavailable: true}, nil, ""},
		{"row 4: opted out, not the fallback", "idp.example", mapSource{"idp.example": outage},
			assertion.Config{Fallback: "fallback.example", InsecureFallbackOnUnavailable: true}, assertion.ErrIssuer,
			"untrusted issuer, expected 'fallback.example', got 'idp.example'"},
		{"row 5: refused", "fallback.example", mapSource{"idp.example": refused, "fallback.example": fallback},
			assertion.Config{Fallback: "fallback.example"}, assertion.ErrIssuer, ""},
		{"row 5: refused, opted out of row 4", "fallback.example", mapSource{"idp.example": refused, "fallback.example": fallback},
			assertion.Config{Fallback: "fallback.example", InsecureFallbackOnUnavailable: true}, assertion.ErrIssuer, ""},
		{"weak keys", "idp.example", mapSource{"idp.example": &wellknown.Authority{Domain: "idp.example", WeakKeys: []keys.PublicKey{weakRSA.Public()}}},
			assertion.Config{}, assertion.ErrAlgorithm, "algorithms do not match"},
		{"weak keys, allowed", "idp.example", mapSource{"idp.example": &wellknown.Authority{Domain: "idp.example", WeakKeys: []keys.PublicKey{idpKey.Public()}}},
			assertion.Config{InsecureWeakKeys: true}, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.config.Keys = c.hosts
			res, err := verifier(t, c.config).Verify(context.Background(), spec{issuer: c.issuer}.String(), rp)
			if !errors.Is(err, c.want) || (res == nil) != (c.want != nil) {
				t.Fatalf("%+v, %v; want %v", res, err, c.want)
			}
			if err != nil {
				checkAdvice(t, c.name, err)
			}
			if c.reason != "" && assertion.Failure(err).Reason != c.reason {
				t.Errorf("reason %q, want %q", err, c.reason)
			}
			if res != nil && res.Issuer != c.issuer {
				t.Errorf("issuer %q", res.Issuer)
			}
		})
	}
}

// TestLookupAdvice checks that the error about a failed lookup has the advice and the
// setting of the lookup's error.
func TestLookupAdvice(t *testing.T) {
	certificate := &tls.CertificateVerificationError{UnverifiedCertificates: []*x509.Certificate{{RawIssuer: []byte("CA")}}, Err: x509.UnknownAuthorityError{}}
	noHost, private := &net.DNSError{IsNotFound: true}, &net.OpError{Op: "dial", Err: ssrf.ErrProhibitedIP}
	fallback := string(document(idpKey.Public()))
	for name, c := range map[string]struct {
		answer          any // of idp.example
		fallback        any // of fallback.example; nil means none is configured
		issuer          string
		want            error
		advice, setting string
	}{
		"redirect":                    {301, nil, "", assertion.ErrIssuer, "no redirects are followed", "Fallback"},
		"redirect, and a fallback":    {301, fallback, "", assertion.ErrIssuer, "no redirects are followed", ""},
		"no such host":                {noHost, nil, "", assertion.ErrIssuer, "check the spelling of the domain, and its DNS records; if another", "Fallback"},
		"no such host, and fallback":  {noHost, fallback, "", assertion.ErrIssuer, "check the spelling", ""},
		"no such host, other issuer":  {noHost, fallback, "other.example", assertion.ErrIssuer, "only fallback.example may speak", "TrustedIssuers"},
		"not found":                   {404, nil, "", assertion.ErrIssuer, "as application/json", "Fallback"},
		"unknown authority":           {certificate, nil, "", assertion.ErrUndecided, "name its authority in the file", "CAFile"},
		"unknown authority, fallback": {noHost, certificate, "fallback.example", assertion.ErrUndecided, "name its authority in the file", "CAFile"},
		"time-out":                    {context.DeadlineExceeded, nil, "", assertion.ErrUndecided, "allow more time", "Timeout"},
		"server error":                {503, nil, "", assertion.ErrUndecided, "try again later", "Keys"},
		"private address":             {private, nil, "", assertion.ErrIssuer, "only in development", "InsecureAllowPrivate"},
		"private address, fallback":   {private, fallback, "fallback.example", assertion.ErrIssuer, "only in development", "InsecureAllowPrivate"},
	} {
		hosts := fakeHosts{"idp.example": c.answer}
		config := assertion.Config{}
		if c.fallback != nil {
			hosts["fallback.example"], config.Fallback = c.fallback, "fallback.example"
		}
		config.Keys = hosts.source(t)
		_, err := verifier(t, config).Verify(t.Context(), spec{issuer: c.issuer}.String(), rp)
		var e *assertion.Error
		if !errors.Is(err, c.want) || !errors.As(err, &e) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
			continue
		}
		if !strings.Contains(e.Advice, c.advice) || e.Setting != c.setting {
			t.Errorf("%s: advice %q, setting %q; want %q, %q", name, e.Advice, e.Setting, c.advice, c.setting)
		}
	}
}

// bridgedHosts serves a fallback over TLS that delegates the emails of idp.example to
// bridge.example, and speaks for all others itself. No other host exists.
func bridgedHosts(t *testing.T) *idptest.Server {
	server := idptest.NewServer(idptest.New("bridge.example", idpKey).At(now))
	t.Cleanup(server.Close)
	server.Set("fallback.example", idptest.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Query().Get("domain") == "idp.example" {
			w.Write([]byte(`{"authority":"bridge.example"}`))
			return
		}
		w.Write(document(otherRSA.Public()))
	})))
	return server
}

// TestBridged checks a fallback that delegates one email domain and speaks for others
// itself: over the network, and from a bundle of what the resolver fetched.
func TestBridged(t *testing.T) {
	server := bridgedHosts(t)
	online := server.Resolver()
	var saved bytes.Buffer
	err := online.Save(t.Context(), &saved, "idp.example", "user.example", "fallback.example", "fallback.example?domain=idp.example")
	if err != nil {
		t.Fatal(err)
	}
	offline, err := wellknown.ParseStatic(saved.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	bridged := spec{issuer: "bridge.example"}
	byFallback := spec{issuer: "fallback.example", issuerKey: otherRSA, email: "bob@user.example"}
	for name, source := range map[string]assertion.KeySource{"online": online, "offline": offline} {
		for _, c := range []struct {
			spec   spec
			want   error
			reason string
		}{
			{bridged, nil, ""},
			{byFallback, nil, ""},
			{spec{issuer: "bridge.example", email: "bob@user.example"}, assertion.ErrIssuer, "untrusted issuer, expected 'fallback.example', got 'bridge.example'"},
			{spec{issuer: "fallback.example", issuerKey: otherRSA}, assertion.ErrIssuer, "untrusted issuer, expected 'bridge.example', got 'fallback.example'"},
			{spec{issuer: "bridge.example", issuerKey: otherRSA}, assertion.ErrSignature, "invalid signature"},
		} {
			res, err := verifier(t, assertion.Config{Keys: source, Fallback: "fallback.example"}).Verify(t.Context(), c.spec.String(), rp)
			if !errors.Is(err, c.want) || err != nil && assertion.Failure(err).Reason != c.reason {
				t.Errorf("%s, %+v: %v, want %v", name, c.spec, err, c.reason)
			}
			if res != nil && res.Issuer != c.spec.issuer {
				t.Errorf("%s: issuer %q", name, res.Issuer)
			}
		}
	}
	for _, host := range []string{"fallback.example", "bridge.example"} {
		for _, r := range server.Requests(host) {
			if r.Domain != "idp.example" && r.Domain != "user.example" && r.Domain != host {
				t.Errorf("%s is asked for %s", host, r.Domain)
			}
		}
	}
}

// TestBridgedRefresh checks that new keys of the delegate are fetched, and that a
// delegation that has ended since is noticed.
func TestBridgedRefresh(t *testing.T) {
	old := authority("bridge.example", otherRSA.Public())
	renewed := authority("bridge.example", idpKey.Public())
	renewed.Fetched = now.Add(time.Second)
	ended := authority("fallback.example", idpKey.Public())
	ended.Fetched = now.Add(time.Second)
	for name, c := range map[string]struct {
		fresh *wellknown.Authority
		want  error
	}{"new keys": {renewed, nil}, "nothing newer": {old, assertion.ErrSignature}, "no delegation": {ended, assertion.ErrIssuer}} {
		source := &refreshingFallback{KeySource: mapSource{"fallback.example": old}, fresh: mapSource{"fallback.example": c.fresh}}
		_, err := verifier(t, assertion.Config{Keys: source, Fallback: "fallback.example"}).Verify(t.Context(), spec{issuer: "bridge.example"}.String(), rp)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// refreshingFallback is a Refresher with other answers after a refresh.
type refreshingFallback struct {
	assertion.KeySource
	fresh mapSource
}

func (r *refreshingFallback) Refresh(ctx context.Context, host, emailDomain string) (*wellknown.Authority, error) {
	return r.fresh.Authority(ctx, host, emailDomain)
}

// refreshingSource is a Refresher.
type refreshingSource struct {
	cached, fresh *wellknown.Authority
	err           error
	refreshed     int
}

func (r *refreshingSource) Authority(context.Context, string, string) (*wellknown.Authority, error) {
	return r.cached, nil
}

func (r *refreshingSource) Refresh(context.Context, string, string) (*wellknown.Authority, error) {
	r.refreshed++
	return r.fresh, r.err
}

func TestRefresh(t *testing.T) {
	old := authority("idp.example", otherDSA.Public())
	renewed := authority("idp.example", idpKey.Public())
	renewed.Fetched = now.Add(time.Second)
	moved := authority("d.example", idpKey.Public())
	moved.Fetched = now.Add(time.Second)
	for _, c := range []struct {
		name      string
		source    refreshingSource
		want      error
		refreshed int
	}{
		{"a key that fits", refreshingSource{cached: authority("idp.example", idpKey.Public())}, nil, 0},
		{"new keys", refreshingSource{cached: old, fresh: renewed}, nil, 1},
		{"nothing newer", refreshingSource{cached: old, fresh: old}, assertion.ErrAlgorithm, 1},
		{"newer, and no better", refreshingSource{cached: old, fresh: &wellknown.Authority{Domain: "idp.example", Fetched: now.Add(1)}}, assertion.ErrAlgorithm, 1},
		{"delegated away since", refreshingSource{cached: old, fresh: moved}, assertion.ErrIssuer, 1},
		{"unavailable now", refreshingSource{cached: old, err: wellknown.ErrUnavailable}, assertion.ErrUndecided, 1},
		{"given up since", refreshingSource{cached: old, err: wellknown.ErrUnsupported}, assertion.ErrIssuer, 1},
	} {
		_, err := verifier(t, assertion.Config{Keys: &c.source}).Verify(context.Background(), spec{}.String(), rp)
		if !errors.Is(err, c.want) || c.source.refreshed != c.refreshed {
			t.Errorf("%s: %v after %d refreshes; want %v after %d", c.name, err, c.source.refreshed, c.want, c.refreshed)
		}
	}
}

func TestTrustedWithoutEmail(t *testing.T) {
	source := &recordingSource{KeySource: static(t, nil)}
	v := verifier(t, assertion.Config{Keys: source, TrustedIssuers: []string{"idp.example"}})
	a := spec{cert: map[string]any{"principal": nil}}.String()
	res, err := v.Verify(context.Background(), a, rp)
	if err != nil {
		t.Fatal(err)
	}
	if res.Email != "" || len(source.asked) != 1 || source.asked[0] != "idp.example idp.example" {
		t.Errorf("%+v, asked %q", res, source.asked)
	}
	var members map[string]any
	data, _ := json.Marshal(res)
	if err := json.Unmarshal(data, &members); err != nil {
		t.Fatal(err)
	}
	if _, found := members["email"]; found {
		t.Errorf("an email in %s", data)
	}
}

// TestOneFetch checks that 10 000 concurrent verifications that name one unknown
// domain fetch its document once.
func TestOneFetch(t *testing.T) {
	idp := idptest.New("idp.example", idpKey, idpDSA).At(now)
	server := idptest.NewServer(idp)
	defer server.Close()
	config := server.Config()
	config.Timeout = 5 * time.Minute // also on a machine that is slow with 10 000 verifications
	resolver, err := wellknown.NewResolver(config)
	if err != nil {
		t.Fatal(err)
	}
	v := verifier(t, assertion.Config{Keys: resolver})
	a := spec{}.String()
	start := make(chan struct{})
	var wg sync.WaitGroup
	for range 10_000 {
		wg.Go(func() {
			<-start
			if _, err := v.Verify(context.Background(), a, rp); err != nil {
				t.Error(err)
			}
		})
	}
	close(start)
	wg.Wait()
	if n := len(server.Requests("idp.example")); n != 1 {
		t.Errorf("%d fetches", n)
	}
}

// countingKey is a key that counts how often it is tried.
type countingKey struct {
	keys.PublicKey
	tried *atomic.Int32
}

func (c *countingKey) Verify(message, signature []byte) error {
	c.tried.Add(1)
	return c.PublicKey.Verify(message, signature)
}

// countingKeys returns n copies of a key, and a count of how often any was tried.
func countingKeys(n int, key keys.PublicKey) ([]keys.PublicKey, *atomic.Int32) {
	tried := new(atomic.Int32)
	list := make([]keys.PublicKey, n)
	for i := range list {
		list[i] = &countingKey{key, tried}
	}
	return list, tried
}

// TestCandidates checks that at most four keys of the certificate's algorithm are
// tried, with and without a cache.
func TestCandidates(t *testing.T) {
	for _, c := range []struct {
		before int // keys of the algorithm published before the one that signs
		okay   bool
		tried  int32
	}{{0, true, 0}, {3, true, 3}, {4, false, 4}, {16, false, 4}} {
		for _, cache := range []int{0, -1} {
			others, tried := countingKeys(c.before, otherRSA.Public())
			published := append([]keys.PublicKey{idpDSA.Public(), otherDSA.Public(), otherDS256.Public(), userDSA.Public()}, others...)
			source := &variableSource{authority("idp.example", append(published, idpKey.Public())...)}
			v := verifier(t, assertion.Config{Keys: source, CertificateCache: cache})
			_, err := v.Verify(context.Background(), spec{}.String(), rp)
			if (err == nil) != c.okay || err != nil && !errors.Is(err, assertion.ErrSignature) || tried.Load() != c.tried {
				t.Errorf("%d before, cache %d: %d tried, %v", c.before, cache, tried.Load(), err)
			}
			var e *assertion.Error
			if errors.As(err, &e) && (e.Reason != "invalid signature" || !strings.Contains(e.Found, "the first 4 were tried")) {
				t.Errorf("%d before: reason %q, found %q", c.before, e.Reason, e.Found)
			}
		}
	}
}

// restrictedSource is a Resolver that looks nothing up.
type restrictedSource struct{ *wellknown.Resolver }

func (restrictedSource) Authority(context.Context, string, string) (*wellknown.Authority, error) {
	return nil, wellknown.ErrUnavailable
}

// TestEmbeddedResolver checks that the verifier calls the Authority of a type that embeds a
// Resolver, and not another method of the Resolver.
func TestEmbeddedResolver(t *testing.T) {
	resolver, err := wellknown.NewResolver(wellknown.Config{InsecureTransport: roundTripper(func(r *http.Request) (*http.Response, error) {
		t.Errorf("%s is fetched", r.URL.Host)
		return nil, errors.New("no network")
	})})
	if err != nil {
		t.Fatal(err)
	}
	v := verifier(t, assertion.Config{Keys: restrictedSource{resolver}})
	if _, err := v.Verify(t.Context(), spec{}.String(), rp); !errors.Is(err, assertion.ErrUndecided) {
		t.Errorf("%v, want ErrUndecided", err)
	}
}

// TestSignatureCheck checks the cost of trying a certificate with keys that a
// KeySource has in its cache: one list of keys, and four keys of it.
func TestSignatureCheck(t *testing.T) {
	good := []keys.PublicKey{idpKey.Public()}
	bad, tried := countingKeys(17, otherRSA.Public())
	for name, c := range map[string]struct {
		lists [][]keys.PublicKey
		want  []bool
		tried int32
	}{
		"none":              {[][]keys.PublicKey{nil, {}}, []bool{false, false}, 0},
		"good, twice":       {[][]keys.PublicKey{good, good}, []bool{true, true}, 0},
		"bad, twice":        {[][]keys.PublicKey{bad, bad}, []bool{false, false}, 4},
		"several lists":     {[][]keys.PublicKey{bad, bad[4:], bad[8:], good}, []bool{false, false, false, false}, 4},
		"good and another":  {[][]keys.PublicKey{good, bad}, []bool{true, false}, 0},
		"fifth of the list": {[][]keys.PublicKey{append(bad[:4:4], good...)}, []bool{false}, 4},
	} {
		tried.Store(0)
		got, err := assertion.VerifiedBy(verifier(t, assertion.Config{}), spec{}.String(), rp, c.lists...)
		if err != nil || !slices.Equal(got, c.want) || tried.Load() != c.tried {
			t.Errorf("%s: %v after %d tries, %v", name, got, tried.Load(), err)
		}
	}
}
