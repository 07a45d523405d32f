// Package redisstore keeps one-use entries in Redis, so that any number of
// processes reject each other's replays, and a restart forgets nothing. One type
// implements every one-use interface of this module, such as assertion.OneUse:
//
//	store, err := redisstore.Open("redis://redis.internal:6379", redisstore.Config{})
//	verifier, err := assertion.NewVerifier(assertion.Config{OneUse: store})
//
// [Open] takes a URL: of a server, of a Redis Cluster, or of Sentinels that name the server.
// [New] takes a client of go-redis. Neither needs a server to be up. Call [Store.Check] at
// start: it returns an error if a server refuses the command that the store needs, and reports
// settings with which servers can lose entries. docs/REPLAY.md has the settings that
// Redis needs, and why.
//
// # Guarantees
//
// [Store.FirstUse] sends one SET key 1 NX PX ttl. It returns true for a key once,
// then false until the key's time has passed, and after that an error. It also
// returns an error if Redis does not answer, answers late, refuses the command, or
// sends any other answer. The key may then be in Redis or not, and the caller must
// reject what it stands for.
//
// A command that may have been executed is never sent again, even if the client is configured
// with retries. If its answer were lost, the second command would find the call's own entry,
// and a first use would be reported as a replay. A command is sent again, after a pause and
// within the time limit of the call, only if the server has refused it, and the cause can
// pass by itself: READONLY, MASTERDOWN, NOREPLICAS, LOADING and BUSY, and in a Cluster
// CLUSTERDOWN, TRYAGAIN, MOVED and ASK. Redis sends these before it executes a command.
//
// Redis does not learn the keys: it stores the SHA-256 of each, without a value.
// It gets the lifetime of an entry and no time of day, so its clock may be
// wrong if it runs at the right rate.
//
// # Errors
//
// Errors are for the operator: the address of the server, the cause, and what to do.
// Log them. Of what the server sent, they contain only the code of a refusal, such as
// READONLY: the rest can repeat a command with its password.
//
// # What is not checked
//
// The store does not know whether Redis keeps the entries. Redis loses entries if it
// is not configured to keep them, and if they are deleted or evicted. If a replica takes
// over that had not received the last ones, these are lost, and their keys can be used once
// more. docs/REPLAY.md says which, and what limits them.
package redisstore
