package evp

import (
	_ "embed"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/vepverify/vepverify/internal/asset"
)

// Form writes the two fields of a form that takes tokens. The zero Form writes the fields
// email and token.
type Form struct {
	// EmailName and TokenName are the names of the fields. Empty means "email" and "token".
	// They must differ.
	EmailName, TokenName string

	// EmailAttributes and TokenAttributes are attributes of the fields by name, such as id,
	// class, placeholder or aria-describedby. An empty value is written as that of required.
	// They must not contain the attributes that Form writes, except that EmailAttributes may
	// replace autocomplete, for example by "username email". Attributes that run code or set
	// a style (on…, style) are refused, because a Content-Security-Policy would block them.
	EmailAttributes, TokenAttributes map[string]string
}

// FormFields returns the two fields of a form that takes tokens: the address, and a hidden
// field that the browser fills with the token.
//
//	<input type="email" name="email" autocomplete="email">
//	<input type="hidden" name="token" autocomplete="email-verification-token" nonce="…" data-evp-nonce="…">
//
// The nonce is that of [Nonces.Issue]. With an empty one, browsers send no token. FormFields
// can be a function of a template. A [Form] has other names and attributes.
//
// If the page has a Content-Security-Policy, even a report-only one, browsers empty the
// attribute nonce before they read it. The script of this package restores it from the
// attribute data-evp-nonce: see [Script].
func FormFields(nonce string) template.HTML {
	fields, err := Form{}.Fields(nonce)
	if err != nil { // the zero Form is valid
		return ""
	}
	return fields
}

// Fields returns the two fields, as FormFields does. The error matches assertion.ErrMisuse: an
// attribute is not allowed, or the fields have one name.
func (f Form) Fields(nonce string) (template.HTML, error) {
	email := attributes{"type": "email", "name": orElse(f.EmailName, "email")}
	token := attributes{
		"type": "hidden", "name": orElse(f.TokenName, "token"), "autocomplete": "email-verification-token",
	}
	if email["name"] == token["name"] {
		return "", invalidConfig("Form", "both fields have the name %q", email["name"])
	}
	if nonce != "" {
		token["nonce"], token["data-evp-nonce"] = nonce, nonce
	}
	if err := email.add(f.EmailAttributes); err != nil {
		return "", err
	}
	if err := token.add(f.TokenAttributes); err != nil {
		return "", err
	}
	if _, found := email["autocomplete"]; !found {
		email["autocomplete"] = "email"
	}
	return template.HTML(email.input() + "\n" + token.input()), nil
}

// orElse returns text, or another text if that is empty.
func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// attributes are the attributes of an element, by name.
type attributes map[string]string

// leading are the names of the attributes that are written before the others.
var leading = []string{"type", "name", "autocomplete"}

// add adds attributes of the application.
func (a attributes) add(others map[string]string) error {
	for name, value := range others {
		_, found := a[name]
		if found || !isAttribute(name) {
			return invalidConfig("Form", "the attribute %q is not allowed", name)
		}
		a[name] = value
	}
	return nil
}

// isAttribute reports whether an application may set the attribute. Names are in lower case.
func isAttribute(name string) bool {
	switch name {
	case "", "type", "name", "nonce", "data-evp-nonce", "style":
		return false
	}
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return !strings.HasPrefix(name, "on")
}

// input returns the element. The order of the attributes does not depend on the map.
func (a attributes) input() string {
	var b strings.Builder
	b.WriteString("<input")
	write := func(name string) {
		b.WriteString(" " + name)
		if value := a[name]; value != "" {
			b.WriteString(`="` + template.HTMLEscapeString(value) + `"`)
		}
	}
	for _, name := range leading {
		write(name)
	}
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if !slices.Contains(leading, name) {
			write(name)
		}
	}
	b.WriteString(">")
	return b.String()
}

//go:embed form.js
var formScript string

var scriptAsset = asset.New("text/javascript; charset=utf-8", []byte(formScript))

// Script returns the text of the script that restores the attribute nonce of the fields. A
// page needs it if it has a Content-Security-Policy, even a report-only one. It contains no
// secret and is the same for all pages. It may be loaded before or after the form.
//
// Either the page loads it from [ScriptHandler], which needs 'self' in script-src:
//
//	mux.Handle("/evp.js", evp.ScriptHandler())
//	<script src="{{.Script}}" defer></script>   {{/* evp.ScriptURL("/evp.js") */}}
//
// Or the page contains [ScriptElement], which needs the hash: script-src 'sha256-…', see
// [ScriptHash]. The script of package login contains this one.
func Script() string { return formScript }

// ScriptHash returns the source expression of the script for script-src, with its quotes:
// 'sha256-…'. Without the quotes it is the value of the attribute integrity.
func ScriptHash() string { return "'" + scriptAsset.Hash() + "'" }

// ScriptElement returns the script as an inline element. Nothing may be added to its text,
// because the hash is of the text.
func ScriptElement() template.HTML { return template.HTML("<script>" + formScript + "</script>") }

// ScriptHandler returns the handler that serves the script, at any path.
func ScriptHandler() http.Handler { return scriptAsset }

// ScriptURL returns the URL of the script if ScriptHandler serves it at path. It has a hash of
// the text, so that browsers may cache it for a year.
func ScriptURL(path string) string { return scriptAsset.URL(path) }
