// Package workload makes what the benchmarks verify: pools of distinct backed
// assertions, and verifiers in a named state.
//
// Benchmarks are named after a [Pair] and a [State]. [NewGenerator] starts the
// identity providers, [Generator.Pool] returns a pool, and [Generator.NewRunner] a
// verifier in a state with a pool. [Plain] is the same verification in plain code
// with the standard library, for comparison.
//
// # States
//
// The issuer's support document is always known: a wellknown.Resolver has fetched
// it once, over TLS, and is called in every verification. An assertion is verified
// once in a round of the whole pool of [PoolSize]. No answer is cached.
//
//   - cold: the assertion, its certificate and, for DSA, the user's key are new.
//     The caches of certificates and of key tables are off.
//   - cert: [Users] users return with new assertions. The verifier has cached their
//     certificates; key tables are off.
//   - table: the same with key tables on. RSA keys have no tables, so this state
//     exists only for users with DSA keys.
//   - first: all caches are on, the issuer's key table included, and each
//     certificate is new. It is the cost of a user's first visit, with the upkeep of
//     caches that do not help. No goal is set for it.
//
// The few dozen RSA user keys of a pool repeat in the state cold too, with different
// certificates: nothing is cached for an RSA key itself.
//
// # What the figures do not say
//
// The keys and nonces made here are related to each other. That makes them cheap,
// and worthless as secrets; arithmetic with them costs the same as with others. The
// clock stands still, so that pools do not expire, which saves one reading of it
// (about 50 ns). Pools take tens of megabytes without pointers, so garbage is
// collected less often than in a small process.
package workload
