package discovery_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"code.dny.dev/ssrf"

	"github.com/vepverify/vepverify/evp/internal/discovery"
	"github.com/vepverify/vepverify/internal/hosttest"
)

// guarded returns a Network that resolves names by s, and whose hosts listen on that port.
func guarded(t *testing.T, s *nameServer, port uint16, exempt ...netip.Prefix) *discovery.Network {
	t.Helper()
	c := discovery.Config{Resolver: s.resolver(), RootCAs: hosttest.TrustedCA().Pool(), Timeout: 20 * time.Second}
	n, err := discovery.NewNetworkWithPort(c, port, exempt...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestPrivateIssuer checks that an issuer with a private address is not contacted.
func TestPrivateIssuer(t *testing.T) {
	port, count := hosttest.CountConnections(t)
	names := map[string]zone{
		"foo.localhost.": {addresses: []string{"127.0.0.1", "::1"}},
		"all.example.":   {addresses: []string{"127.0.0.1", "127.0.0.2", "::1", "::ffff:127.0.0.1"}},
	}
	for i, address := range hosttest.PrivateAddresses {
		names[fmt.Sprintf("h%d.example.", i)] = zone{addresses: []string{address}}
	}
	n := guarded(t, newNameServer(t, names), port)
	for name := range names {
		_, err := n.Keys(t.Context(), strings.TrimSuffix(name, "."), mail, false)
		e := checkError(t, name, err, discovery.Refused, "9.guard")
		if e != nil && (e.Setting != "InsecureAllowPrivate" || !strings.HasPrefix(e.Reason, "metadata: ")) {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if count.Load() != 0 {
		t.Errorf("%d connections", count.Load())
	}
}

// TestCountingListener checks that the listener of the tests here can be reached.
func TestCountingListener(t *testing.T) {
	port, count := hosttest.CountConnections(t)
	s := newNameServer(t, map[string]zone{issuer + ".": {addresses: []string{"127.0.0.1"}}})
	n := guarded(t, s, port, netip.MustParsePrefix("127.0.0.1/32"))
	_, err := n.Keys(t.Context(), issuer, mail, false)
	checkError(t, "exempt", err, discovery.Unavailable, "9.unavailable")
	if count.Load() != 1 {
		t.Errorf("%d connections", count.Load())
	}
}

// public is an address of this machine that counts as public in some tests.
const public = "127.0.0.2"

// serveOn serves h as the host of an issuer on the public address, and counts connections
// to the same port of 127.0.0.1.
func serveOn(t *testing.T, host string, h http.Handler) (port uint16, count *atomic.Int64) {
	l, err := net.Listen("tcp", public+":0")
	if err != nil {
		t.Skip(public + " is not an address of this machine")
	}
	port, count = uint16(l.Addr().(*net.TCPAddr).Port), new(atomic.Int64)
	private, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(int(port)))
	if err != nil {
		t.Skip("the port is in use")
	}
	hosttest.Accept(t, private, func(net.Conn) { count.Add(1) })
	s := httptest.NewUnstartedServer(h)
	s.Listener.Close()
	s.Listener, s.TLS = l, hosttest.TrustedCA().Config(t, time.Now().Add(-time.Minute), host)
	s.StartTLS()
	t.Cleanup(s.Close)
	return port, count
}

// TestPrivateKeySet checks that a key set is not fetched from a private address, although
// the issuer's own host has a public one.
func TestPrivateKeySet(t *testing.T) {
	site := newSite()
	port, count := serveOn(t, issuer, site)
	s := newNameServer(t, map[string]zone{
		issuer + ".":        {addresses: []string{public}},
		"internal.example.": {addresses: []string{"127.0.0.1", "10.0.0.1"}},
	})
	exempt := netip.MustParsePrefix(public + "/32")
	if keys, err := guarded(t, s, port, exempt).Keys(t.Context(), issuer, mail, false); err != nil || len(keys.Keys) != 1 {
		t.Fatalf("%+v, %v", keys, err)
	}
	site.set(metadataPath, answer{body: metadata("https://internal.example/marker")})
	_, err := guarded(t, s, port, exempt).Keys(t.Context(), issuer, mail, false)
	e := checkError(t, "private key set", err, discovery.Refused, "9.guard")
	if !errors.Is(e, ssrf.ErrProhibitedIP) || count.Load() != 0 {
		t.Errorf("%v, %d connections", e.Cause, count.Load())
	}
}

// TestRebinding checks that the guard checks the address that is dialled: another answer
// of DNS, for the same name, does not help.
func TestRebinding(t *testing.T) {
	port, count := serveOn(t, issuer, newSite())
	s := newNameServer(t, map[string]zone{
		issuer + ".":   {addresses: []string{public}, later: []string{"127.0.0.1"}},
		"two.example.": {addresses: []string{"192.0.2.1", "127.0.0.1"}},
	})
	n := guarded(t, s, port, netip.MustParsePrefix(public+"/32"))
	for host, step := range map[string]string{issuer: "key set: ", "two.example": "metadata: "} {
		_, err := n.Keys(t.Context(), host, mail, false)
		e := checkError(t, host, err, discovery.Refused, "9.guard")
		if !errors.Is(e, ssrf.ErrProhibitedIP) || !strings.HasPrefix(e.Reason, step) {
			t.Errorf("%s: %q, cause %v", host, e.Reason, e.Cause)
		}
	}
	if count.Load() != 0 {
		t.Errorf("%d connections", count.Load())
	}
}

// TestRedirects checks that no redirect is followed.
func TestRedirects(t *testing.T) {
	n, here, there := newInternet(t), newSite(), newSite()
	n.Serve(issuer, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/jwks" {
			http.Redirect(w, r, "https://other.example/jwks", http.StatusFound)
			return
		}
		here.ServeHTTP(w, r)
	})
	n.Serve("other.example", there.ServeHTTP)
	_, err := open(t, n.config()).Keys(t.Context(), issuer, mail, false)
	checkError(t, "redirect", err, discovery.Refused, "9.refused")
	if there.count("/jwks") != 0 {
		t.Error("followed")
	}
}

// TestGzip checks that compressed documents are read, and bombs are not.
func TestGzip(t *testing.T) {
	pack := func(text string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		io.WriteString(w, text)
		w.Close()
		return b.String()
	}
	for name, c := range map[string]struct {
		body string
		rule string
	}{
		"small":       {pack(metadata(jwksURL)), ""},
		"64 KiB":      {pack(metadata(jwksURL) + strings.Repeat(" ", 60_000)), ""},
		"over 64 KiB": {pack(metadata(jwksURL) + strings.Repeat(" ", 70_000)), "9.refused"},
		"2 MiB":       {pack(metadata(jwksURL) + strings.Repeat(" ", 2<<20)), "9.refused"},
	} {
		n, s := newInternet(t), newSite()
		n.Serve(issuer, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == metadataPath {
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("Content-Encoding", "gzip")
				io.WriteString(w, c.body)
				return
			}
			s.ServeHTTP(w, r)
		})
		keys, err := open(t, n.config()).Keys(t.Context(), issuer, mail, false)
		switch {
		case c.rule == "" && (err != nil || len(keys.Keys) != 1):
			t.Errorf("%s: %v", name, err)
		case c.rule != "":
			checkError(t, name, err, discovery.Refused, c.rule)
		}
	}
}

// TestManyLargeKeys checks a key set of as many keys as possible, of the largest size.
func TestManyLargeKeys(t *testing.T) {
	keys := make([]string, 64)
	for i := range keys {
		keys[i] = rsaKey(4096, int64(i))
	}
	n, s := newInternet(t), newSite()
	n.Serve(issuer, s.ServeHTTP)
	s.set("/jwks", answer{body: keySet(keys...)})
	source := open(t, n.config())
	for range 100 {
		if set, err := source.Keys(t.Context(), issuer, mail, false); err != nil || len(set.Keys) != 64 || set.Keys[63].Bits() != 4096 {
			t.Fatalf("%+v, %v", set, err)
		}
	}
	if s.count("/jwks") != 1 {
		t.Errorf("%d fetches", s.count("/jwks"))
	}
}

// roundTripper replaces the network.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// reply returns an answer of JSON.
func reply(body string) *http.Response {
	return &http.Response{
		StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

// TestManyDomains checks that lookups of 10 000 domains and issuers leave no more than the
// limits, and do not evict or delay a known issuer.
func TestManyDomains(t *testing.T) {
	const many = 10_000
	var requests atomic.Int64
	source := open(t, discovery.Config{
		Resolver: txtFunc(func(_ context.Context, name string) ([]string, error) {
			return []string{"iss=accounts." + strings.TrimPrefix(name, "_email-verification.")}, nil
		}),
		InsecureTransport: roundTripper(func(r *http.Request) (*http.Response, error) {
			requests.Add(1)
			if r.URL.Path == metadataPath {
				return reply(`{"jwks_uri":"https://` + r.URL.Host + `/jwks"}`), nil
			}
			return reply(keySet(ed25519Key)), nil
		}),
		MaxEntries: 100, MaxBytes: 256 << 10,
	})
	known := func() {
		t.Helper()
		keys, err := source.Keys(t.Context(), issuer, mail, false)
		if err != nil {
			t.Fatal(err)
		}
		keys.MarkVerified()
	}
	known()
	for i := range many {
		domain := fmt.Sprintf("d%d.example", i)
		host, err := source.Issuer(t.Context(), domain)
		if err != nil || host != "accounts."+domain {
			t.Fatalf("%s: %q, %v", domain, host, err)
		}
		if _, err := source.Keys(t.Context(), host, domain, false); err != nil {
			t.Fatal(err)
		}
	}
	before := requests.Load()
	known()
	if requests.Load() != before {
		t.Error("a known issuer was evicted")
	}
	txt, issuers := source.Sizes()
	if txt.Documents > 100 || issuers.Documents > 100 || txt.DocumentBytes > 256<<10 || issuers.DocumentBytes > 256<<10 {
		t.Errorf("kept: %+v, %+v", txt, issuers)
	}
}

// TestManySubdomains checks that the hosts of one registrable domain share an allowance, so
// that they do not delay others, and that their key sets do not count as lookups of the host
// that serves these.
func TestManySubdomains(t *testing.T) {
	var requests atomic.Int64
	source := open(t, discovery.Config{InsecureTransport: roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host == issuer {
			requests.Add(1)
		}
		if r.URL.Path == metadataPath {
			return reply(`{"jwks_uri":"` + jwksURL + `"}`), nil
		}
		return reply(keySet(ed25519Key)), nil
	})})
	refused := 0
	for i := range 3000 {
		if _, err := source.Keys(t.Context(), fmt.Sprintf("h%d.evil.test", i), fmt.Sprintf("m%d.evil.test", i), false); err != nil {
			checkError(t, "subdomain", err, discovery.Unavailable, "9.unavailable")
			refused++
		}
	}
	if refused < 1000 || requests.Load() > 2000 {
		t.Errorf("%d refused, %d requests to another host", refused, requests.Load())
	}
	if _, err := source.Keys(t.Context(), issuer, mail, false); err != nil {
		t.Errorf("the other host: %v", err)
	}
}

// TestStallingIssuers checks that hosts of one registrable domain that do not answer leave
// slots for others, also if they name the key set of another.
func TestStallingIssuers(t *testing.T) {
	release := make(chan struct{})
	var stalled atomic.Int64
	source := open(t, discovery.Config{
		MaxFetches: 16, Timeout: 10 * time.Second,
		InsecureTransport: roundTripper(func(r *http.Request) (*http.Response, error) {
			switch {
			case strings.HasSuffix(r.URL.Host, ".evil.test") && r.URL.Path == metadataPath:
				return reply(`{"jwks_uri":"https://` + issuer + `/slow"}`), nil
			case r.URL.Path == "/slow":
				stalled.Add(1)
				<-release
				return nil, io.EOF
			case r.URL.Path == metadataPath:
				return reply(`{"jwks_uri":"` + jwksURL + `"}`), nil
			}
			return reply(keySet(ed25519Key)), nil
		}),
	})
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() { source.Keys(ctx, fmt.Sprintf("h%d.evil.test", i), fmt.Sprintf("m%d.evil.test", i), false) })
	}
	for stalled.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	if _, err := source.Keys(t.Context(), issuer, mail, false); err != nil {
		t.Errorf("the named host's own keys: %v", err)
	}
	if stalled.Load() != 1 {
		t.Errorf("%d slots of one registrable domain", stalled.Load())
	}
	cancel()
	close(release)
	all.Wait()
}

// TestThirdPartyIssuers checks that a domain cannot use up the allowance of hosts of another
// party by naming them as its issuers.
func TestThirdPartyIssuers(t *testing.T) {
	source := open(t, discovery.Config{InsecureTransport: roundTripper(func(r *http.Request) (*http.Response, error) {
		switch {
		case strings.HasPrefix(r.URL.Host, "h"):
			return nil, &net.DNSError{Err: "no such host", Name: r.URL.Host, IsNotFound: true}
		case r.URL.Path == metadataPath:
			return reply(`{"jwks_uri":"` + jwksURL + `"}`), nil
		}
		return reply(keySet(ed25519Key)), nil
	})})
	overRate := 0
	for i := range 3000 {
		_, err := source.Keys(t.Context(), fmt.Sprintf("h%d.issuer.example", i), "evil.test", false)
		if e := checkError(t, "named by evil.test", err, discovery.Unavailable, "9.unavailable"); !strings.Contains(e.Reason, "no such host") {
			overRate++
		}
	}
	if overRate < 2900 {
		t.Errorf("%d fetches for one domain", 3000-overRate)
	}
	if _, err := source.Keys(t.Context(), issuer, mail, false); err != nil {
		t.Errorf("the issuer of another domain: %v", err)
	}
}

// TestAllowPrivate checks that private addresses can be allowed.
func TestAllowPrivate(t *testing.T) {
	port, _ := serveOn(t, issuer, newSite())
	s := newNameServer(t, map[string]zone{issuer + ".": {addresses: []string{public}}})
	c := discovery.Config{Resolver: s.resolver(), RootCAs: hosttest.TrustedCA().Pool(), InsecureAllowPrivate: true}
	n, err := discovery.NewNetworkWithPort(c, port)
	if err != nil {
		t.Fatal(err)
	}
	if keys, err := n.Keys(t.Context(), issuer, mail, false); err != nil || len(keys.Keys) != 1 {
		t.Errorf("%+v, %v", keys, err)
	}
}
