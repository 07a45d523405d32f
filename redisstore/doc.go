// Package redisstore keeps in Redis what must be used only once, so that any
// number of processes refuse each other's replays and a restart forgets
// nothing. One type serves every one-use interface of this module, such as
// assertion.OneUse:
//
//	store, err := redisstore.Open("redis://redis.internal:6379", redisstore.Config{})
//	verifier, err := assertion.NewVerifier(assertion.Config{OneUse: store})
//
// [Open] takes a URL, [New] a client of your own, as for Sentinel and Cluster.
// Neither needs the server to be up. Ask [Store.Check] at start whether the
// server keeps what it is told; docs/REPLAY.md says how to set it up, and why.
//
// # What is promised
//
// [Store.FirstUse] is one SET key 1 NX PX ttl. It says true for a key once, and
// false from then on until the key's time has passed; after that it errs. Whatever is
// not a clear answer is an error: no server, no answer in time, a refusal, an
// answer that makes no sense. Then the key may be in Redis or not, and the caller
// must not let pass what it stands for.
//
// The command is never sent twice for one call, whatever retries the client is
// configured with: an answer that was lost, asked for again, would find the call's own
// entry and take a first use for a replay.
//
// Redis learns no key: it gets a SHA-256 of each, and no value. It gets no
// time of day either, only how long an entry is to live, so that its clock may be wrong,
// as long as it runs evenly.
//
// # What is not checked
//
// That Redis forgets nothing. It does when it is not set up for it, when a
// replica takes over that had not received the last entries, and when somebody deletes or
// evicts them.
package redisstore
