package workload

import "github.com/vepverify/vepverify/assertion"

// smallCache is a cache size that a pool of new users always overflows: a certificate is
// evicted before it repeats.
const smallCache = PoolSize / 4

// off switches a cache off.
const off = -1

// configOf returns a configuration with the caches of the state, and no others.
func configOf(s State) assertion.Config {
	switch s {
	case Cert:
		return assertion.Config{KeyTables: off}
	case Table:
		return assertion.Config{}
	case First:
		return assertion.Config{CertificateCache: smallCache}
	}
	return assertion.Config{CertificateCache: off, KeyTables: off}
}

// warmUp returns the number of verifications that lead to the state: several of each
// returning user, or as many as fill the cache of certificates.
func (s State) warmUp() int {
	switch s {
	case Cold:
		return 16
	case First:
		return smallCache
	}
	return 4 * Users
}
