//go:build openssl && cgo

package openssl

/*
#cgo LDFLAGS: -lcrypto
#include <stdlib.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

typedef struct {
	EVP_PKEY_CTX *ctx;
	const unsigned char *digest, *signature;
	size_t digest_len, signature_len;
} check;

// prepare returns a context that verifies with the key, or NULL if that fails.
static EVP_PKEY_CTX *prepare(const unsigned char *spki, long len, int rsa) {
	EVP_PKEY *key = d2i_PUBKEY(NULL, &spki, len);
	if (key == NULL) return NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	EVP_PKEY_free(key); // the context has its own reference
	if (ctx == NULL) return NULL;
	if (EVP_PKEY_verify_init(ctx) == 1 &&
	    (!rsa || (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
	              EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1)))
		return ctx;
	EVP_PKEY_CTX_free(ctx);
	return NULL;
}

// run makes n checks, starting at the check with the number from, and returns how many
// failed.
static size_t run(const check *checks, size_t len, size_t from, size_t n) {
	size_t failed = 0;
	for (size_t i = 0, at = from % len; i < n; i++) {
		const check *c = &checks[at];
		failed += EVP_PKEY_verify(c->ctx, c->signature, c->signature_len, c->digest, c->digest_len) != 1;
		if (++at == len) at = 0;
	}
	return failed;
}

static check *grow(check *checks, size_t n) { return realloc(checks, n * sizeof(check)); }
*/
import "C"

import (
	"fmt"
	"unsafe"

	"github.com/vepverify/vepverify/keys"
)

// Available reports whether the program was built with OpenSSL.
const Available = true

// Version returns OpenSSL's version text.
func Version() string { return C.GoString(C.OpenSSL_version(C.OPENSSL_VERSION)) }

// Sum is a list of signatures to verify, in C memory. It must be closed, and is not safe
// for concurrent use.
type Sum struct {
	checks   *C.check
	n, turn  C.size_t
	contexts map[string]*C.EVP_PKEY_CTX // by key
}

// New returns an empty list.
func New() (*Sum, error) { return &Sum{contexts: make(map[string]*C.EVP_PKEY_CTX)}, nil }

// Add adds the signature of a token that the key signed. Each key is prepared once.
func (s *Sum) Add(key keys.PublicKey, token string) error {
	p, err := prepare(key, token)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrVerify, err)
	}
	ctx, err := s.context(p)
	if err != nil {
		return err
	}
	s.checks = C.grow(s.checks, s.n+1)
	if s.checks == nil {
		panic("openssl: out of memory")
	}
	unsafe.Slice(s.checks, s.n+1)[s.n] = C.check{
		ctx: ctx, digest: (*C.uchar)(C.CBytes(p.digest)), digest_len: C.size_t(len(p.digest)),
		signature: (*C.uchar)(C.CBytes(p.der)), signature_len: C.size_t(len(p.der)),
	}
	s.n++
	return nil
}

func (s *Sum) context(p signature) (*C.EVP_PKEY_CTX, error) {
	if ctx, ok := s.contexts[string(p.spki)]; ok {
		return ctx, nil
	}
	rsa := C.int(0)
	if p.rsa {
		rsa = 1
	}
	spki := C.CBytes(p.spki)
	defer C.free(spki)
	ctx := C.prepare((*C.uchar)(spki), C.long(len(p.spki)), rsa)
	if ctx == nil {
		return nil, fmt.Errorf("%w: key refused", ErrVerify)
	}
	s.contexts[string(p.spki)] = ctx
	return ctx, nil
}

// Run verifies the next n signatures of the list, and continues at its start after its
// end. It returns an error if one of them is invalid.
func (s *Sum) Run(n int) error {
	if s.n == 0 {
		return fmt.Errorf("%w: nothing to verify", ErrVerify)
	}
	failed := C.run(s.checks, s.n, s.turn, C.size_t(n))
	s.turn = (s.turn + C.size_t(n)) % s.n
	if failed != 0 {
		return fmt.Errorf("%w: %d of %d signatures are invalid", ErrVerify, failed, n)
	}
	return nil
}

// Close frees everything.
func (s *Sum) Close() {
	for _, c := range unsafe.Slice(s.checks, s.n) {
		C.free(unsafe.Pointer(c.digest))
		C.free(unsafe.Pointer(c.signature))
	}
	C.free(unsafe.Pointer(s.checks))
	for _, ctx := range s.contexts {
		C.EVP_PKEY_CTX_free(ctx)
	}
	*s = Sum{}
}
