//go:build !purego

package mont

func init() { setIFMADigits = setDigits }
