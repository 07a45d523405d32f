package workload

import "strings"

// Pair names the algorithms of the issuer's and of the user's key.
type Pair struct{ Issuer, User string }

func (p Pair) String() string { return p.Issuer + "-" + p.User }

// Algorithms are the algorithms that are measured, in the order of the benchmarks.
var Algorithms = []string{"RS128", "RS256", "DS128", "DS256"}

// Pairs returns every pair of Algorithms.
func Pairs() []Pair {
	var pairs []Pair
	for _, issuer := range Algorithms {
		for _, user := range Algorithms {
			pairs = append(pairs, Pair{issuer, user})
		}
	}
	return pairs
}

// State is what a verifier has cached; see the package comment.
type State string

// The states. Cert caches more than Cold, and Table more than Cert.
const (
	Cold  State = "cold"
	Cert  State = "cert"
	Table State = "table"
	First State = "first"
)

// States returns the states that differ for the pair.
func (p Pair) States() []State {
	if isDSA(p.User) {
		return []State{Cold, Cert, Table}
	}
	return []State{Cold, Cert}
}

// newUsers reports whether each assertion is of another user.
func (s State) newUsers() bool { return s == Cold || s == First }

func isDSA(algorithm string) bool { return strings.HasPrefix(algorithm, "DS") }
