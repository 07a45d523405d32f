package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"runtime"
	"strings"
	"time"

	"github.com/vepverify/vepverify/bench/internal/report"
	"github.com/vepverify/vepverify/bench/internal/workload"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/evp/evptest"
)

// evpPairs are the algorithms of the issuer and of the browser.
var evpPairs = []workload.Pair{
	{Issuer: "Ed25519", User: "Ed25519"}, {Issuer: "ES256", User: "ES256"}, {Issuer: "RS256", User: "Ed25519"},
}

// prepareEVP returns the subjects that verify tokens.
func prepareEVP(ctx context.Context, o options, progress io.Writer) (*suite, error) {
	fmt.Fprintln(progress, "making tokens")
	f := &suite{pairs: evpPairs, base: report.Crypto, versions: map[string]string{"Go": runtime.Version()}}
	var pools []*evpPool
	for i, p := range evpPairs {
		pool, err := newEVPPool(p, o.pool)
		if err != nil {
			return f, err
		}
		if err := f.addEVP(ctx, i, pool); err != nil {
			return f, err
		}
		f.add(i, report.Crypto, "", local(pool.checkSignatures))
		pools = append(pools, pool)
	}
	f.versions[report.Crypto] = runtime.Version()
	if !o.node {
		f.note("packages of npm: --node=false")
		return f, nil
	}
	fmt.Fprintln(progress, "starting Node")
	if err := f.addEVPNode(ctx, o.nodeDirectory, pools); err != nil {
		f.note("packages of npm: %v", err)
	}
	return f, nil
}

// addEVP adds our verifier, whose first verification fills its caches.
func (f *suite) addEVP(ctx context.Context, pair int, pool *evpPool) error {
	config := pool.world.Config(workload.Audience)
	config.Now = func() time.Time { return workload.Now }
	v, err := evp.NewVerifier(config)
	if err != nil {
		return err
	}
	turn := 0
	verify := func() error {
		turn++
		t := pool.tokens[turn%len(pool.tokens)]
		_, err := v.Verify(ctx, t.Text, evp.Expected{Nonce: t.Nonce, Email: t.Email})
		return err
	}
	if err := verify(); err != nil {
		return err
	}
	f.add(pair, report.Ours, "warm", local(verify))
	return nil
}

// evpPool is a pool of tokens of one issuer. Each has an address, a nonce and a browser's key
// of its own.
type evpPool struct {
	world  *evptest.World
	issuer crypto.PublicKey
	tokens []evpToken
	turn   int // of checkSignatures
}

// evpToken is a token, and what a relying party knows of it.
type evpToken struct {
	Text  string `json:"token"`
	Nonce string `json:"nonce"`
	Email string `json:"email"`

	evt, kb signed
}

func newEVPPool(p workload.Pair, size int) (*evpPool, error) {
	issuer, err := newEVPKey(p.Issuer)
	if err != nil {
		return nil, err
	}
	pool := &evpPool{world: evptest.New(evptest.Default(issuer.WithID("k1"))).At(workload.Now), issuer: issuer.Private.Public()}
	for n := range size {
		holder, err := newEVPKey(p.User)
		if err != nil {
			return nil, err
		}
		t := evpToken{Nonce: rand.Text() + rand.Text(), Email: fmt.Sprintf("user%d@%s", n, evptest.DefaultDomain)}
		t.Text = pool.world.Token(evptest.Request{Email: t.Email, Origin: workload.Audience, Nonce: t.Nonce, Holder: holder})
		evt, kb, _ := strings.Cut(t.Text, "~")
		if t.evt, err = newSigned(evt, pool.issuer); err != nil {
			return nil, err
		}
		if t.kb, err = newSigned(kb, holder.Private.Public()); err != nil {
			return nil, err
		}
		pool.tokens = append(pool.tokens, t)
	}
	return pool, nil
}

// newEVPKey generates a key. RSA keys have 2048 bits.
func newEVPKey(alg string) (evptest.Key, error) {
	var private any
	var err error
	switch alg {
	case "Ed25519":
		_, private, err = ed25519.GenerateKey(rand.Reader)
	case "ES256":
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	default:
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		return evptest.Key{}, err
	}
	text, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return evptest.Key{}, err
	}
	return evptest.ParseKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text}))
}

// signed is a signing input with its decoded signature, which is in DER for ES256.
type signed struct {
	key              crypto.PublicKey
	input, signature []byte
}

func newSigned(jws string, key crypto.PublicKey) (signed, error) {
	dot := strings.LastIndexByte(jws, '.')
	signature, err := base64.RawURLEncoding.DecodeString(jws[dot+1:])
	if _, isECDSA := key.(*ecdsa.PublicKey); isECDSA && err == nil {
		r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
		signature, err = asn1.Marshal([]*big.Int{r, s})
	}
	return signed{key, []byte(jws[:dot]), signature}, err
}

// verifies reports whether the signature is good, by the packages of Go alone.
func (s signed) verifies() bool {
	if key, ok := s.key.(ed25519.PublicKey); ok {
		return ed25519.Verify(key, s.input, s.signature)
	}
	digest := sha256.Sum256(s.input)
	switch key := s.key.(type) {
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(key, digest[:], s.signature)
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], s.signature) == nil
	}
	return false
}

// checkSignatures checks the two signatures of the next token. Nothing is parsed.
func (p *evpPool) checkSignatures() error {
	p.turn++
	t := p.tokens[p.turn%len(p.tokens)]
	if !t.evt.verifies() || !t.kb.verifies() {
		return errors.New("a signature does not verify")
	}
	return nil
}
