package mont

import "math/big"

// NewPortable is [New] without the choice.
func NewPortable(n *big.Int) Ring { return newPortable(n) }
