//go:build race

package verifyapi_test

func init() { idleConnections = 5_000 }
