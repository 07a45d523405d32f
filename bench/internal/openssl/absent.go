//go:build !openssl || !cgo

package openssl

import "github.com/vepverify/vepverify/keys"

// Available reports whether the program was built with OpenSSL.
const Available = false

// Version returns an empty string.
func Version() string { return "" }

// Sum is a list of signatures to verify.
type Sum struct{}

// New returns [ErrNotBuilt].
func New() (*Sum, error) { return nil, ErrNotBuilt }

// Add returns [ErrNotBuilt].
func (*Sum) Add(keys.PublicKey, string) error { return ErrNotBuilt }

// Run returns [ErrNotBuilt].
func (*Sum) Run(int) error { return ErrNotBuilt }

// Close does nothing.
func (*Sum) Close() {}
