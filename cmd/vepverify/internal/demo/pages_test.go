package demo_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/internal/pagetest"
)

// TestMarkup: the pages hold to their own policy, and what refers to an element
// finds it.
func TestMarkup(t *testing.T) {
	site := newSite(t)
	ada, anonymous := &visitor{t: t, site: site}, &visitor{t: t, site: site}
	ada.signIn("ada@idp.localhost")
	for _, v := range []*visitor{ada, anonymous} {
		for _, path := range []string{"/", "/?next=/members", "/members", "/absent"} {
			answer, body := v.send("GET", path, nil)
			if answer.StatusCode == 303 {
				continue
			}
			pagetest.Markup(t, path, body, ownLinks)
			if !strings.Contains(body, `<html lang="en">`) || !strings.Contains(body, idp().Warning()) || strings.Count(body, "<h1") != 1 {
				t.Errorf("%s: no language, no warning, or not one heading", path)
			}
			if strings.Contains(body, "ZgotmplZ") {
				t.Errorf("%s: html/template refused a value", path)
			}
		}
	}
}

// ownLinks matches links to the site itself, and to the provider's script.
var ownLinks = regexp.MustCompile(`^/([a-z]|$)|^http://localhost:8400/include\.js$`)
