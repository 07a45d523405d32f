package main

import (
	"strings"
	"testing"
)

// TestDemo: everything is at the printed URLs; a second demo uses other ports.
func TestDemo(t *testing.T) {
	urls := make(map[string]bool)
	for range 2 {
		l := startLocal(t, "demo")
		for pattern, body := range map[string]string{
			`^Open this page in a browser: (http://localhost:[0-9]+/)\n`:  "browserid-login",
			`(?m)^identity provider: +(http://localhost:[0-9]+)$`:         "identity provider",
			`(?m)^  curl -so client\.json (http://localhost:[0-9]+/\S+)$`: "privateKey",
		} {
			url := l.find(t, pattern)
			if got := get(t, url); !strings.Contains(got, body) {
				t.Errorf("%s: %s", url, got)
			}
			if urls[url] {
				t.Errorf("two demos at %s", url)
			}
			urls[url] = true
		}
		resource := l.find(t, `(?m)^protected resource: +(http://localhost:[0-9]+/\S+)$`)
		if !strings.Contains(l.printed, " request "+resource+" --identity client.json --explain\n") {
			t.Errorf("no request for %s: %s", resource, l.printed)
		}
		defer func() {
			if code, stderr := l.end(t); code != 0 || !strings.HasPrefix(stderr, "WARNING: ") || strings.Count(stderr, "\n") != 1 {
				t.Errorf("status %d: %s", code, stderr)
			}
		}()
	}
}
