package asset_test

import (
	"net/http/httptest"
	"testing"

	"github.com/vepverify/vepverify/internal/asset"
)

func TestAsset(t *testing.T) {
	a := asset.New("text/javascript; charset=utf-8", []byte("alert(1);\n"))
	if got, want := a.Hash(), "sha256-vyWxnR5/SfkpBXTjK7tyUvoeEZCT+fK2ayxsse+sBvs="; got != want {
		t.Errorf("hash %s, want %s", got, want)
	}
	url := a.URL("/a.js")
	const year, check = "public, max-age=31536000, immutable", "no-cache"
	for _, c := range []struct {
		method, url, header, value string
		status                     int
		caching                    string
		body                       string
	}{
		{"GET", url, "", "", 200, year, "alert(1);\n"},
		{"HEAD", url, "", "", 200, year, ""},
		{"GET", "/a.js", "", "", 200, check, "alert(1);\n"},
		{"GET", "/a.js?v=other", "", "", 200, check, "alert(1);\n"},
		{"GET", url, "Range", "bytes=0-1", 200, year, "alert(1);\n"},
		{"GET", url, "If-None-Match", `"` + url[len("/a.js?v="):] + `"`, 304, year, ""},
		{"POST", url, "", "", 405, "", "method not allowed\n"},
	} {
		r := httptest.NewRequest(c.method, c.url, nil)
		if c.header != "" {
			r.Header.Set(c.header, c.value)
		}
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		if w.Code != c.status || w.Header().Get("Cache-Control") != c.caching || w.Body.String() != c.body {
			t.Errorf("%s %s %s: %d %q %q", c.method, c.url, c.header, w.Code, w.Header().Get("Cache-Control"), w.Body)
		}
		if w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s %s: no nosniff", c.method, c.url)
		}
	}
}
