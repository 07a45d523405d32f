// Package openssl verifies signatures with OpenSSL in this process, as the base of the
// benchmarks. It needs the build tag openssl, cgo, and OpenSSL's headers (libssl-dev on
// Debian):
//
//	go test -tags openssl ./bench/internal/openssl
//
// Without the tag it has the same functions, and [Available] is false.
//
// Only the arithmetic is measured: keys and contexts are prepared once and reused, digests
// and DER signatures are computed in advance. [Sum.Run] stays in C for all its
// verifications. Start with [New].
package openssl

import "errors"

// ErrNotBuilt means that the program was built without OpenSSL.
var ErrNotBuilt = errors.New("built without OpenSSL: install libssl-dev and build with -tags openssl")

// ErrVerify means that OpenSSL failed, or that a signature is invalid.
var ErrVerify = errors.New("openssl")
