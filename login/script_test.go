package login_test

import (
	"context"
	"encoding/json"
	"html/template"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/internal/testtool"
	"github.com/vepverify/vepverify/login"
)

func TestScriptURL(t *testing.T) {
	a := newApp(t)
	path, _, found := strings.Cut(a.ScriptURL(), "?v=")
	if !found || path != "/api/login.js" {
		t.Fatalf("the script is at %s", a.ScriptURL())
	}
	other := newApp(t, func(_ *app, c *login.Config[*user]) { c.LogoutPath = "/bye" })
	if same := newApp(t); same.ScriptURL() != a.ScriptURL() || other.ScriptURL() == a.ScriptURL() {
		t.Errorf("equal scripts are at %s and %s, another one at %s", a.ScriptURL(), same.ScriptURL(), other.ScriptURL())
	}

	for _, c := range []struct {
		method, url, cache string
		header             http.Header
		status             int
	}{
		{"GET", a.ScriptURL(), "public, max-age=31536000, immutable", nil, 200},
		{"HEAD", a.ScriptURL(), "public, max-age=31536000, immutable", nil, 200},
		{"GET", other.ScriptURL(), "no-cache", nil, 200}, // a page of an older version
		{"GET", path, "no-cache", nil, 200},
		{"POST", path, "", nil, 405},
	} {
		r := httptest.NewRequest(c.method, c.url, nil)
		w := newBrowser(t, a).do(r, c.header)
		if w.Code != c.status || w.Header().Get("Cache-Control") != c.cache {
			t.Errorf("%s %s: %d, Cache-Control %q", c.method, c.url, w.Code, w.Header().Get("Cache-Control"))
		}
		if c.status != 200 {
			if w.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("Allow %q", w.Header().Get("Allow"))
			}
			continue
		}
		if h := w.Header(); h.Get("Content-Type") != "text/javascript; charset=utf-8" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s %s: headers %v", c.method, c.url, h)
		}
		if c.method == "GET" && w.Body.String() != string(a.AuthScript()) {
			t.Errorf("%s: the script differs from the one for inlining", c.url)
		}
		r = httptest.NewRequest("GET", c.url, nil)
		if w := newBrowser(t, a).do(r, http.Header{"If-None-Match": {w.Header().Get("Etag")}}); w.Code != 304 {
			t.Errorf("%s again: %d", c.url, w.Code)
		}
	}
}

// TestScriptInline checks that html/template does not change the script, and that the
// script does not end its element.
func TestScriptInline(t *testing.T) {
	a := newApp(t)
	var page strings.Builder
	err := template.Must(template.New("").Parse(`<script nonce="{{.Nonce}}">{{.Script}}</script>`)).Execute(&page, struct {
		Nonce  string
		Script template.JS
	}{"abc", a.AuthScript()})
	if err != nil {
		t.Fatal(err)
	}
	if want := `<script nonce="abc">` + string(a.AuthScript()) + "</script>"; page.String() != want {
		t.Error("the template changed the script")
	}
	for _, never := range []string{"</", "<!--", "<script"} {
		if strings.Contains(string(a.AuthScript()), never) {
			t.Errorf("the script has %q", never)
		}
	}
}

// TestScript runs testdata/auth.test.mjs. It tests the script in a page made of stubs,
// and resolves every accepted next page by a browser's rules.
func TestScript(t *testing.T) {
	node := testtool.Path(t, "node")
	dir := t.TempDir()
	a := newApp(t, func(_ *app, c *login.Config[*user]) { c.Prefix = "/app" })
	next, err := json.Marshal(goodNext)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"auth.js": []byte(a.AuthScript()), "next.json": next} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // a script may not end
	defer cancel()
	command := exec.CommandContext(ctx, node, "--test", "testdata/auth.test.mjs")
	command.Env = append(os.Environ(), "AUTH_SCRIPT="+filepath.Join(dir, "auth.js"), "NEXT="+filepath.Join(dir, "next.json"))
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestScriptNeedsNoLibrary checks the text of the script, which has no lines of comments. The script of the original,
// Flask-BrowserID, needed jQuery and reported errors with alert().
func TestScriptNeedsNoLibrary(t *testing.T) {
	text := string(newApp(t).AuthScript())
	for _, never := range []string{"jQuery", "$(", "$.", "alert(", "innerHTML", "eval(", "\n  //"} {
		if strings.Contains(text, never) {
			t.Errorf("the script has %s", never)
		}
	}
	for _, always := range []string{"fetch(", "'browserid:error'", "'aria-live'"} {
		if !strings.Contains(text, always) {
			t.Errorf("the script has no %s", always) // TestScript tests them
		}
	}
}

// TestScriptIgnoresRange checks that the header Range is ignored.
func TestScriptIgnoresRange(t *testing.T) {
	a := newApp(t)
	w := newBrowser(t, a).get(a.ScriptURL(), http.Header{"Range": {"bytes=0-0" + strings.Repeat(",0-0", 1000)}})
	if w.Code != http.StatusOK || w.Body.String() != string(a.AuthScript()) {
		t.Errorf("%d, %d bytes", w.Code, w.Body.Len())
	}
}
