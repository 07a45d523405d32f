// Package arithmetic chooses the implementation of modular arithmetic that package
// keys verifies signatures with, and names it for version information and
// benchmarks. The implementations are in keys/internal/mont.
//
// The choice depends on the processor alone. The build tag purego leaves the
// assembly out, and GODEBUG=cpu.avx512f=off in the environment switches it off. The
// results are the same; only the time differs.
package arithmetic

import "golang.org/x/sys/cpu"

// The names of the implementations.
const (
	IFMA     = "AVX-512 IFMA" // assembly for amd64 processors since about 2019
	Portable = "portable"     // Go
)

// Name returns the name of the implementation in use: [IFMA] or [Portable].
func Name() string {
	x := &cpu.X86
	if hasAssembly && x.HasAVX512F && x.HasAVX512DQ && x.HasAVX512VL && x.HasAVX512IFMA {
		return IFMA
	}
	return Portable
}
