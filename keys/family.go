package keys

import (
	"fmt"
	"math/big"
	"slices"
)

// family describes one kind of key. Each family is registered by a file of its own; no
// other file refers to a family by name.
type family struct {
	legacy   string   // the "algorithm" of the legacy form
	kty      string   // the "kty" of the JWK form
	notation notation // of the numbers in the legacy form
	names    []string // the algorithm names that its keys imply
	maxBits  int      // length of the longest number, in bits
	tooLong  error    // the error that a key with a longer number matches

	// public and private read the members that the family needs and make every
	// check of parsing except the one for weakness.
	public  func(*reader) (PublicKey, error)
	private func(*reader) (PrivateKey, error)
	// generate makes a key for one of names.
	generate func(name string) (PrivateKey, error)
}

// families is written by init functions only.
var families []*family

func register(f *family) { families = append(families, f) }

// Algorithms returns the names of all algorithms in alphabetical order. RS64, whose
// keys are all weak, is included.
func Algorithms() []string {
	var all []string
	for _, f := range families {
		all = append(all, f.names...)
	}
	slices.Sort(all)
	return all
}

// Generate generates a key for one of [Algorithms] with randomness of crypto/rand. The
// error matches [ErrUnknownType] for any other name, and [ErrWeak] for [RS64].
func Generate(alg string) (PrivateKey, error) {
	return requireStrong(InsecureGenerate(alg))
}

// InsecureGenerate is like [Generate] but generates weak keys too.
func InsecureGenerate(alg string) (PrivateKey, error) {
	f := findFamily(func(f *family) bool { return slices.Contains(f.names, alg) })
	if f == nil {
		return nil, fmt.Errorf("%w: no such algorithm", ErrUnknownType)
	}
	return f.generate(alg)
}

// findFamily returns the family that matches, or nil.
func findFamily(match func(*family) bool) *family {
	if i := slices.IndexFunc(families, match); i >= 0 {
		return families[i]
	}
	return nil
}

// member is one number of a key, with its name in JSON.
type member struct {
	name  string
	value *big.Int
}

func (f *family) marshalLegacy(members ...member) ([]byte, error) {
	return marshal("algorithm", f.legacy, f.notation, members), nil
}

func (f *family) marshalJWK(members ...member) ([]byte, error) {
	return marshal("kty", f.kty, base64url, members), nil
}

// marshal returns the JSON object of a key, with the members in their order. It needs no
// JSON encoder, because all names and notations are plain ASCII.
func marshal(label, kind string, n notation, members []member) []byte {
	b := fmt.Appendf(nil, `{"%s":"%s"`, label, kind)
	for _, m := range members {
		b = fmt.Appendf(b, `,"%s":"%s"`, m.name, n.format(m.value))
	}
	return append(b, '}')
}

// canonical returns the name of an algorithm and numbers, joined by colons. The result is unambiguous: no
// part contains a colon, and a number has one shortest hexadecimal form.
func canonical(name string, numbers ...*big.Int) []byte {
	b := []byte(name)
	for _, n := range numbers {
		b = append(b, ':')
		b = n.Append(b, 16)
	}
	return b
}

// leftPad appends signature to buf, padded with zeros to its full length: some signers
// dropped leading zero bytes (PROTOCOL 2.sig-short). It returns a longer signature as
// it is; no algorithm accepts one.
func leftPad(buf, signature []byte, size int) []byte {
	if len(signature) >= size {
		return signature
	}
	buf = append(buf, make([]byte, size-len(signature))...)
	return append(buf, signature...)
}
