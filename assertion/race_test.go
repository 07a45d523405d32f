//go:build race

package assertion_test

func init() { mutantStride = 61 }
