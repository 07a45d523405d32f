package target_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/internal/target"
)

// characterError returns the *target.CharacterError of an error, nil if there is none.
func characterError(err error) *target.CharacterError {
	var e *target.CharacterError
	errors.As(err, &e)
	return e
}

func TestCheck(t *testing.T) {
	type fault = target.CharacterError
	for text, want := range map[string]*fault{
		"": nil, "/": nil, "/a%2fb?c=%C3%A9+d&e": nil, `/a|b{}[]"<>\^` + "`~!$&'()*+,;=:@?": nil,

		"a b":                   {' ', 2, "%20"},
		"/x HTTP/1.1":           {' ', 3, "%20"},
		" a":                    {' ', 1, "%20"},
		"a ":                    {' ', 2, "%20"},
		"a\tb":                  {'\t', 2, "%09"},
		"a\r\nb":                {'\r', 2, "%0D"},
		"a\nb":                  {'\n', 2, "%0A"},
		"a\x00":                 {0, 2, "%00"},
		"a\x7f":                 {0x7f, 2, "%7F"},
		"a\u0085":               {0x85, 2, "%C2%85"},
		"é":                     {'é', 1, "%C3%A9"},
		"aé":                    {'é', 2, "%C3%A9"},
		"😀":                     {'😀', 1, "%F0%9F%98%80"},
		"a\u00a0":               {0xa0, 2, "%C2%A0"},
		"a\xff":                 {utf8.RuneError, 2, "%FF"},
		"a#b":                   {'#', 2, "%23"},
		"a%":                    {'%', 2, "%25"},
		"a%4":                   {'%', 2, "%25"},
		"a%4x":                  {'%', 2, "%25"},
		"%20%zz":                {'%', 4, "%25"},
		"100%&b=1":              {'%', 4, "%25"},
		strings.Repeat("a", 99): nil,
	} {
		if got := characterError(target.Check(text)); cmp.Diff(want, got) != "" {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestCheckURL(t *testing.T) {
	type fault = target.CharacterError
	for text, want := range map[string]*fault{
		"https://rp.example/a?b": nil, "https://bücher.example:8443/": nil, "https://[fe80::1%25eth0]/": nil, "rp.example": nil, "": nil,

		" https://rp.example/":         {' ', 1, "%20"},
		"https://rp.example /":         {' ', 19, ""},
		"https://rp.example/ ":         {' ', 20, "%20"},
		"https://bücher.example/é":     {'é', 24, "%C3%A9"},
		"https://rp.example?q=a b":     {' ', 23, "%20"},
		"https://rp.example/#a":        {'#', 20, "%23"},
		"https://rp.example#a":         {'#', 19, "%23"},
		"https://rp\n.example/":        {'\n', 11, ""},
		"https://rp\u0085.example/":    {0x85, 11, ""},
		"https://rp\xff.example/":      {utf8.RuneError, 11, ""},
		"httpé://rp.example/":          {'é', 5, "%C3%A9"},
		"https://[fe80::1%eth0]/":      {'%', 17, ""},
		"/a?url=https://é":             {'é', 16, "%C3%A9"}, // no host
		"?é://a":                       {'é', 2, "%C3%A9"},
		"https://rp.example/?a=b\r\nc": {'\r', 24, "%0D"},
	} {
		if got := characterError(target.CheckURL(text)); cmp.Diff(want, got) != "" {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// TestCharacterErrorText checks that the text shows no character that a terminal would
// interpret.
func TestCharacterErrorText(t *testing.T) {
	for text, want := range map[string]string{
		"q=a b":   "a space at character 4: write %20",
		"\x1b[0m": "U+001B at character 1: write %1B",
		"\u202e":  "U+202E at character 1: write %E2%80%AE",
		"%zz":     "a % without two hexadecimal digits at character 1: write %25",
	} {
		if err := target.Check(text); err == nil || err.Error() != want {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := target.CheckHost("a b"); err == nil || err.Error() != "a space at character 2, in the host" {
		t.Errorf("host: %v", err)
	}
}
