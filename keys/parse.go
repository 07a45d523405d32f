package keys

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/vepverify/vepverify/internal/strictjson"
)

// ParsePublicKey reads a public key in any JSON form of PROTOCOL §2. Members
// that the form does not have (kid, use, alg, …) are ignored. The error
// matches [ErrMalformed], [ErrUnknownType], [ErrTooLarge] or [ErrWeak].
func ParsePublicKey(data []byte) (PublicKey, error) {
	k, err := InsecureParsePublicKey(data)
	if err == nil && k.Weak() {
		return nil, weak(k)
	}
	return k, err
}

// InsecureParsePublicKey is [ParsePublicKey] that admits weak keys too.
func InsecureParsePublicKey(data []byte) (PublicKey, error) {
	f, r, err := open(data)
	if err != nil {
		return nil, err
	}
	return f.public(r)
}

// ParsePrivateKey reads a private key in any form that this package writes,
// and RSA keys without their primes, as other implementations write them. The
// numbers must agree with each other. The error matches [ErrMalformed],
// [ErrUnknownType], [ErrTooLarge] or [ErrWeak], and never shows any part of the
// key.
func ParsePrivateKey(data []byte) (PrivateKey, error) {
	return strongPrivate(InsecureParsePrivateKey(data))
}

// InsecureParsePrivateKey is [ParsePrivateKey] that admits weak keys too.
func InsecureParsePrivateKey(data []byte) (PrivateKey, error) {
	f, r, err := open(data)
	if err != nil {
		return nil, err
	}
	return f.private(r)
}

func strongPrivate(k PrivateKey, err error) (PrivateKey, error) {
	if err == nil && k.Public().Weak() {
		return nil, weak(k.Public())
	}
	return k, err
}

func weak(k PublicKey) error {
	return fmt.Errorf("%w: %s", ErrWeak, k.Algorithm())
}

func tooLarge(problem string) error {
	return fmt.Errorf("%w: %s", ErrTooLarge, problem)
}

func malformed(problem string) error {
	return fmt.Errorf("%w: %s", ErrMalformed, problem)
}

// open finds the family of a key and the notation of its numbers. An object
// that could be read as either form is refused: which of them counts is what
// two readers could disagree about.
func open(data []byte) (*family, *reader, error) {
	r := new(reader)
	var err error
	if r.object, err = strictjson.AppendObject(r.room[:0], data); err != nil {
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
		return r.of(find(func(f *family) bool { return f.kty == string(kty) }))
	case legacy:
		algorithm := r.text("algorithm")
		f := find(func(f *family) bool { return f.legacy == string(algorithm) })
		if f != nil {
			r.notation = f.notation
		}
		return r.of(f)
	}
	return nil, nil, malformed("neither kty nor algorithm")
}

// reader gives the numbers of a key. The first fault stays in err, and what is
// read after it counts for nothing.
type reader struct {
	object   strictjson.Object
	room     [6]strictjson.Member // backs object, of usual sizes
	notation notation
	family   *family
	err      error
}

func (r *reader) of(f *family) (*family, *reader, error) {
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

// text gives the string member of that name.
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

// number gives the number of that name, which must be there. Never nil.
func (r *reader) number(name string) *big.Int {
	text := r.text(name)
	if r.err != nil {
		return new(big.Int)
	}
	n, err := r.notation.parse(text, r.family.maxBits)
	if err == errLong {
		r.err = fmt.Errorf("%w: member %s: %w", r.family.tooLong, name, err)
		return new(big.Int)
	}
	if err != nil {
		r.fail(name, err)
		return new(big.Int)
	}
	return n
}

// agrees notes a fault when the number of that name is there but is not want.
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
