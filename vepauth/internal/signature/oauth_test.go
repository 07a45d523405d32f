package signature_test

import (
	"errors"
	"net/url"
	"sort"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/vepauth/internal/signature"
)

// baseString returns the signature base string of the parts of a request: the target is
// path and query, the header what follows "OAuth ".
func baseString(method, scheme, host, target, form, header string) (string, error) {
	auth, err := signature.Parse(signature.OAuth{}, []string{"OAuth " + header})
	if auth == nil {
		return "", err
	}
	o, ok := origin.FromHost(scheme, host)
	if !ok {
		return "", errors.New("no origin")
	}
	return auth.BaseString(signature.Message{Method: method, Origin: o.String(), Target: target, Form: form})
}

// TestBaseStringOfRFC5849 has the example of section 3.4.1.1.
func TestBaseStringOfRFC5849(t *testing.T) {
	header := `realm="Example", oauth_consumer_key="9djdj82h48djs9d2", oauth_token="kkk9d7dh3k39sjv7",
 oauth_signature_method="HMAC-SHA1", oauth_timestamp="137131201", oauth_nonce="7d8f3e4a",
 oauth_signature="bYT5CMsGcbgUdFHObYMEfcx6bsw%3D"`
	want := "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D" +
		"%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a" +
		"%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
	got, err := baseString("POST", "http", "EXAMPLE.COM:80", "/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b", "c2&a3=2+q",
		strings.ReplaceAll(header, "\n", ""))
	if err != nil || got != want {
		t.Errorf("%v\n got %s\nwant %s", err, got, want)
	}
}

// TestBaseString checks the base string of the parts of requests. Its end is always the same.
func TestBaseString(t *testing.T) {
	const header = `oauth_consumer_key="k", oauth_signature_method="HMAC-SHA1", oauth_timestamp="1", oauth_nonce="n", oauth_signature="s"`
	const tail = "oauth_consumer_key%3Dk%26oauth_nonce%3Dn%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D1"
	for _, test := range []struct{ name, method, scheme, host, target, form, want string }{
		{"plain", "GET", "http", "a.example", "/", "", "GET&http%3A%2F%2Fa.example%2F&"},
		{"method in capitals", "get", "http", "a.example", "/", "", "GET&http%3A%2F%2Fa.example%2F&"},
		{"host in lower case", "GET", "http", "A.Example", "/", "", "GET&http%3A%2F%2Fa.example%2F&"},
		{"port 80", "GET", "http", "a.example:80", "/", "", "GET&http%3A%2F%2Fa.example%2F&"},
		{"port 443", "GET", "https", "a.example:443", "/", "", "GET&https%3A%2F%2Fa.example%2F&"},
		{"the other scheme's port", "GET", "http", "a.example:443", "/", "", "GET&http%3A%2F%2Fa.example%3A443%2F&"},
		{"another port", "GET", "https", "a.example:8443", "/", "", "GET&https%3A%2F%2Fa.example%3A8443%2F&"},
		{"IPv6", "GET", "http", "[2001:DB8::1]", "/", "", "GET&http%3A%2F%2F%5B2001%3Adb8%3A%3A1%5D%2F&"},
		{"IPv6, port 80", "GET", "http", "[::1]:80", "/", "", "GET&http%3A%2F%2F%5B%3A%3A1%5D%2F&"},
		{"IPv6, another port", "GET", "http", "[::1]:8080", "/", "", "GET&http%3A%2F%2F%5B%3A%3A1%5D%3A8080%2F&"},
		{"path as written", "GET", "http", "a.example", "/%7Ea/%2f/%2F/b~c;d=e", "", "GET&http%3A%2F%2Fa.example%2F%257Ea%2F%252f%2F%252F%2Fb~c%3Bd%3De&"},
		{"path with bytes of its own", "GET", "http", "a.example", "/é|\"", "", "GET&http%3A%2F%2Fa.example%2F%C3%A9%7C%22&"},
		{"empty query", "GET", "http", "a.example", "/?", "", "GET&http%3A%2F%2Fa.example%2F&"},
		{"sorted by name, then value", "GET", "http", "a.example", "/?b=2&a=2&a=1&a=1", "", "GET&http%3A%2F%2Fa.example%2F&a%3D1%26a%3D1%26a%3D2%26b%3D2%26"},
		{"sorted in encoded form", "GET", "http", "a.example", "/?b=1&%C3%A9=1&a%20=1&a=1", "", "GET&http%3A%2F%2Fa.example%2F&%25C3%25A9%3D1%26a%3D1%26a%2520%3D1%26b%3D1%26"},
		{"name before value", "GET", "http", "a.example", "/?a-=0&a=1", "", "GET&http%3A%2F%2Fa.example%2F&a%3D1%26a-%3D0%26"},
		{"plus is a space, %2B is not", "GET", "http", "a.example", "/?a=1+2%2B3", "", "GET&http%3A%2F%2Fa.example%2F&a%3D1%25202%252B3%26"},
		{"marks", "GET", "http", "a.example", "/?a=*'()!~-._", "", "GET&http%3A%2F%2Fa.example%2F&a%3D%252A%2527%2528%2529%2521~-._%26"},
		{"no value", "GET", "http", "a.example", "/?a&b=&=c", "", "GET&http%3A%2F%2Fa.example%2F&%3Dc%26a%3D%26b%3D%26"},
		{"no parameter", "GET", "http", "a.example", "/?&a=1&&", "", "GET&http%3A%2F%2Fa.example%2F&a%3D1%26"},
		{"lower-case digits", "GET", "http", "a.example", "/?a=%c3%a9", "", "GET&http%3A%2F%2Fa.example%2F&a%3D%25C3%25A9%26"},
		{"bytes that are not UTF-8", "GET", "http", "a.example", "/?a=%ff", "", "GET&http%3A%2F%2Fa.example%2F&a%3D%25FF%26"},
		{"a second question mark", "GET", "http", "a.example", "/?a=b?c", "", "GET&http%3A%2F%2Fa.example%2F&a%3Db%253Fc%26"},
		{"realm in the query is like any other", "GET", "http", "a.example", "/?realm=x", "", "GET&http%3A%2F%2Fa.example%2F&"},
		{"form", "PUT", "http", "a.example", "/?a=1", "b=2&a=0", "PUT&http%3A%2F%2Fa.example%2F&a%3D0%26a%3D1%26b%3D2%26"},
	} {
		want := test.want + tail
		if strings.HasPrefix(test.name, "realm") {
			want += "%26realm%3Dx"
		}
		got, err := baseString(test.method, test.scheme, test.host, test.target, test.form, header)
		if err != nil || got != want {
			t.Errorf("%s: %v\n got %s\nwant %s", test.name, err, got, want)
		}
	}
}

// TestNoBaseString checks that there is no base string for text that two parsers could parse to
// different parameters.
func TestNoBaseString(t *testing.T) {
	const header = `oauth_consumer_key="k", oauth_signature_method="HMAC-SHA1", oauth_timestamp="1", oauth_nonce="n", oauth_signature="s"`
	for _, query := range []string{
		"a=%", "a=%4", "a=%4x", "a=%zz", "%=1", "oauth_signature=x", "oauth_nonce=x", "oauth%5Fsignature", "oauth_token=", "a=1&oauth_timestamp=2",
	} {
		for _, inForm := range []bool{false, true} {
			target, form := "/?"+query, ""
			if inForm {
				target, form = "/", query
			}
			if base, err := baseString("GET", "http", "a.example", target, form, header); err == nil {
				t.Errorf("%s (form: %v): %s", query, inForm, base)
			}
		}
	}
}

// FuzzBaseString compares the base string with that of a simple implementation, which was
// written for this test from the RFC with net/url.
func FuzzBaseString(f *testing.F) {
	f.Add("POST", "http", "EXAMPLE.COM:80", "/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b", "c2&a3=2+q")
	f.Add("GET", "https", "[2001:DB8::1]:443", "/%7e/%2F;x?a&=&&b=*'()!~", "é=ü&%c3%a9=+")
	f.Add("patch", "https", "a.example:8443", "/?a=2&a=10&a=1&a-=0&a=", "")
	f.Fuzz(func(t *testing.T, method, scheme, host, target, form string) {
		if scheme != "http" && scheme != "https" || !strings.HasPrefix(target, "/") {
			return
		}
		got, err := baseString(method, scheme, host, target, form, `oauth_signature_method="HMAC-SHA1", oauth_nonce="a b%2B"`)
		want, ok := plainBaseString(method, scheme, host, target, form, "oauth_signature_method=HMAC-SHA1&oauth_nonce=a+b%2B")
		if err == nil && got != want || err == nil && !ok {
			t.Errorf("%s %s://%s%s with %q\n got %s\nwant %s, %v", method, scheme, host, target, form, got, want, ok)
		}
	})
}

func plainBaseString(method, scheme, host, target, form, header string) (string, bool) {
	encode := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	host = strings.ToLower(host)
	host = strings.TrimSuffix(host, map[string]string{"http": ":80", "https": ":443"}[scheme])
	host = strings.TrimSuffix(host, ":")
	path, query, _ := strings.Cut(target, "?")
	var sorted []string
	for _, source := range []string{query, form, header} {
		for pair := range strings.SplitSeq(source, "&") {
			if pair == "" {
				continue
			}
			name, value, _ := strings.Cut(pair, "=")
			name, err1 := url.QueryUnescape(name)
			value, err2 := url.QueryUnescape(value)
			if err1 != nil || err2 != nil {
				return "", false
			}
			sorted = append(sorted, encode(name)+"\x00"+encode(value)) // less than every other byte
		}
	}
	sort.Strings(sorted)
	normalized := strings.ReplaceAll(strings.Join(sorted, "&"), "\x00", "=")
	return encode(strings.ToUpper(method)) + "&" + encode(scheme+"://"+host+path) + "&" + encode(normalized), true
}
