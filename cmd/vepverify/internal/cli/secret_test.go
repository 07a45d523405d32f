package cli_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
)

// token has the form of a certificate or an assertion.
const token = "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjE3NjcyMjU3MjAwMDB9.c2lnbmF0dXJlLXNlY3JldA"

func TestMayHoldSecret(t *testing.T) {
	for text, want := range map[string]bool{
		token: true, token + "~" + token: true, "'" + token + "'": true, "assertion=" + token: true, " " + token: true, token[:30]: true,
		"eyAiYWxnIjoiUlMyNTYifQ.e30.AAAA": true, "%7E" + token: true, "file:" + token: true, strings.Repeat("c2lnbmF0dXJl", 10): true,
		"redis://user:password@host": true, `{"d":"1"}`: true, "-----BEGIN KEY": true, " -----BEGIN KEY": true,
		"assertion.txt": false, "https://rp.example": false, "keys.json": false, "/home/eyJ.txt/x": false, "eyewitness.example-news.example": false,
		strings.Repeat("0123456789abcdef", 4): false, "ada@idp.example": false, "": false,
	} {
		if got := cli.MayHoldSecret(text); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// TestTokenInError: no error has a token, wherever it is from.
func TestTokenInError(t *testing.T) {
	for _, text := range []string{token, "x" + token[40:] + "~" + token, "cannot read " + token + ": no such file", "%7E" + token[:60] + "…"} {
		_, _, stderr := runCommand(t, func(context.Context, *cli.Call) error { return errors.New("before " + text + " after") })
		if strings.Contains(stderr, token[21:45]) || strings.Contains(stderr, token[:30]) {
			t.Errorf("%s: %s", text, stderr)
		}
	}
}
