package keys

import "github.com/vepverify/vepverify/keys/internal/dsa"

// The groups of the keys that [Generate] makes.
var (
	group1024 = dsa.PublicKey{P: dsa.FIPS1024.P, Q: dsa.FIPS1024.Q, G: dsa.FIPS1024.G}
	group2048 = dsa.PublicKey{P: dsa.FIPS2048.P, Q: dsa.FIPS2048.Q, G: dsa.FIPS2048.G}
)
