//go:build amd64 && !purego

package arithmetic

const hasAssembly = true
