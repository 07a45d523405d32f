//go:build race

package verifyapi_test

func init() { crowdSize = 5_000 }
