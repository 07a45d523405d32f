//go:build race

package assertion_test

func init() { mutantStride, hostile = 61, 10_000 }
