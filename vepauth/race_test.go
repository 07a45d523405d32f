//go:build race

package vepauth_test

func init() { raceDetector = true }
