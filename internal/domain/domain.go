// Package domain implements the syntax of the domains and email addresses of BrowserID
// (PROTOCOL §4). It decides by syntax alone: package internal/outbound decides whether
// a host may be contacted.
package domain

import "strings"

// Parse returns a domain in lower case, the form in which domains are compared, looked
// up and reported.
//
// A domain has at most 253 bytes. Its labels consist of ASCII letters, digits, '-' and
// '_', and none is empty, so there is no trailing dot. A colon and a port of 1 to 65535
// may follow, and the domain may be an IPv4 address; both are for development.
func Parse(s string) (domain string, ok bool) {
	host, port, hasPort := strings.Cut(s, ":")
	if hasPort && !IsPort(port) {
		return "", false
	}
	if len(host) > maxHost {
		return "", false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || strings.ContainsFunc(label, notInLabel) {
			return "", false
		}
	}
	return strings.ToLower(s), true
}

// IsPort reports whether s is a port: a decimal number from 1 to 65535 without leading
// zeros.
func IsPort(s string) bool {
	if s == "" || s[0] == '0' || len(s) > 5 {
		return false
	}
	n := 0
	for _, c := range []byte(s) {
		if !isDigit(rune(c)) {
			return false
		}
		n = n*10 + int(c-'0')
	}
	return n <= 65535
}

func isLetter(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }
func isDigit(r rune) bool  { return '0' <= r && r <= '9' }

func notInLabel(r rune) bool {
	return !isLetter(r) && !isDigit(r) && r != '-' && r != '_'
}

func notInLocalPart(r rune) bool {
	return !isLetter(r) && !isDigit(r) && !strings.ContainsRune("!#$%&'*+/=?^_`{|}~.-", r)
}

// Email parses an email address. It returns the address with its domain in lower case,
// and that domain. The local part keeps its case.
//
// An address has 3 to 254 bytes and exactly one '@'. Its local part consists of letters,
// digits and !#$%&'*+/=?^_`{|}~.- in any order: there are no quoted local parts and no
// Unicode.
func Email(s string) (email, domain string, ok bool) {
	local, host, _ := strings.Cut(s, "@")
	if len(s) > 254 || local == "" || strings.ContainsFunc(local, notInLocalPart) {
		return "", "", false
	}
	domain, ok = Parse(host)
	switch {
	case !ok:
		return "", "", false
	case domain == host:
		return s, host, true
	}
	return local + "@" + domain, domain, true
}
