package discovery_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/evp/internal/discovery"
)

// readFile returns a file of testdata.
func readFile(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

const jwksURL = "https://" + issuer + "/jwks"

func TestMetadata(t *testing.T) {
	m, err := discovery.ParseMetadata([]byte(metadata(jwksURL)), issuer)
	if err != nil {
		t.Fatal(err)
	}
	want := discovery.Metadata{
		KeySetURL: jwksURL, HasIssuer: true, IssuanceEndpoint: "https://" + issuer + "/issue",
		Algorithms: []string{"Ed25519", "ES256"}, Private: true,
	}
	if fmt.Sprint(*m) != fmt.Sprint(want) {
		t.Errorf("%+v", m)
	}
}

// TestGmailMetadata checks metadata as Gmail served it, without issuer and with a key set
// of another domain.
func TestGmailMetadata(t *testing.T) {
	m, err := discovery.ParseMetadata(readFile(t, "gmail-metadata.json"), "accounts.google.com")
	if err != nil {
		t.Fatal(err)
	}
	if m.HasIssuer || m.KeySetURL != "https://verifiablecredentials-pa.googleapis.com/.well-known/vc-public-jwks" || !slices.Equal(m.Algorithms, []string{"EdDSA"}) {
		t.Errorf("%+v", m)
	}
}

func TestMalformedMetadata(t *testing.T) {
	const uri = `"jwks_uri":"` + jwksURL + `"`
	for name, c := range map[string]struct{ text, rule string }{
		"only jwks_uri":        {"{" + uri + "}", ""},
		"white space":          {"\r\n\t {" + uri + "}\n", ""},
		"64 KiB":               {"{" + uri + "}" + strings.Repeat(" ", 64<<10-len(uri)-2), ""},
		"other members":        {`{"marker":[{}],"signing_alg_values_supported":"marker","private_email_supported":1,"issuance_endpoint":{},` + uri + "}", ""},
		"over 64 KiB":          {"{" + uri + "}" + strings.Repeat(" ", 64<<10-len(uri)-1), "9.refused"},
		"empty":                {"", "9.refused"},
		"array":                {"[" + metadata(jwksURL) + "]", "9.refused"},
		"HTML":                 {"<p>marker", "9.refused"},
		"duplicate":            {"{" + uri + "," + uri + "}", "9.refused"},
		"duplicate, escaped":   {"{" + uri + `,"jwks\u005furi":"https://marker.example/"}`, "9.refused"},
		"duplicate below":      {"{" + uri + `,"marker":{"a":1,"a":2}}`, "9.refused"},
		"not UTF-8":            {"{" + uri + ",\"marker\":\"\xff\"}", "9.refused"},
		"byte order mark":      {"\ufeff{" + uri + "}", "9.refused"},
		"text after it":        {"{" + uri + "} marker", "9.refused"},
		"too deep":             {"{" + uri + `,"x":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + "}", "9.refused"},
		"another issuer":       {`{"issuer":"https://marker.example",` + uri + "}", "9.issuer"},
		"issuer with a path":   {`{"issuer":"https://` + issuer + `/",` + uri + "}", "9.issuer"},
		"issuer with a port":   {`{"issuer":"https://` + issuer + `:443",` + uri + "}", "9.issuer"},
		"issuer in capitals":   {`{"issuer":"https://Accounts.issuer.example",` + uri + "}", "9.issuer"},
		"issuer without https": {`{"issuer":"` + issuer + `",` + uri + "}", "9.issuer"},
		"issuer null":          {`{"issuer":null,` + uri + "}", "9.issuer"},
		"issuer empty":         {`{"issuer":"",` + uri + "}", "9.issuer"},
		"no jwks_uri":          {`{"jwks_URI":"` + jwksURL + `"}`, "9.jwks-uri"},
		"jwks_uri null":        {`{"jwks_uri":null}`, "9.jwks-uri"},
		"jwks_uri an array":    {`{"jwks_uri":["` + jwksURL + `"]}`, "9.jwks-uri"},
	} {
		m, err := discovery.ParseMetadata([]byte(c.text), issuer)
		switch {
		case c.rule == "" && (err != nil || m.KeySetURL != jwksURL):
			t.Errorf("%s: %+v, %v", name, m, err)
		case c.rule != "":
			checkError(t, name, err, discovery.Refused, c.rule)
		}
	}
}

// keySetURLs are values of jwks_uri, and their canonical form. An empty one means that the
// value is refused.
var keySetURLs = map[string]string{
	jwksURL:                              jwksURL,
	"https://keys.other.example/a/b.c":   "https://keys.other.example/a/b.c",
	"https://" + issuer + ":443/jwks":    jwksURL,
	"HTTPS://Accounts.ISSUER.example/J":  "https://" + issuer + "/J",
	"https://" + issuer:                  "https://" + issuer + "/",
	"https://" + issuer + "?v=1":         "https://" + issuer + "/?v=1",
	jwksURL + "?v=1&x=a@b":               jwksURL + "?v=1&x=a@b",
	jwksURL + "?":                        jwksURL + "?",
	jwksURL + "/%2f%c3%a9/../":           jwksURL + "/%2f%c3%a9/../",
	jwksURL + "?u=http://10.0.0.1/":      jwksURL + "?u=http://10.0.0.1/",
	"https://" + host253 + "/":           "https://" + host253 + "/",
	jwksURL + strings.Repeat("x", 2000):  jwksURL + strings.Repeat("x", 2000),
	jwksURL + strings.Repeat("x", 2048):  "",
	"":                                   "",
	"/jwks":                              "",
	"jwks":                               "",
	"//" + issuer + "/jwks":              "",
	"https:/jwks":                        "",
	"https:" + issuer + "/jwks":          "",
	"https:///jwks":                      "",
	"http://" + issuer + "/jwks":         "",
	"ftp://" + issuer + "/jwks":          "",
	"file:///etc/passwd":                 "",
	"javascript:alert(1)":                "",
	"data:application/json,{}":           "",
	"blob:" + jwksURL:                    "",
	"https://u:p@" + issuer + "/jwks":    "",
	"https://@" + issuer + "/jwks":       "",
	"https://a.example@127.0.0.1/":       "",
	jwksURL + "#x":                       "",
	jwksURL + "#":                        "",
	"https://" + issuer + ":/jwks":       "",
	"https://" + issuer + ":80/jwks":     "",
	"https://" + issuer + ":8443/jwks":   "",
	"https://" + issuer + ":0443/jwks":   "",
	"https://" + issuer + ":443:443/":    "",
	"https://localhost/jwks":             "",
	"https://LOCALHOST:443/jwks":         "",
	"https://127.0.0.1/jwks":             "",
	"https://127.1/jwks":                 "",
	"https://2130706433/jwks":            "",
	"https://0x7f.0x1/jwks":              "",
	"https://017700000001/jwks":          "",
	"https://169.254.169.254/latest":     "",
	"https://[::1]/jwks":                 "",
	"https://[::ffff:10.0.0.1]:443/jwks": "",
	"https://" + issuer + "./jwks":       "",
	"https://a_b.example/jwks":           "",
	"https://%6cocalhost.example/jwks":   "",
	"https://b\u00fccher.example/jwks":   "",
	"https://\u212aeys.example/jwks":     "",
	"https://%E2%84%AAeys.example/jwks":  "",
	"https://%C4%B0ssuer.example/jwks":   "",
	"https://" + issuer + "\\@marker/":   "",
	"https:\\\\" + issuer + "/jwks":      "",
	jwksURL + "\n":                       "",
	jwksURL + " ":                        "",
	" " + jwksURL:                        "",
	jwksURL + "/\r\nX: y":                "",
	jwksURL + "/%zz":                     "",
	jwksURL + "/\u00e9":                  "",
	jwksURL + "\x00":                     "",
}

func TestKeySetURL(t *testing.T) {
	for uri, want := range keySetURLs {
		m, err := discovery.ParseMetadata([]byte(`{"jwks_uri":`+mustJSON(t, uri)+`}`), issuer)
		switch {
		case want != "" && (err != nil || m.KeySetURL != want):
			t.Errorf("%q: %+v, %v", uri, m, err)
		case want == "":
			checkError(t, uri, err, discovery.Refused, "9.jwks-uri")
		}
	}
}

func FuzzMetadata(f *testing.F) {
	f.Add([]byte(metadata(jwksURL)))
	f.Add(readFile(f, "gmail-metadata.json"))
	for uri := range keySetURLs {
		f.Add([]byte(metadata(uri)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := discovery.ParseMetadata(data, issuer)
		if err != nil {
			if err.Outcome != discovery.Refused || !strings.HasPrefix(err.Rule, "9.") {
				t.Errorf("%+v", err)
			}
			return
		}
		u, parseErr := url.Parse(m.KeySetURL)
		if parseErr != nil || u.Scheme != "https" || u.User != nil || u.Fragment != "" || !discovery.IsHost(u.Host) || u.String() != m.KeySetURL {
			t.Errorf("%q: %v", m.KeySetURL, parseErr)
		}
		again, err := discovery.ParseMetadata([]byte(`{"jwks_uri":`+mustJSON(t, m.KeySetURL)+`}`), issuer)
		if err != nil || again.KeySetURL != m.KeySetURL {
			t.Errorf("not canonical: %q: %v", m.KeySetURL, err)
		}
	})
}
