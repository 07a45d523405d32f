package origin

import (
	"errors"
	"strings"

	"github.com/vepverify/vepverify/internal/domain"
	"github.com/vepverify/vepverify/internal/sniff"
)

// NotDomainError is the error for a text that a person gave as a domain or as an email
// address.
type NotDomainError struct {
	Want    string // such as "a domain"
	Is      string // what the text is instead, such as "a URL"; "" if unknown
	Perhaps string // what was probably meant; "" if unknown
}

// Error implements error.
func (e *NotDomainError) Error() string {
	text := "not " + e.Want
	if e.Is != "" {
		text = e.Is + ", not " + e.Want
	}
	if e.Perhaps != "" {
		text += ": perhaps " + e.Perhaps
	}
	return text
}

// WrittenDomain parses a domain as a person writes it, for example on a command line. It
// returns the domain in lower case, and a domain in Unicode in its ASCII form, xn--…. Any
// other text is a [NotDomainError], which has the domain that is probably meant.
func WrittenDomain(text string) (string, error) {
	e := &NotDomainError{Want: "a domain"}
	if sniff.HoldsToken(text) { // which may have the form of a domain, and is not repeated
		e.Is = "a token"
		return "", e
	}
	if name, ok := domain.Parse(ASCII(strings.TrimSpace(text))); ok {
		return name, nil
	}
	rest := strings.Trim(text, " \t\r\n\"'`<>")
	_, afterScheme, isURL := strings.Cut(rest, "://")
	if isURL {
		rest = afterScheme
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest, isURL = rest[:i], true
	}
	at := strings.LastIndex(rest, "@") // before it may be a password
	rest = rest[at+1:]
	switch {
	case isURL:
		e.Is = "a URL"
	case at > 0:
		e.Is = "an email address"
	case strings.HasPrefix(rest, "*."):
		e.Is = "a wildcard"
	}
	rest = strings.TrimPrefix(ASCII(rest), "*.")
	e.Perhaps, _ = domain.Parse(strings.TrimRight(rest, ".,;"))
	return "", e
}

// WrittenEmail parses an email address as a person writes it. It returns the address with
// its domain as [WrittenDomain] does.
func WrittenEmail(text string) (email, host string, err error) {
	e := &NotDomainError{Want: "an email address"}
	local, at, found := strings.Cut(strings.TrimSpace(text), "@")
	if !found || at == "" {
		if _, err := WrittenDomain(text); err == nil && strings.Contains(text, ".") {
			e.Is = "a domain"
		}
		return "", "", e
	}
	name, err := WrittenDomain(at)
	if err == nil {
		if email, host, ok := domain.Email(local + "@" + name); ok {
			return email, host, nil
		}
	}
	if strings.IndexFunc(local, func(r rune) bool { return r > '~' }) >= 0 {
		e.Want = "an address that verifiers accept: the part before the \"@\" must be ASCII"
		return "", "", e
	}
	var bad *NotDomainError
	if errors.As(err, &bad) {
		name = bad.Perhaps
	}
	if i := strings.LastIndexAny(local, "<\"'"); i >= 0 { // as in Ada <ada@idp.example>
		local = local[i+1:]
	}
	local = strings.TrimPrefix(local, "mailto:")
	if strings.Contains(local, ":") { // user:password
		return "", "", e
	}
	e.Perhaps, _, _ = domain.Email(local + "@" + name)
	return "", "", e
}
