// Package clitest runs commands within tests.
package clitest

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
)

// Run runs an app and returns its exit status and output. Fields of p that are
// nil get an empty input, an empty environment and the time of the system; Out
// and Err are not used.
func Run(t *testing.T, app *cli.App, p cli.Process, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	p.Out, p.Err = &out, &err
	if p.In == nil {
		p.In = strings.NewReader("")
	}
	if p.Env == nil {
		p.Env = Env()
	}
	if p.Now == nil {
		p.Now = time.Now
	}
	status = app.Run(t.Context(), args, &p)
	return status, out.String(), err.String()
}

// Env returns an environment with these variables, each NAME=value.
func Env(variables ...string) func(name string) (string, bool) {
	return func(name string) (string, bool) {
		for _, v := range variables {
			if n, value, _ := strings.Cut(v, "="); n == name {
				return value, true
			}
		}
		return "", false
	}
}

// Secrets returns flag values that contain the secret: malformed URLs and addresses, and
// a key, an identity and an assertion in place of the names of their files.
func Secrets(secret string) []string {
	return []string{
		"reddis://user:" + secret + "@host",
		"redis:/user:" + secret + "@host",
		"redis://user:" + secret + "@host:port",
		"htp://user:" + secret + "@[",
		"user:" + secret + "@host:1",
		"reddis://:" + strings.Repeat("x", 30) + secret + strings.Repeat("x", 200) + "@host",
		"reddis://user:" + secret + " \"'`\\\u00e9\x1b@host",
		"-----BEGIN PRIVATE KEY-----\n" + secret + "\n",
		`{"secret-key":"` + secret + `"}`,
		"eyJhbGciOiJSUzI1NiJ9." + secret + ".AAAA~eyJhbGciOiJSUzI1NiJ9.e30.AAAA",
		"assertion=eyJhbGciOiJSUzI1NiJ9." + secret + ".AAAA%7EeyJhbGciOiJSUzI1NiJ9.e30.AAAA",
		"'eyJhbGciOiJSUzI1NiJ9." + secret + ".AAAA'",
		" eyJhbGciOiJSUzI1NiJ9." + secret + ".AAAA\r",
	}
}
