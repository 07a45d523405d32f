// Package domain holds the syntax of the domains and email addresses that
// BrowserID speaks of. It decides by syntax alone: whether a host may be
// contacted is the network fetcher's decision.
package domain

import "strings"

// Parse gives the form in which domains are compared, looked up and reported:
// lower case. Domains are ASCII: labels of letters, digits, '-' and '_', none
// of them empty (so no trailing dot), at most 253 bytes. A port of 1 to 65535
// may follow after a colon, and an IPv4 address passes, both for development.
func Parse(s string) (string, bool) {
	host, port, hasPort := strings.Cut(s, ":")
	if hasPort && !IsPort(port) {
		return "", false
	}
	if len(host) > 253 {
		return "", false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || strings.ContainsFunc(label, notInLabel) {
			return "", false
		}
	}
	return strings.ToLower(s), true
}

// IsPort says whether s is a port: 1 to 65535, in decimal without leading zeros.
func IsPort(s string) bool {
	if s == "" || s[0] == '0' || len(s) > 5 {
		return false
	}
	n := 0
	for _, c := range []byte(s) {
		if !digit(rune(c)) {
			return false
		}
		n = n*10 + int(c-'0')
	}
	return n <= 65535
}

func letter(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }
func digit(r rune) bool  { return '0' <= r && r <= '9' }

func notInLabel(r rune) bool {
	return !letter(r) && !digit(r) && r != '-' && r != '_'
}

func notInLocalPart(r rune) bool {
	return !letter(r) && !digit(r) && !strings.ContainsRune("!#$%&'*+/=?^_`{|}~.-", r)
}

// Email takes an address apart and gives it with its domain in lower case (the
// local part keeps its case), and that domain. Addresses have 3 to 254 bytes
// and exactly one '@'; the local part has letters, digits and
// !#$%&'*+/=?^_`{|}~.- and nothing else, in any order; there are no quoted
// local parts and no Unicode.
func Email(s string) (email, host string, ok bool) {
	local, host, _ := strings.Cut(s, "@")
	if len(s) > 254 || local == "" || strings.ContainsFunc(local, notInLocalPart) {
		return "", "", false
	}
	lower, ok := Parse(host)
	switch {
	case !ok:
		return "", "", false
	case lower == host:
		return s, host, true
	}
	return local + "@" + lower, lower, true
}
