package keys

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/vepverify/vepverify/internal/strictjson"
)

// ParsePublicKey parses a public key in any of the JSON forms. It ignores members that
// the form does not have, such as kid, use and alg. The error matches [ErrMalformed],
// [ErrUnknownType], [ErrTooLarge] or [ErrWeak].
func ParsePublicKey(data []byte) (PublicKey, error) {
	k, err := InsecureParsePublicKey(data)
	if err == nil && k.Weak() {
		return nil, weak(k)
	}
	return k, err
}

// InsecureParsePublicKey is like [ParsePublicKey] but accepts weak keys too.
func InsecureParsePublicKey(data []byte) (PublicKey, error) {
	f, r, err := newReader(data)
	if err != nil {
		return nil, err
	}
	return f.public(r)
}

// ParsePrivateKey parses a private key in any form that this package writes. It also
// accepts RSA keys without their primes, as other implementations write them. The
// numbers must agree with each other. The error matches [ErrMalformed],
// [ErrUnknownType], [ErrTooLarge] or [ErrWeak], and contains no part of the key.
func ParsePrivateKey(data []byte) (PrivateKey, error) {
	return requireStrong(InsecureParsePrivateKey(data))
}

// InsecureParsePrivateKey is like [ParsePrivateKey] but accepts weak keys too.
func InsecureParsePrivateKey(data []byte) (PrivateKey, error) {
	f, r, err := newReader(data)
	if err != nil {
		return nil, err
	}
	return f.private(r)
}

// requireStrong replaces a weak key by an error.
func requireStrong(k PrivateKey, err error) (PrivateKey, error) {
	if err == nil && k.Public().Weak() {
		return nil, weak(k.Public())
	}
	return k, err
}

func weak(k PublicKey) error {
	return fmt.Errorf("%w: %s of %d bits", ErrWeak, k.Algorithm(), k.Bits())
}

func tooLarge(problem string) error {
	return fmt.Errorf("%w: %s", ErrTooLarge, problem)
}

func malformed(problem string) error {
	return fmt.Errorf("%w: %s", ErrMalformed, problem)
}

// newReader returns a reader of the key in data, and the family of the key. It rejects
// an object that has both forms: two parsers could disagree about which form counts.
func newReader(data []byte) (*family, *reader, error) {
	r := new(reader)
	var err error
	if r.object, err = strictjson.AppendObject(r.members[:0], data); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	_, jwk := r.object.Get("kty")
	_, legacy := r.object.Get("algorithm")
	switch {
	case jwk && legacy:
		return nil, nil, malformed("both kty and algorithm")
	case jwk:
		kty := r.text("kty")
		r.notation = base64url
		return r.withFamily(findFamily(func(f *family) bool { return f.kty == string(kty) }))
	case legacy:
		algorithm := r.text("algorithm")
		f := findFamily(func(f *family) bool { return f.legacy == string(algorithm) })
		if f != nil {
			r.notation = f.notation
		}
		return r.withFamily(f)
	}
	return nil, nil, malformed("neither kty nor algorithm")
}

// reader reads the numbers of a key. It keeps the first error in err. After an error,
// the results of the methods are meaningless.
type reader struct {
	object   strictjson.Object
	members  [6]strictjson.Member // backs object if that is not larger than usual
	notation notation
	family   *family
	err      error
}

// withFamily sets the family. f is nil if the key is of an unknown type.
func (r *reader) withFamily(f *family) (*family, *reader, error) {
	if r.err != nil {
		return nil, nil, r.err
	}
	if f == nil {
		return nil, nil, ErrUnknownType
	}
	r.family = f
	return f, r, nil
}

func (r *reader) has(name string) bool {
	_, ok := r.object.Get(name)
	return ok
}

// text returns the value of a member that must be a string.
func (r *reader) text(name string) []byte {
	raw, ok := r.object.Get(name)
	if !ok {
		r.fail(name, errors.New("missing"))
		return nil
	}
	text, ok := strictjson.Text(raw)
	if !ok {
		r.fail(name, errors.New("not a string"))
	}
	return text
}

// number returns the value of a member that must be a number. It never returns nil.
func (r *reader) number(name string) *big.Int {
	text := r.text(name)
	if r.err != nil {
		return new(big.Int)
	}
	n, err := r.notation.parse(text, r.family.maxBits)
	if err == errTooLong {
		r.err = fmt.Errorf("%w: member %s: %w", r.family.tooLong, name, err)
		return new(big.Int)
	}
	if err != nil {
		r.fail(name, err)
		return new(big.Int)
	}
	return n
}

// agrees sets the error if the member exists and its value is not want.
func (r *reader) agrees(name string, want *big.Int) {
	if r.has(name) && r.number(name).Cmp(want) != 0 {
		r.fail(name, errors.New("does not fit the other members"))
	}
}

func (r *reader) fail(name string, problem error) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: member %s: %w", ErrMalformed, name, problem)
	}
}
