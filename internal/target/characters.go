package target

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// CharacterError means that a URL has a character that a request line must not have as it
// is. Its text contains no other part of the URL.
type CharacterError struct {
	// Character is the character: a space, a control, '#', one outside ASCII, or
	// utf8.RuneError for a byte that is not UTF-8. '%' means a percent sign without two
	// hexadecimal digits after it.
	Character rune
	// Position is the number of the character in the text, from 1.
	Position int
	// Encoded is the percent-encoding of the character, "" in a host, which has none.
	Encoded string
}

// characterNames are the names of characters that are hard to see.
var characterNames = map[rune]string{
	' ': "a space", '\t': "a tab", '\n': "a line feed", '\r': "a carriage return", '%': "a % without two hexadecimal digits",
	'#': "a #", utf8.RuneError: "a byte that is not UTF-8",
}

// Error implements error.
func (e *CharacterError) Error() string {
	name, found := characterNames[e.Character]
	if !found {
		name = fmt.Sprintf("%U", e.Character)
	}
	if e.Encoded == "" {
		return fmt.Sprintf("%s at character %d, in the host", name, e.Position)
	}
	return fmt.Sprintf("%s at character %d: write %s", name, e.Position, e.Encoded)
}

// Check returns a *CharacterError for the first character of a path or query, as it is to
// be sent, that a request line must not have. net/http sends such a query as it is: what
// follows a space would be taken for the version of HTTP. Other printable characters of
// ASCII that RFC 3986 excludes, such as '|', are accepted, as browsers send them.
func Check(text string) error { return check(text, 0, false) }

// CheckHost is Check for a host, which may be written in Unicode.
func CheckHost(text string) error { return check(text, 0, true) }

// CheckURL is Check for a whole URL. Its host may be written in Unicode.
func CheckURL(text string) error {
	scheme, rest, found := strings.Cut(text, "://")
	if !found || strings.ContainsAny(scheme, "/?#") {
		return Check(text)
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	parts := []string{scheme + "://", rest[:end], rest[end:]}
	position := 0
	for i, part := range parts {
		if err := check(part, position, i == 1); err != nil {
			return err
		}
		position += utf8.RuneCountInString(part)
	}
	return nil
}

// check is Check, or CheckHost, for a part of a text after a number of characters.
func check(part string, before int, isHost bool) error {
	position := before
	for i, c := range part {
		position++
		bad := c <= ' ' || c == '#' || c > '~' || c == '%' && !isEncoded(part[i:])
		switch {
		case bad && !isHost:
			_, size := utf8.DecodeRuneInString(part[i:])
			return &CharacterError{c, position, encode(part[i : i+size])}
		case bad && (c < 0xa0 || c == utf8.RuneError): // the first 32 after ASCII are controls
			return &CharacterError{c, position, ""}
		}
	}
	return nil
}

// isEncoded reports whether s begins with a percent-encoded byte.
func isEncoded(s string) bool {
	return len(s) >= 3 && isHex(s[1]) && isHex(s[2])
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// encode returns the percent-encoding of every byte of s.
func encode(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}
