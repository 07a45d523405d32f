package workload

import "github.com/vepverify/vepverify/assertion"

// few is a size of cache that a pool of newcomers always overflows: what is
// looked for in it has just been dropped.
const few = PoolSize / 4

// none switches a cache off.
const none = -1

// configOf switches on the caches of a state and no others.
func configOf(s State) assertion.Config {
	switch s {
	case Cert:
		return assertion.Config{KeyTables: none}
	case Table:
		return assertion.Config{}
	case First:
		return assertion.Config{CertificateCache: few}
	}
	return assertion.Config{CertificateCache: none, KeyTables: none}
}

// warmUp is how many verifications lead to the state: for users that come
// again, several visits of each; for the first visits, as many as fill the
// cache of certificates.
func (s State) warmUp() int {
	switch s {
	case Cold:
		return 16
	case First:
		return few
	}
	return 4 * Users
}
