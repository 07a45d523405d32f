//go:build !unix

package main

import "time"

// ownCPU returns 0: only Unix is asked for the processor time of this process.
func ownCPU() time.Duration { return 0 }
