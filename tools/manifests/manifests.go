// Package manifests checks the files of deploy/ in its tests: with the parsers of the programs that
// read them, with those programs themselves where they are installed, and against what the service
// has: its flags, its paths and its metrics.
package manifests
