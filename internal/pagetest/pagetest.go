// Package pagetest checks HTML pages, for tests.
package pagetest

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// Markup fails the test unless all of this is true of a page:
//
//   - no script, style or event handler is inline;
//   - each src and href matches allowed;
//   - each label, description and link to a fragment refers to an element of the page;
//   - no two elements have one id;
//   - each button has a type, so that none submits a form by accident.
//
// The path names the page in messages.
func Markup(t *testing.T, path, body string, allowed *regexp.Regexp) {
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
		typed := func(a html.Attribute) bool { return a.Key == "type" && a.Val != "" }
		if n.Data == "button" && !slices.ContainsFunc(n.Attr, typed) {
			t.Errorf("%s: a button without a type", path)
		}
		for _, a := range n.Attr {
			switch {
			case a.Key == "id":
				ids = append(ids, a.Val)
			case a.Key == "for", strings.HasPrefix(a.Key, "aria-labelledby"), a.Key == "aria-describedby":
				references = append(references, strings.Fields(a.Val)...)
			case a.Key == "href" && strings.HasPrefix(a.Val, "#"):
				references = append(references, a.Val[1:])
			case a.Key == "style", strings.HasPrefix(a.Key, "on"):
				t.Errorf("%s: inline %s", path, a.Key)
			case (a.Key == "src" || a.Key == "href") && !allowed.MatchString(a.Val):
				t.Errorf("%s: %s=%q is not allowed", path, a.Key, a.Val)
			}
		}
	}
	checkIDs(t, path, ids, references)
}

// checkIDs fails the test if two elements have one id, or if a reference has no element.
func checkIDs(t *testing.T, path string, ids, references []string) {
	t.Helper()
	for i, id := range ids {
		if slices.Contains(ids[:i], id) {
			t.Errorf("%s: two elements have the id %q", path, id)
		}
	}
	for _, id := range references {
		if !slices.Contains(ids, id) {
			t.Errorf("%s: no element has the id %q", path, id)
		}
	}
}
