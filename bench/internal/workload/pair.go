package workload

import "strings"

// Pair names the algorithms of the issuer's and of the user's key.
type Pair struct{ Issuer, User string }

func (p Pair) String() string { return p.Issuer + "-" + p.User }

// Algorithms are those that are measured, in the order of the benchmarks.
var Algorithms = []string{"RS128", "RS256", "DS128", "DS256"}

// Pairs gives every pair of Algorithms.
func Pairs() []Pair {
	var pairs []Pair
	for _, issuer := range Algorithms {
		for _, user := range Algorithms {
			pairs = append(pairs, Pair{issuer, user})
		}
	}
	return pairs
}

// State is what a verifier has seen before; see the package comment.
type State string

// The states, each knowing more than the one before; First is apart from them.
const (
	Cold  State = "cold"
	Cert  State = "cert"
	Table State = "table"
	First State = "first"
)

// States gives the states that make a difference for the pair.
func (p Pair) States() []State {
	if isDSA(p.User) {
		return []State{Cold, Cert, Table}
	}
	return []State{Cold, Cert}
}

// newcomers says whether everybody comes once, or a few come again and again.
func (s State) newcomers() bool { return s == Cold || s == First }

func isDSA(algorithm string) bool { return strings.HasPrefix(algorithm, "DS") }
