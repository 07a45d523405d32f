package discovery

import "github.com/vepverify/vepverify/internal/domain"

// maxHost is the length of the longest host name (RFC 1035, section 2.3.4).
const maxHost = 253

// IsHost reports whether s is a canonical host name (rule 8.record).
func IsHost(s string) bool { return domain.IsHost(s) }

// EmailDomain returns the domain of an email address of the protocol (rule 3.email): an address
// by the production of WHATWG's HTML, of at most 254 bytes, whose domain is a canonical host
// name.
func EmailDomain(email string) (host string, ok bool) {
	canonical, host, ok := domain.Email(email)
	return host, ok && canonical == email && IsHost(host)
}

// Lower returns s with the letters of ASCII in lower case. strings.ToLower would also make
// letters of ASCII from others, such as the Kelvin sign.
func Lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
