package vepauth_test

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/vepauth"
)

// discardWriter is a ResponseWriter that keeps only the status.
type discardWriter struct {
	header http.Header
	status int
}

func (w *discardWriter) Header() http.Header         { return w.header }
func (w *discardWriter) Write(b []byte) (int, error) { return len(b), nil }
func (w *discardWriter) WriteHeader(status int)      { w.status = status }

// signedRequests returns a handler whose store has room for n nonces, a request, n
// signatures of it, and the credentials of the signatures.
func signedRequests(b testing.TB, n int) (h http.Handler, r *http.Request, signatures []string, c vepauth.Credentials) {
	now := newClock().now
	s := newSite(b, &vepauth.Config{Now: now, Verifier: verifier(b, now), Nonces: assertion.NewMemoryOneUse(n, now)})
	c = s.login(endpoint)
	r = request("GET", data)
	signatures = make([]string, n)
	for i := range signatures {
		signatures[i] = s.signed(r, c).Header.Get("Authorization")
	}
	nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	return s.auth.Require(nothing), r, signatures, c
}

// serve serves a request with a signature that must be accepted.
func serve(b testing.TB, h http.Handler, w *discardWriter, r *http.Request, signature string) {
	r.Header["Authorization"][0] = signature
	h.ServeHTTP(w, r)
	if w.status != 0 {
		b.Fatalf("answered %d", w.status)
	}
}

// BenchmarkSigned measures a signed request without a body: keyed-hashes is the
// cryptography alone, verify is everything. The metric "x" of verify is the ratio of the
// two. Both are timed in turn, in small batches, and the medians are compared, so that
// other load on the machine affects both alike.
func BenchmarkSigned(b *testing.B) {
	b.Run("keyed-hashes", func(b *testing.B) {
		_, r, _, credentials := signedRequests(b, 1)
		hashes := keyedHashes(b, credentials, baseOf(b, r))
		b.ReportAllocs()
		for b.Loop() {
			hashes()
		}
	})
	b.Run("verify", func(b *testing.B) {
		const batch = 32
		h, r, signatures, credentials := signedRequests(b, b.N)
		hashes, w := keyedHashes(b, credentials, baseOf(b, r)), new(discardWriter)
		var all, floor []float64
		b.ReportAllocs()
		b.ResetTimer()
		for some := range slices.Chunk(signatures, batch) {
			start := time.Now()
			for _, signature := range some {
				serve(b, h, w, r, signature)
			}
			all = append(all, time.Since(start).Seconds()/float64(len(some)))
			b.StopTimer()
			start = time.Now()
			for range some {
				hashes()
			}
			floor = append(floor, time.Since(start).Seconds()/float64(len(some)))
			b.StartTimer()
		}
		b.ReportMetric(median(all)/median(floor), "x")
	})
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// baseOf returns the signature base string of a request.
func baseOf(b testing.TB, r *http.Request) string {
	base, err := vepauth.BaseString(r.Method, "https", r.Host, "/data", "", r.Header.Get("Authorization")[len("OAuth "):])
	if err != nil {
		b.Fatal(err)
	}
	return base
}

// keyedHashes returns a function that makes only the calls that every verification needs:
// the MAC of the token, the client's secret, the signature.
func keyedHashes(b testing.TB, c vepauth.Credentials, base string) func() {
	token, err := base64.RawURLEncoding.DecodeString(c.ID)
	if err != nil {
		b.Fatal(err)
	}
	payload, salt := token[:len(token)-sha256.Size], []byte("a salt of 22 bytes ...")
	info, key, text := "vepauth signed token v1: client secret: "+c.ID, []byte(c.Secret+"&"), []byte(base)
	return func() {
		mac := hmac.New(sha256.New, oldSecret)
		mac.Write(payload)
		mac.Sum(nil)
		if _, err := hkdf.Key(sha256.New, oldSecret, salt, info, sha256.Size); err != nil {
			b.Fatal(err)
		}
		mac = hmac.New(sha1.New, key)
		mac.Write(text)
		mac.Sum(nil)
	}
}

// TestAllocations checks that a signed request without a body has few allocations.
func TestAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates as well")
	}
	const runs, bound = 200, 40
	h, r, signatures, _ := signedRequests(t, runs+1)
	w, next := new(discardWriter), 0
	got := testing.AllocsPerRun(runs, func() {
		serve(t, h, w, r, signatures[next])
		next++
	})
	if got > bound {
		t.Errorf("%v allocations, more than %d", got, bound)
	}
}
