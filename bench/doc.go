// Package bench holds the benchmarks of whole verifications. It exports nothing.
//
//	go test -bench . ./bench         every pair of algorithms, in every state
//	go run ./bench/compare           beside crypto/*, OpenSSL and Node, in one run
//	go run ./bench/growth            against workers, issuers and sizes of caches
//	go run ./bench/load              the service under load
//	go run ./bench/batch             the command's batch mode
//
// BenchmarkVerify/<issuer>-<user>/<state> is named after the algorithms of the
// issuer's and of the user's key. Package workload defines the states.
package bench
