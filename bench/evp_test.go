package bench_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/evp"
)

// evpPairs are the algorithms of the issuer and of the browser in BenchmarkEVP.
var evpPairs = [][2]string{{"Ed25519", "Ed25519"}, {"ES256", "ES256"}, {"RS256", "Ed25519"}}

// BenchmarkEVP compares the verification of a token whose issuer's keys are held (complete)
// with its two signature checks alone (signatures), by the same packages of Go.
func BenchmarkEVP(b *testing.B) {
	for _, pair := range evpPairs {
		w := newEVPWorld(b, newEVPKey(b, pair[0], 2048), newEVPKey(b, pair[1], 2048))
		b.Run(pair[0]+"-"+pair[1], func(b *testing.B) {
			for range 200 { // so that the first of the two is not slower for being the first
				w.verify(b)
			}
			b.Run("complete", w.complete)
			b.Run("signatures", w.signatures)
		})
	}
}

// BenchmarkEVPWorst measures the tokens that cost most: no key verifies them, or the last of
// as many as are tried, or a part is as large as it may be.
func BenchmarkEVPWorst(b *testing.B) {
	holder := newEVPKey(b, "RS256", 4096)
	large, small := newEVPKey(b, "RS256", 4096), newEVPKey(b, "RS256", 2048)
	var decoys []evpKey
	for range 4 {
		decoys = append(decoys, large.decoy(b))
	}
	for range 59 {
		decoys = append(decoys, small.decoy(b))
	}
	b.Run("16-RSA", func(b *testing.B) { // 4 of 4096 bits and 12 of 2048
		newEVPWorld(b, newEVPKey(b, "RS256", 2048), holder, decoys...).refused(b)
	})
	var curve []evpKey
	for range 64 {
		curve = append(curve, newEVPKey(b, "ES256", 0))
	}
	b.Run("16-ES256", func(b *testing.B) { newEVPWorld(b, newEVPKey(b, "ES256", 0), holder, curve[:63]...).refused(b) })
	b.Run("16KiB", func(b *testing.B) {
		w := newEVPWorld(b, newEVPKey(b, "Ed25519", 0), holder)
		w.extra = numbered(1024)
		w.mint(b, evpNow)
		w.complete(b)
	})
}

// numbered returns an object of n members, whose names have up to three digits.
func numbered(n int) json.RawMessage {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("\"%x\":%d", i, i)
	}
	return json.RawMessage("{" + strings.Join(list, ",") + "}")
}

// BenchmarkEVPRefresh measures a token of 15 KiB that no key verifies and that causes a
// refresh, in which the issuer publishes 64 other keys: the most that one token can cost.
func BenchmarkEVPRefresh(b *testing.B) {
	var sets [2]evpDocuments
	for i := range sets {
		var keys []evpKey
		for range 64 {
			keys = append(keys, newEVPKey(b, "ES256", 0))
		}
		sets[i] = evpDocumentsOf(b, keys...)
	}
	now, fetches := evpNow, 0
	w := &evpWorld{issuer: newEVPKey(b, "ES256", 0), holder: newEVPKey(b, "RS256", 4096), extra: numbered(1024)}
	w.configure(b, func() time.Time { return now }, func(r *http.Request) (*http.Response, error) {
		if r.URL.Path == "/jwks" {
			fetches++
		}
		return sets[fetches%2].RoundTrip(r)
	})
	var total time.Duration
	for b.Loop() {
		b.StopTimer()
		now = now.Add(61 * time.Second)
		w.mint(b, now)
		b.StartTimer()
		before := processorTime(b)
		if w.verify(b) == nil {
			b.Fatal("accepted")
		}
		total += processorTime(b) - before
	}
	b.ReportMetric(float64(total)/float64(b.N), "cpu-ns/op")
	b.ReportMetric(float64(fetches)/float64(b.N), "fetches/op")
}

// evpKey is a key that signs tokens.
type evpKey struct {
	alg    string
	signer crypto.Signer
	public map[string]any // as JWK
}

func newEVPKey(b *testing.B, alg string, bits int) evpKey {
	b.Helper()
	var signer crypto.Signer
	var err error
	switch alg {
	case "Ed25519":
		_, signer, err = ed25519.GenerateKey(rand.Reader)
	case "ES256":
		signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	default:
		signer, err = rsa.GenerateKey(rand.Reader, bits)
	}
	if err != nil {
		b.Fatal(err)
	}
	return evpKey{alg, signer, evpJWK(b, signer.Public())}
}

func evpJWK(b *testing.B, public crypto.PublicKey) map[string]any {
	b.Helper()
	switch key := public.(type) {
	case ed25519.PublicKey:
		return map[string]any{"kty": "OKP", "crv": "Ed25519", "x": b64(key)}
	case *ecdsa.PublicKey:
		point, err := key.Bytes()
		if err != nil {
			b.Fatal(err)
		}
		return map[string]any{"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}
	case *rsa.PublicKey:
		return map[string]any{"kty": "RSA", "n": b64(key.N.Bytes()), "e": "AQAB"}
	}
	b.Fatal("unknown key")
	return nil
}

// decoy returns a public RSA key of the same size that verifies nothing. Its private key
// does not exist.
func (k evpKey) decoy(b *testing.B) evpKey {
	b.Helper()
	n := new(big.Int).Set(k.signer.Public().(*rsa.PublicKey).N)
	low, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 1024))
	if err != nil {
		b.Fatal(err)
	}
	n.Xor(n, low.SetBit(low, 0, 0))
	return evpKey{k.alg, nil, evpJWK(b, &rsa.PublicKey{N: n, E: 65537})}
}

func b64(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// sign returns the JWS of a header and claims.
func (k evpKey) sign(b *testing.B, header, claims any) string {
	b.Helper()
	h, err := json.Marshal(header)
	if err != nil {
		b.Fatal(err)
	}
	c, err := json.Marshal(claims)
	if err != nil {
		b.Fatal(err)
	}
	input := b64(h) + "." + b64(c)
	return input + "." + b64(k.signature(b, input))
}

func (k evpKey) signature(b *testing.B, input string) []byte {
	b.Helper()
	digest := sha256.Sum256([]byte(input))
	var sig []byte
	var err error
	switch signer := k.signer.(type) {
	case ed25519.PrivateKey:
		return ed25519.Sign(signer, []byte(input))
	case *ecdsa.PrivateKey:
		var r, s *big.Int
		if r, s, err = ecdsa.Sign(rand.Reader, signer, digest[:]); err == nil {
			sig = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
		}
	default:
		sig, err = signer.Sign(rand.Reader, digest[:], crypto.SHA256)
	}
	if err != nil {
		b.Fatal(err)
	}
	return sig
}

// check verifies the signature of a JWS by the packages of Go alone. The signature of ES256
// is in DER.
func (k evpKey) check(input string, sig []byte) bool {
	switch key := k.signer.Public().(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(key, []byte(input), sig)
	case *ecdsa.PublicKey:
		digest := sha256.Sum256([]byte(input))
		return ecdsa.VerifyASN1(key, digest[:], sig)
	case *rsa.PublicKey:
		digest := sha256.Sum256([]byte(input))
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], sig) == nil
	}
	return false
}

const evpNonce = "n-0S6_WzA2MjAxOTUtbm9uY2UtbjAtUzZfV3pBMk1q"

var evpNow = time.Unix(1_800_000_000, 0)

// evpWorld is an issuer, a browser, a token, and a verifier that holds the issuer's keys.
type evpWorld struct {
	issuer, holder evpKey
	extra          json.RawMessage // a further claim of the token
	verifier       *evp.Verifier
	evt, kb, token string
}

// newEVPWorld returns a world whose issuer publishes the decoys before its key. The verifier
// fetches the keys in the first verification, and holds them from then on.
func newEVPWorld(b *testing.B, issuer, holder evpKey, decoys ...evpKey) *evpWorld {
	b.Helper()
	w := &evpWorld{issuer: issuer, holder: holder}
	w.configure(b, func() time.Time { return evpNow }, evpDocumentsOf(b, append(decoys, issuer)...).RoundTrip)
	w.mint(b, evpNow)
	return w
}

// configure makes the verifier.
func (w *evpWorld) configure(b *testing.B, now func() time.Time, hosts evpHosts) {
	b.Helper()
	var err error
	w.verifier, err = evp.NewVerifier(evp.Config{
		Origins: []string{"https://rp.example"}, Now: now, Resolver: evpRecords{}, InsecureTransport: hosts,
	})
	if err != nil {
		b.Fatal(err)
	}
}

// evpRecords is a DNS in which every domain names the same issuer.
type evpRecords struct{}

func (evpRecords) LookupTXT(context.Context, string) ([]string, error) {
	return []string{"iss=accounts.issuer.example"}, nil
}

// evpHosts answers HTTP requests.
type evpHosts func(r *http.Request) (*http.Response, error)

func (f evpHosts) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// evpDocuments is the key set of the issuer. It serves the metadata too.
type evpDocuments string

func evpDocumentsOf(b *testing.B, keys ...evpKey) evpDocuments {
	b.Helper()
	var list []any
	for _, k := range keys {
		list = append(list, k.public)
	}
	text, err := json.Marshal(map[string]any{"keys": list})
	if err != nil {
		b.Fatal(err)
	}
	return evpDocuments(text)
}

func (d evpDocuments) RoundTrip(r *http.Request) (*http.Response, error) {
	body := string(d)
	if r.URL.Path != "/jwks" {
		body = `{"jwks_uri":"https://accounts.issuer.example/jwks"}`
	}
	return &http.Response{
		StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Request: r, ContentLength: int64(len(body)),
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

// mint signs the token.
func (w *evpWorld) mint(b *testing.B, now time.Time) {
	b.Helper()
	iat := now.Unix() - 5
	claims := map[string]any{
		"iss": "https://accounts.issuer.example", "iat": iat, "email": "alice@mail.example", "email_verified": true,
		"cnf": map[string]any{"jwk": w.holder.public},
	}
	if w.extra != nil {
		claims["x"] = w.extra
	}
	w.evt = w.issuer.sign(b, map[string]any{"alg": w.issuer.alg, "typ": "evt+jwt"}, claims)
	hash := sha256.Sum256([]byte(w.evt + "~"))
	w.kb = w.holder.sign(b, map[string]any{"alg": w.holder.alg, "typ": "kb+jwt"}, map[string]any{
		"aud": "https://rp.example", "iat": iat, "nonce": evpNonce, "sd_hash": b64(hash[:]),
	})
	w.token = w.evt + "~" + w.kb
}

func (w *evpWorld) verify(b *testing.B) error {
	_, err := w.verifier.Verify(b.Context(), w.token, evp.Expected{Nonce: evpNonce, Email: "alice@mail.example"})
	return err
}

func (w *evpWorld) complete(b *testing.B) {
	measureCPU(b, func() bool { return w.verify(b) == nil })
}

func (w *evpWorld) refused(b *testing.B) {
	measureCPU(b, func() bool { return w.verify(b) != nil })
}

// measureCPU measures f, which returns true. The metric cpu-ns/op is the time of the
// process, which other processes disturb less than the time on the clock.
func measureCPU(b *testing.B, f func() bool) {
	if !f() { // so that caches are full
		b.Fatal("another outcome")
	}
	b.ReportAllocs()
	before := processorTime(b)
	for b.Loop() {
		if !f() {
			b.Fatal("another outcome")
		}
	}
	b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
}

// signatures checks the two signatures of the token, which are decoded beforehand.
func (w *evpWorld) signatures(b *testing.B) {
	split := func(jws, alg string) (input string, sig []byte) {
		dot := strings.LastIndexByte(jws, '.')
		sig, err := base64.RawURLEncoding.DecodeString(jws[dot+1:])
		if alg == "ES256" && err == nil {
			sig, err = asn1.Marshal([]*big.Int{new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])})
		}
		if err != nil {
			b.Fatal(err)
		}
		return jws[:dot], sig
	}
	evtInput, evtSig := split(w.evt, w.issuer.alg)
	kbInput, kbSig := split(w.kb, w.holder.alg)
	measureCPU(b, func() bool { return w.issuer.check(evtInput, evtSig) && w.holder.check(kbInput, kbSig) })
}
