//go:build race

package assertion_test

func init() { mutantStride, hostileAssertions = 61, 10_000 }
