package evp_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
)

func TestFormFields(t *testing.T) {
	for _, c := range []struct {
		name  string
		form  evp.Form
		nonce string
		want  string
	}{
		{"plain", evp.Form{}, "n0-_", `<input type="email" name="email" autocomplete="email">
<input type="hidden" name="token" autocomplete="email-verification-token" data-evp-nonce="n0-_" nonce="n0-_">`},
		{"no nonce", evp.Form{}, "", `<input type="email" name="email" autocomplete="email">
<input type="hidden" name="token" autocomplete="email-verification-token">`},
		{"options", evp.Form{
			EmailName: "address", TokenName: "evt",
			EmailAttributes: map[string]string{"required": "", "id": "address", "autocomplete": "username email", "value": "a@b.example"},
			TokenAttributes: map[string]string{"form": "other"},
		}, "n", `<input type="email" name="address" autocomplete="username email" id="address" required value="a@b.example">
<input type="hidden" name="evt" autocomplete="email-verification-token" data-evp-nonce="n" form="other" nonce="n">`},
	} {
		got, err := c.form.Fields(c.nonce)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", c.name, err, got, c.want)
		}
	}
}

// TestFormEscapes checks that no text gets out of its attribute.
func TestFormEscapes(t *testing.T) {
	const hostile = `"'><script>alert(1)</script>&<input onclick=x `
	form := evp.Form{EmailName: hostile, TokenName: hostile + "2", EmailAttributes: map[string]string{"value": hostile}}
	fields, err := form.Fields(hostile)
	if err != nil {
		t.Fatal(err)
	}
	elements, z := 0, html.NewTokenizer(strings.NewReader(string(fields)))
	for z.Next() != html.ErrorToken {
		token := z.Token()
		if token.Type == html.TextToken && strings.TrimSpace(token.Data) == "" {
			continue
		}
		elements++
		if token.Type != html.StartTagToken || token.Data != "input" {
			t.Errorf("an element %s", token)
		}
		for _, a := range token.Attr {
			switch a.Key {
			case "type", "autocomplete":
			case "name", "value", "nonce", "data-evp-nonce":
				if strings.TrimSuffix(a.Val, "2") != hostile {
					t.Errorf("%s is %q", a.Key, a.Val)
				}
			default:
				t.Errorf("attribute %s", a.Key)
			}
		}
	}
	if elements != 2 {
		t.Errorf("%d elements", elements)
	}
}

func TestFormAttributes(t *testing.T) {
	for _, name := range []string{
		"", "type", "name", "nonce", "data-evp-nonce", "style", "onclick", "onfocus", "ID", "a b", "a=b", "x>", "x/", `x"`, "é",
	} {
		for _, form := range []evp.Form{
			{EmailAttributes: map[string]string{name: "x"}}, {TokenAttributes: map[string]string{name: "x"}},
		} {
			if fields, err := form.Fields("n"); fields != "" || !errors.Is(err, assertion.ErrMisuse) {
				t.Errorf("%q: %q, %v", name, fields, err)
			}
		}
	}
	form := evp.Form{TokenAttributes: map[string]string{"autocomplete": "off"}}
	if _, err := form.Fields("n"); !errors.Is(err, assertion.ErrMisuse) {
		t.Errorf("autocomplete of the token: %v", err)
	}
}

// TestFormNames checks that the two fields must have different names: of equal ones, servers
// read only one.
func TestFormNames(t *testing.T) {
	for _, f := range []evp.Form{{TokenName: "email"}, {EmailName: "token"}, {EmailName: "x", TokenName: "x"}} {
		if fields, err := f.Fields("nonce"); fields != "" || !errors.Is(err, assertion.ErrMisuse) {
			t.Errorf("%+v: %q, %v", f, fields, err)
		}
	}
	if _, err := (evp.Form{EmailName: "token", TokenName: "email"}).Fields("nonce"); err != nil {
		t.Errorf("exchanged names: %v", err)
	}
}

func TestScript(t *testing.T) {
	sum := sha256.Sum256([]byte(evp.Script()))
	if want := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; evp.ScriptHash() != want {
		t.Errorf("hash %s, want %s", evp.ScriptHash(), want)
	}
	if want := "<script>" + evp.Script() + "</script>"; string(evp.ScriptElement()) != want {
		t.Errorf("element %s", evp.ScriptElement())
	}
	if text, err := os.ReadFile("form.js"); err != nil || string(text) != evp.Script() || strings.Contains(evp.Script(), "</") {
		t.Errorf("script %q, %v", evp.Script(), err)
	}
	w := httptest.NewRecorder()
	evp.ScriptHandler().ServeHTTP(w, httptest.NewRequest("GET", evp.ScriptURL("/evp.js"), nil))
	h := w.Header()
	if w.Code != 200 || w.Body.String() != evp.Script() || h.Get("Content-Type") != "text/javascript; charset=utf-8" ||
		h.Get("Cache-Control") != "public, max-age=31536000, immutable" || h.Get("Etag") == "" {
		t.Errorf("%d %v", w.Code, h)
	}
}

// The form of a page, as a function of its template, and the policy of the page.
func ExampleFormFields() {
	page := template.Must(template.New("").Funcs(template.FuncMap{"fields": evp.FormFields}).Parse(
		`<form method="post" action="/login">
{{fields .Nonce}}
<button>Sign in</button>
</form>
`))
	w := httptest.NewRecorder() // the response
	w.Header().Set("Content-Security-Policy", "default-src 'none'; form-action 'self'; script-src "+evp.ScriptHash())
	if err := page.Execute(w, map[string]any{"Nonce": "the nonce of Nonces.Issue"}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Fprintln(w, evp.ScriptElement())
	html, _, _ := strings.Cut(w.Body.String(), "<script>")
	fmt.Print(html)
	// Output:
	// <form method="post" action="/login">
	// <input type="email" name="email" autocomplete="email">
	// <input type="hidden" name="token" autocomplete="email-verification-token" data-evp-nonce="the nonce of Nonces.Issue" nonce="the nonce of Nonces.Issue">
	// <button>Sign in</button>
	// </form>
}
