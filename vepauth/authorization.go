package vepauth

import (
	"errors"
	"strings"
)

// Bounds of a header Authorization or WWW-Authenticate that is read: far beyond
// what is sent.
const (
	maxAuthorization = 16 << 10 // bytes
	maxParameters    = 32
	maxName          = 64 // bytes
	maxChallenges    = 32
)

var errAuthorization = errors.New("a malformed header Authorization")

// cutScheme returns what follows an authentication scheme, which has no case, in
// a header Authorization; false if the header is of another scheme.
func cutScheme(header, scheme string) (rest string, ok bool) {
	header = strings.TrimLeft(header, " \t")
	if len(header) < len(scheme) || !strings.EqualFold(header[:len(scheme)], scheme) {
		return "", false
	}
	rest = header[len(scheme):]
	return rest, rest == "" || rest[0] == ' ' || rest[0] == '\t'
}

// parseAuthParams takes apart what follows the scheme in Authorization and
// WWW-Authenticate (RFC 9110, section 11): name=value, the value a token or a
// quoted string, with commas between. It errs on everything else, and on names
// that come twice, whatever their case. Values are not percent-decoded.
func parseAuthParams(s string) ([]parameter, error) {
	return appendAuthParams(make([]parameter, 0, 8), s)
}

// appendAuthParams is parseAuthParams for a slice that is empty and has room.
func appendAuthParams(params []parameter, s string) ([]parameter, error) {
	if len(s) > maxAuthorization {
		return nil, errAuthorization
	}
	for {
		s = strings.TrimLeft(s, " \t,")
		if s == "" {
			return params, nil
		}
		p, rest, ok := cutParameter(s)
		rest = strings.TrimLeft(rest, " \t")
		if !ok || rest != "" && rest[0] != ',' || len(params) == maxParameters || len(p.name) > maxName || hasName(params, p.name) {
			return nil, errAuthorization
		}
		params, s = append(params, p), rest
	}
}

func hasName(params []parameter, name string) bool {
	for _, p := range params {
		if len(p.name) == len(name) && strings.EqualFold(p.name, name) {
			return true
		}
	}
	return false
}

// cutParameter reads name=value off the front of s.
func cutParameter(s string) (p parameter, rest string, ok bool) {
	p.name, rest = cutToken(s)
	rest, found := strings.CutPrefix(strings.TrimLeft(rest, " \t"), "=")
	rest = strings.TrimLeft(rest, " \t")
	if p.name == "" || !found || rest == "" {
		return p, "", false
	}
	if rest[0] == '"' {
		p.value, rest, ok = cutQuoted(rest[1:])
		return p, rest, ok
	}
	p.value, rest = cutToken(rest)
	return p, rest, p.value != ""
}

func cutToken(s string) (token, rest string) {
	end := prefix(&tokenBytes, s)
	return s[:end], s[end:]
}

// cutQuoted reads up to the closing quote (RFC 9110, section 5.6.4). The opening
// one is gone already.
func cutQuoted(s string) (value, rest string, ok bool) {
	end := prefix(&plainQuoted, s)
	if end < len(s) && s[end] == '"' {
		return s[:end], s[end+1:], true
	}
	var unquoted strings.Builder
	for end+1 < len(s) && s[end] == '\\' && (plainQuoted[s[end+1]] || strings.IndexByte(`"\`, s[end+1]) >= 0) {
		unquoted.WriteString(s[:end])
		unquoted.WriteByte(s[end+1])
		s = s[end+2:]
		end = prefix(&plainQuoted, s)
	}
	if end == len(s) || s[end] != '"' {
		return "", "", false
	}
	unquoted.WriteString(s[:end])
	return unquoted.String(), s[end+1:], true
}

// quote writes a quoted string.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
