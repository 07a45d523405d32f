// Package pagetest checks pages of HTML.
package pagetest

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// Markup wants a page to keep to a policy that allows nothing inline, to refer
// only to what allowed matches, to have every element that a label or a
// description refers to, no two elements of one id, and no button that submits
// by accident.
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
			case a.Key == "style", strings.HasPrefix(a.Key, "on"):
				t.Errorf("%s: inline %s", path, a.Key)
			case (a.Key == "src" || a.Key == "href") && !allowed.MatchString(a.Val):
				t.Errorf("%s: %s=%q leads elsewhere", path, a.Key, a.Val)
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
