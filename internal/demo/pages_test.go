package demo_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// TestMarkup: the pages hold to their own policy, and what refers to an element
// finds it.
func TestMarkup(t *testing.T) {
	site := newSite(t)
	ada, nobody := &visitor{t: t, site: site}, &visitor{t: t, site: site}
	ada.signIn("ada@idp.localhost")
	for _, v := range []*visitor{ada, nobody} {
		for _, path := range []string{"/", "/?next=/members", "/members", "/absent"} {
			answer, body := v.send("GET", path, nil)
			if answer.StatusCode == 303 {
				continue
			}
			checkMarkup(t, path, body)
			if !strings.Contains(body, `<html lang="en">`) || !strings.Contains(body, idp().Warning()) || strings.Count(body, "<h1") != 1 {
				t.Errorf("%s: no language, no warning, or not one heading", path)
			}
			if strings.Contains(body, "ZgotmplZ") {
				t.Errorf("%s: html/template refused a value", path)
			}
		}
	}
}

func checkMarkup(t *testing.T, path, body string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	var ids, references []string
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if n.Data == "script" && n.FirstChild != nil || n.Data == "style" {
			t.Errorf("%s: inline %s", path, n.Data)
		}
		for _, a := range n.Attr {
			switch {
			case a.Key == "id":
				ids = append(ids, a.Val)
			case a.Key == "for", a.Key == "aria-labelledby", a.Key == "aria-describedby":
				references = append(references, strings.Fields(a.Val)...)
			case a.Key == "style", strings.HasPrefix(a.Key, "on"):
				t.Errorf("%s: inline %s", path, a.Key)
			case (a.Key == "src" || a.Key == "href") && !regexp.MustCompile(`^/([a-z]|$)|^http://127\.0\.0\.1:[0-9]+/include\.js$`).MatchString(a.Val):
				t.Errorf("%s: %s=%q leaves the site", path, a.Key, a.Val)
			}
		}
	}
	for i, id := range ids {
		if slices.Contains(ids[:i], id) {
			t.Errorf("%s: two elements are %q", path, id)
		}
	}
	for _, id := range references {
		if !slices.Contains(ids, id) {
			t.Errorf("%s: nothing is %q", path, id)
		}
	}
}
