package domain

import "strings"

// Limits of a host name (RFC 1035, section 2.3.4).
const (
	maxHost  = 253
	maxLabel = 63
)

// IsHost reports whether s is a canonical host name of the public Internet: labels of 1 to 63
// lower-case letters, digits and hyphens, without a hyphen at either end; at least two of
// them; at most 253 bytes; and a last label that is not a number, which would make it an
// IPv4 address for some resolvers.
func IsHost(s string) bool {
	if len(s) > maxHost {
		return false
	}
	labels, last := 0, ""
	for label := range strings.SplitSeq(s, ".") {
		if !isHostLabel(label) {
			return false
		}
		labels, last = labels+1, label
	}
	return labels >= 2 && !IsNumber(last)
}

func isHostLabel(s string) bool {
	return s != "" && len(s) <= maxLabel && s[0] != '-' && s[len(s)-1] != '-' && !strings.ContainsFunc(s, notInHostLabel)
}

func notInHostLabel(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
}

// IsNumber reports whether a label in lower case is a decimal number, or a hexadecimal one with
// 0x. Some resolvers read a host with such a last label as an IPv4 address: 127.0.0.1, but also
// 127.1, 2130706433 and 0x7f.1. No top-level domain is a number.
func IsNumber(label string) bool {
	digits := "0123456789"
	if hex, ok := strings.CutPrefix(label, "0x"); ok {
		label, digits = hex, digits+"abcdef"
	}
	return strings.Trim(label, digits) == ""
}
