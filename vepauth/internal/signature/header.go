package signature

import (
	"crypto/hmac"
	"encoding/base64"
	"strings"
)

// Limits of a parsed Authorization or WWW-Authenticate header. Known clients and
// servers send much less.
const (
	MaxHeader     = 16 << 10 // bytes
	maxParameters = 32
	maxName       = 64 // bytes
	MaxChallenges = 32
)

// parameter is a name with its value.
type parameter struct{ name, value string }

// Authorization is the parsed Authorization header of a signed request.
type Authorization struct {
	Token, Timestamp, Nonce string

	signature string // base64
	ext       string // MAC: the parameter ext

	method   string      // OAuth: the signature method
	signed   []parameter // OAuth: the parameters of the header that are signed
	hasExtra bool        // OAuth: one of them is not a protocol parameter

	// Backing arrays for the parameters of the header and for signed: one
	// allocation for everything (BenchmarkSigned).
	header, buf [8]parameter
}

// Parse parses the credentials of a scheme in the Authorization headers of a request. It
// returns nil if no header has the scheme.
func Parse(s Scheme, headers []string) (*Authorization, error) {
	for _, header := range headers {
		params, ok := CutScheme(header, s.AuthScheme())
		if !ok {
			continue
		}
		if len(headers) > 1 {
			return nil, ErrHeaders
		}
		if params != "" && params[0] != ' ' && params[0] != '\t' { // as in "OAuth, a=b"
			return nil, ErrHeader
		}
		a := new(Authorization)
		parsed, err := appendParams(a.header[:0], params)
		if err != nil {
			return nil, err
		}
		if err := s.parse(a, parsed); err != nil {
			return nil, err
		}
		return a, a.checkComplete()
	}
	return nil, nil
}

// CutScheme returns what follows an authentication scheme in an Authorization header: in a
// well-formed one nothing, or a space and more. It reports whether the header has that
// scheme. Case does not matter.
func CutScheme(header, scheme string) (rest string, found bool) {
	token, rest := cutToken(strings.TrimLeft(header, " \t"))
	return rest, strings.EqualFold(token, scheme)
}

// checkComplete returns an error if a parameter is missing that both schemes need.
func (a *Authorization) checkComplete() error {
	switch {
	case a.Token == "":
		return ErrNoToken
	case a.Timestamp == "":
		return ErrNoTimestamp
	case a.Nonce == "":
		return ErrNoNonce
	case a.signature == "":
		return ErrNoSignature
	}
	return nil
}

var strictBase64 = base64.StdEncoding.Strict()

// matches reports whether the signature of the header is mac, in constant time.
func (a *Authorization) matches(mac []byte) bool {
	var buf [64]byte // longer than any MAC
	got, err := strictBase64.AppendDecode(buf[:0], []byte(a.signature))
	return err == nil && hmac.Equal(got, mac)
}

// appendParams parses the parameters that follow the scheme in Authorization and
// WWW-Authenticate (RFC 9110, section 11): name=value, where the value is a token
// or a quoted string, with commas between. It appends them to params, which must be
// empty. A name that occurs twice, in any case, is an error. Values are not
// percent-decoded.
func appendParams(params []parameter, s string) ([]parameter, error) {
	if len(s) > MaxHeader {
		return nil, ErrHeader
	}
	for {
		s = strings.TrimLeft(s, " \t,")
		if s == "" {
			return params, nil
		}
		p, rest, ok := cutParameter(s)
		if !ok || !endsElement(rest) || !isNew(params, p) {
			return nil, ErrHeader
		}
		params, s = append(params, p), rest
	}
}

// isNew reports whether a parameter may be added to the others.
func isNew(params []parameter, p parameter) bool {
	return len(params) < maxParameters && len(p.name) <= maxName && !hasName(params, p.name)
}

// hasName reports whether one of the parameters has a name, in any case.
func hasName(params []parameter, name string) bool {
	for _, p := range params {
		if len(p.name) == len(name) && strings.EqualFold(p.name, name) {
			return true
		}
	}
	return false
}

// cutParameter cuts name=value off the front of s.
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

// cutToken cuts a token off the front of s. The token may be empty.
func cutToken(s string) (token, rest string) {
	end := tokenBytes.prefix(s)
	return s[:end], s[end:]
}

// cutQuoted cuts a quoted string (RFC 9110, section 5.6.4) off the front of s, which
// begins after the opening quote.
func cutQuoted(s string) (value, rest string, ok bool) {
	end := quotedBytes.prefix(s)
	if end < len(s) && s[end] == '"' {
		return s[:end], s[end+1:], true
	}
	var unquoted strings.Builder
	for end+1 < len(s) && s[end] == '\\' && (quotedBytes[s[end+1]] || strings.IndexByte(`"\`, s[end+1]) >= 0) {
		unquoted.WriteString(s[:end])
		unquoted.WriteByte(s[end+1])
		s = s[end+2:]
		end = quotedBytes.prefix(s)
	}
	if end == len(s) || s[end] != '"' {
		return "", "", false
	}
	unquoted.WriteString(s[:end])
	return unquoted.String(), s[end+1:], true
}

var quoter = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// Quote returns s as a quoted string.
func Quote(s string) string { return `"` + quoter.Replace(s) + `"` }

// Challenge is one challenge of a WWW-Authenticate header.
type Challenge struct {
	Scheme string
	// Malformed means that the challenge has a syntax error. The parameters
	// before the error are there.
	Malformed bool

	params []parameter
}

// Param returns the value of the parameter with a name, in any case, and "" if there is
// none.
func (c Challenge) Param(name string) string {
	for _, p := range c.params {
		if strings.EqualFold(p.name, name) {
			return p.value
		}
	}
	return ""
}

// ParseChallenges parses a WWW-Authenticate header (RFC 9110, section 11.6.1):
// challenges with commas between. A challenge is a scheme alone, or a scheme with a
// token68, which is dropped, or with parameters. A syntax error ends the parsing
// and marks the challenge that contains it.
func ParseChallenges(s string) (all []Challenge) {
	if len(s) > MaxHeader {
		return nil
	}
	for {
		s = strings.TrimLeft(s, " \t,")
		if s == "" || len(all) == MaxChallenges {
			return all
		}
		var ok bool
		if p, rest, isParam := cutParameter(s); isParam && len(all) > 0 {
			s, ok = rest, all[len(all)-1].add(p)
		} else {
			var c Challenge
			c, s, ok = cutChallenge(s)
			all = append(all, c)
		}
		if !ok || !endsElement(s) {
			all[len(all)-1].Malformed = true
			return all
		}
	}
}

// add adds a parameter. It reports whether there was room and the name is new.
func (c *Challenge) add(p parameter) bool {
	if !isNew(c.params, p) {
		return false
	}
	c.params = append(c.params, p)
	return true
}

// cutChallenge cuts a scheme off the front of s, with what follows it up to the
// next comma.
func cutChallenge(s string) (c Challenge, rest string, ok bool) {
	c.Scheme, rest = cutToken(s)
	if c.Scheme == "" || endsElement(rest) {
		return c, rest, c.Scheme != ""
	}
	s = strings.TrimLeft(rest, " \t")
	if len(s) == len(rest) {
		return c, rest, false
	}
	if p, rest, isParam := cutParameter(s); isParam {
		return c, rest, c.add(p)
	}
	rest, ok = cutToken68(s)
	return c, rest, ok
}

// cutToken68 cuts a token68 (RFC 9110, section 11.2) off the front of s.
func cutToken68(s string) (rest string, ok bool) {
	rest = strings.TrimLeft(s, alphanumeric+"-._~+/")
	return strings.TrimLeft(rest, "="), len(rest) < len(s)
}

// endsElement reports whether s begins with a comma or is at its end.
func endsElement(s string) bool {
	s = strings.TrimLeft(s, " \t")
	return s == "" || s[0] == ','
}
