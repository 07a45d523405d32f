//go:build !openssl || !cgo

package openssl

import "github.com/vepverify/vepverify/keys"

// Available says whether OpenSSL was built in.
const Available = false

// Version says nothing: there is no OpenSSL.
func Version() string { return "" }

// Sum is a list of signatures to verify.
type Sum struct{}

// New errs with [ErrNotBuilt].
func New() (*Sum, error) { return nil, ErrNotBuilt }

// Add errs with [ErrNotBuilt].
func (*Sum) Add(keys.PublicKey, string) error { return ErrNotBuilt }

// Run errs with [ErrNotBuilt].
func (*Sum) Run(int) error { return ErrNotBuilt }

// Close does nothing.
func (*Sum) Close() {}
