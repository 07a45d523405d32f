package keys

import (
	"fmt"
	"math/big"
	"slices"
)

// family is what the package knows of one kind of key. Each lives in a file of
// its own, which registers it; no other file knows a family by name.
type family struct {
	legacy   string   // the "algorithm" of the legacy form
	kty      string   // the "kty" of the JWK form
	notation notation // of the numbers in the legacy form
	names    []string // the algorithm names that its keys imply
	maxBits  int      // length of the longest number
	tooLong  error    // the class of a key with a longer one

	// public and private read the members that the family wants and make
	// every load-time check but the one for weakness.
	public  func(*reader) (PublicKey, error)
	private func(*reader) (PrivateKey, error)
	// generate makes a key for one of names.
	generate func(name string) (PrivateKey, error)
}

// families is written by init functions only.
var families []*family

func register(f *family) { families = append(families, f) }

// Algorithms returns the names of all algorithms in alphabetical order. RS64, whose
// keys are weak, is included.
func Algorithms() []string {
	var all []string
	for _, f := range families {
		all = append(all, f.names...)
	}
	slices.Sort(all)
	return all
}

// Generate makes a key for one of [Algorithms] from crypto/rand. It errs with
// [ErrUnknownType] for any other name and with [ErrWeak] for RS64.
func Generate(alg string) (PrivateKey, error) {
	return strongPrivate(InsecureGenerate(alg))
}

// InsecureGenerate is [Generate] that makes weak keys too.
func InsecureGenerate(alg string) (PrivateKey, error) {
	f := named(alg)
	if f == nil {
		return nil, fmt.Errorf("%w: no such algorithm", ErrUnknownType)
	}
	return f.generate(alg)
}

func named(alg string) *family {
	return find(func(f *family) bool { return slices.Contains(f.names, alg) })
}

func find(fits func(*family) bool) *family {
	if i := slices.IndexFunc(families, fits); i >= 0 {
		return families[i]
	}
	return nil
}

// member is one number of a key, under its name in JSON.
type member struct {
	name  string
	value *big.Int
}

func (f *family) writeLegacy(members ...member) ([]byte, error) {
	return write("algorithm", f.legacy, f.notation, members), nil
}

func (f *family) writeJWK(members ...member) ([]byte, error) {
	return write("kty", f.kty, base64url, members), nil
}

// write needs no JSON encoder: names and notations are plain ASCII, and the
// members keep their order.
func write(label, kind string, n notation, members []member) []byte {
	b := fmt.Appendf(nil, `{"%s":"%s"`, label, kind)
	for _, m := range members {
		b = fmt.Appendf(b, `,"%s":"%s"`, m.name, n.format(m.value))
	}
	return append(b, '}')
}

// canonical joins an algorithm name and numbers unambiguously: neither holds a
// colon, and the least hexadecimal form of a number is unique.
func canonical(name string, numbers ...*big.Int) []byte {
	b := []byte(name)
	for _, n := range numbers {
		b = append(b, ':')
		b = n.Append(b, 16)
	}
	return b
}
