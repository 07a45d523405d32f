//go:build race

package wellknown_test

func init() { hostile = 10_000 }
