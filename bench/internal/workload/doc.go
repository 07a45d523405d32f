// Package workload makes what the benchmarks verify: pools of backed assertions so
// large that no answer comes twice in a row, and verifiers in a named state.
//
// [Pair] and [State] are what benchmarks are named after. [NewMint] starts the
// identity providers, [Mint.Pool] mints, [NewRunner] makes a verifier in a
// state and a pool ready to run. [Plain] is the same verification written in
// the plainest way with the standard library, for comparison.
//
// # States
//
// The issuer's support document is always known: a real wellknown.Resolver has
// fetched it once, over TLS, and is asked in every verification. An assertion
// is verified once in a round of the whole pool, [PoolSize] of them, and there
// is no cache of answers anywhere.
//
//   - cold: nothing of the assertion was met before. Caches are off (certificates
//     and key tables), and every assertion has a certificate of its own and,
//     for DSA, a user key of its own.
//   - cert: [Users] users come again and again with new assertions. The verifier
//     remembers their certificates; key tables are off.
//   - table: the same with key tables on. Users with RSA keys have none, so
//     that the state exists only for those with DSA keys.
//   - first, in none of the goals: all caches on, issuer's key table included,
//     and yet each certificate is new: what a user's first visit costs, with the
//     upkeep of caches that do not help.
//
// The few dozen RSA user keys of a pool come around again also in the state
// cold, where their certificates differ: nothing is kept for an RSA key itself.
//
// # What the figures do not say
//
// The keys and nonces minted here are related to each other, which makes them
// cheap and worthless as secrets; arithmetic on them costs what it costs for
// any other. The clock stands still, so that pools do not expire: that saves
// one reading of it, some 50 ns. Pools take tens of megabytes that hold no
// pointers, so that garbage is collected less often than in a small process.
package workload
