package keys

import "github.com/vepverify/vepverify/keys/internal/mont"

// Arithmetic names what verifies signatures on this processor: "AVX-512 IFMA",
// or "portable", for which nothing but time is different.
func Arithmetic() string { return mont.Tier() }
