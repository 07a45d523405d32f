// Package openssl verifies signatures with OpenSSL, in this process, to have
// something to measure against. It is built with the tag openssl, and needs
// cgo and OpenSSL's headers (libssl-dev on Debian):
//
//	go test -tags openssl ./bench/internal/openssl
//
// Without the tag it has the same functions, and [Available] says false.
//
// What is measured is the arithmetic alone: keys and contexts are prepared, and
// reused, digests and DER signatures are given. [Sum.Run] stays in C for all its
// verifications. Start with [New].
package openssl

import "errors"

// ErrNotBuilt says how to get OpenSSL into the program.
var ErrNotBuilt = errors.New("built without OpenSSL: install libssl-dev and give -tags openssl")

// ErrVerify: OpenSSL failed, or found a signature invalid.
var ErrVerify = errors.New("openssl")
