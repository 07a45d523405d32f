package verifyapi_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/verifyapi"
)

const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
)

func form(pairs ...string) string {
	v := make(url.Values)
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v.Encode()
}

// failed returns the body of a failure.
func failed(reason string) string {
	text, _ := json.Marshal(reason)
	return `{"status":"failure","reason":` + string(text) + `}`
}

var claims = idptest.Backed(
	idp.Certificate(email, user.Public()).
		With("fxa-generation", idptest.Raw("1767225600000123456")).With("fxa-keysChangedAt", idptest.Raw("9007199254740993")).
		With("unverified-email", "Alice@Home.example"),
	idp.Assertion(audience, user).With("nick", "ali"))

const claimsIDP = `"idpClaims":{"fxa-generation":1767225600000123456,"fxa-keysChangedAt":9007199254740993,"unverified-email":"Alice@Home.example"},"userClaims":{"nick":"ali"}`

// noEmail is an assertion by a trusted issuer that did not verify the address.
var noEmail = idptest.Backed(
	other.Certificate(email, user.Public()).With("principal", idptest.Object{"unverified-email": "alice@nowhere.example"}),
	other.Assertion(audience, user))

// okay returns the answer for an assertion that is accepted. Without email or claims it
// has no such members.
func okay(email, issuer, claims string) string {
	if email != "" {
		email = fmt.Sprintf(`"email":%q,`, email)
	}
	if claims != "" {
		claims = "," + claims
	}
	return fmt.Sprintf(`{"status":"okay",%s"audience":"https://rp.example","expires":%d,"issuer":%q%s}`,
		email, now.Add(idptest.AssertionLife).UnixMilli(), issuer, claims)
}

// unreachable is by an issuer that cannot be reached.
var unreachable = idptest.New("dark.example").At(now).Backed("alice@dark.example", user, audience)

// requestTests are requests and their responses.
var requestTests = []struct {
	name, path, contentType, body string
	status                        int
	want                          string
}{
	// v2
	{"okay", "/v2", jsonType, ask(good), 200, goodAnswer},
	{"a trailing slash", "/v2/", jsonType, ask(good), 200, goodAnswer},
	{"the query is ignored", "/v2?assertion=x&audience=%zz", jsonType, ask(good), 200, goodAnswer},
	{"charset with a colon", "/v2", "application/json; charset: utf-8", ask(good), 200, goodAnswer},
	{"charset", "/v2", "application/json;charset=utf-8", ask(good), 200, goodAnswer},
	{"capitals", "/v2", "Application/JSON", ask(good), 200, goodAnswer},
	{"unknown members", "/v2", jsonType, ask(good, `"x":[{"y":null}]`, `"experimental_forceIssuer":5`), 200, goodAnswer},
	{"names are compared exactly", "/v2", jsonType, ask(good, `"Assertion":"x"`, `"AUDIENCE":1`), 200, goodAnswer},
	{"escapes", "/v2", jsonType, strings.ReplaceAll(ask(good), "https:", `ht\u0074ps:`), 200, goodAnswer},
	{"claims, to the digit", "/v2", jsonType, ask(claims), 200, okay(email, "idp.example", claimsIDP)},
	{"the audience as the caller wrote it", "/v2", jsonType, strings.ReplaceAll(ask(good), audience, "HTTPS://RP.example:443/"), 200,
		strings.ReplaceAll(goodAnswer, audience, "HTTPS://RP.example:443/")},
	{"trusted issuer", "/v2", jsonType, ask(foreign, `"trustedIssuers":["none.example","other.example"]`), 200, okay(email, "other.example", "")},
	{"trusted issuer, no email", "/v2", jsonType, ask(noEmail, `"trustedIssuers":["other.example"]`), 200,
		okay("", "other.example", `"idpClaims":{"unverified-email":"alice@nowhere.example"}`)},
	{"no trusted issuers", "/v2", jsonType, ask(good, `"trustedIssuers":[]`), 200, goodAnswer},
	{"trusted issuers null", "/v2", jsonType, ask(good, `"trustedIssuers":null`), 200, goodAnswer},
	{"v2 ignores a forced issuer", "/v2", jsonType, ask(foreign, `"experimental_forceIssuer":"other.example"`), 200,
		failed("untrusted issuer, expected 'idp.example', got 'other.example'")},
	{"not trusted", "/v2", jsonType, ask(foreign, `"trustedIssuers":["third.example"]`), 200,
		failed("untrusted issuer, expected 'idp.example', got 'other.example'")},
	{"no email, not trusted", "/v2", jsonType, ask(noEmail), 200, failed("untrusted assertion, doesn't contain an email, and issuer is untrusted")},
	{"not an assertion", "/v2", jsonType, ask("bogus"), 200, failed("no certificates provided")},
	{"a trailing tilde", "/v2", jsonType, ask(good + "~"), 200, failed("certificate chaining is not yet allowed")},
	{"domain", "/v2", jsonType, strings.ReplaceAll(ask(good), audience, "incorrect.com"), 200, failed("audience mismatch: scheme mismatch")},
	{"domain, same scheme", "/v2", jsonType, strings.ReplaceAll(ask(good), audience, "https://incorrect.com"), 200, failed("audience mismatch: domain mismatch")},
	{"port", "/v2", jsonType, strings.ReplaceAll(ask(good), audience, audience+":8080"), 200, failed("audience mismatch: port mismatch")},
	{"scheme", "/v2", jsonType, strings.ReplaceAll(ask(good), audience, "http://rp.example"), 200, failed("audience mismatch: scheme mismatch")},
	{"expired", "/v2", jsonType, ask(idptest.Backed(idp.Certificate(email, user.Public()), idp.Assertion(audience, user).With("exp", 1))), 200, failed("expired")},
	{"issued in the future", "/v2", jsonType, ask(idptest.Backed(idp.Certificate(email, user.Public()), idp.Assertion(audience, user).With("iat", now.UnixMilli()+3600000))),
		200, failed("issued later than verification date")},
	{"forged", "/v2", jsonType, ask(good[:len(good)-4] + "AAAA"), 200, failed("invalid signature")},
	{"undecided", "/v2", jsonType, ask(unreachable), 200,
		`{"status":"failure","reason":"undecided, no keys of dark.example: domain is unavailable","undecided":true}`},
	{"empty object", "/v2", jsonType, `{}`, 400, failed("missing assertion parameter")},
	{"no body", "/v2", jsonType, ``, 400, failed("missing assertion parameter: the body is empty")},
	{"blanks", "/v2", jsonType, " \n", 400, failed("malformed JSON at byte 2: object expected (the body is empty)")},
	{"no assertion", "/v2", jsonType, `{"audience":"https://rp.example"}`, 400, failed("missing assertion parameter")},
	{"no audience", "/v2", jsonType, `{"assertion":"x"}`, 400, failed("missing audience parameter")},
	{"empty assertion", "/v2", jsonType, `{"assertion":"","audience":"https://rp.example"}`, 400, failed("missing assertion parameter")},
	{"null", "/v2", jsonType, `{"assertion":"x","audience":null}`, 400, failed("missing audience parameter")},
	{"a number", "/v2", jsonType, `{"assertion":1,"audience":"https://rp.example"}`, 400, failed("assertion must be a string")},
	{"an array", "/v2", jsonType, `{"assertion":"x","audience":["https://rp.example"]}`, 400, failed("audience must be a string")},
	{"trusted issuers not an array", "/v2", jsonType, ask(good, `"trustedIssuers":"other.example"`), 400, failed("trusted issuers must be an array")},
	{"trusted issuers an object", "/v2", jsonType, ask(good, `"trustedIssuers":{"0":"other.example"}`), 400, failed("trusted issuers must be an array")},
	{"trusted issuers not strings", "/v2", jsonType, ask(good, `"trustedIssuers":["other.example",["x"]]`), 400, failed("trusted issuers must be an array of strings")},
	{"missing before trusted issuers", "/v2", jsonType, `{"assertion":"x","trustedIssuers":5}`, 400, failed("missing audience parameter")},
	{"malformed", "/v2", jsonType, `{ 'a' }`, 400, failed("malformed JSON at byte 2: member name expected")},
	{"duplicate name", "/v2", jsonType, ask(good, `"assertion":"x"`), 400, ""},
	{"other type", "/v2", "text/plain", ask(good), 415, failed("Unsupported Content-Type: text/plain (expected application/json)")},
	{"no type", "/v2", "", ask(good), 415, failed("Unsupported Content-Type: none (expected application/json)")},
	{"a form", "/v2", formType, form("assertion", good, "audience", audience), 415, failed("Unsupported Content-Type: application/x-www-form-urlencoded (expected application/json)")},
	{"begins like JSON", "/v2", "application/jsonp", ask(good), 415, failed("Unsupported Content-Type: application/jsonp (expected application/json)")},

	// v1
	{"JSON", "/", jsonType, ask(good), 200, goodAnswer},
	{"JSON", "/verify", "application/json; charset: utf-8", ask(good), 200, goodAnswer},
	{"form", "/", formType, form("assertion", good, "audience", audience), 200, goodAnswer},
	{"form", "/verify", formType + "; charset=UTF-8", form("assertion", good, "audience", audience, "x", "1", "x", "2"), 200, goodAnswer},
	{"query", "/verify?" + form("assertion", good, "audience", audience), "", "", 200, goodAnswer},
	{"query, other type", "/?" + form("assertion", good, "audience", audience), "text/plain", "what?", 200, goodAnswer},
	{"query and JSON", "/?" + form("assertion", good), jsonType, `{"audience":"https://rp.example"}`, 200, goodAnswer},
	{"query and form", "/?" + form("audience", audience), formType, form("assertion", good), 200, goodAnswer},
	{"the query takes precedence", "/?" + form("assertion", good, "audience", audience), jsonType, ask("x"), 200, goodAnswer},
	{"an empty query does not", "/?assertion=&audience=", jsonType, ask(good), 200, goodAnswer},
	{"trusted issuers are ignored", "/", jsonType, ask(foreign, `"trustedIssuers":["other.example"]`), 200,
		failed("untrusted issuer, expected 'idp.example', got 'other.example'")},
	{"forced issuer", "/", jsonType, ask(foreign, `"experimental_forceIssuer":"other.example"`), 200, okay(email, "other.example", "")},
	{"forced issuer, form", "/verify", formType, form("assertion", foreign, "audience", audience, "experimental_forceIssuer", "other.example"), 200,
		okay(email, "other.example", "")},
	{"forced issuer, query", "/verify?experimental_forceIssuer=other.example", jsonType, ask(foreign), 200, okay(email, "other.example", "")},
	{"forced issuer null", "/", jsonType, ask(good, `"experimental_forceIssuer":null`), 200, goodAnswer},
	{"unverified, not allowed", "/", jsonType, ask(noEmail, `"experimental_forceIssuer":"other.example"`), 200,
		okay("", "other.example", `"idpClaims":{"unverified-email":"alice@nowhere.example"}`)},
	{"unverified, allowed", "/", jsonType, ask(noEmail, `"experimental_forceIssuer":"other.example"`, `"experimental_allowUnverified":true`), 200,
		unverified(okay("", "other.example", `"idpClaims":{"unverified-email":"alice@nowhere.example"}`), "alice@nowhere.example")},
	{"unverified, allowed, form", "/", formType, form("assertion", claims, "audience", audience, "experimental_allowUnverified", "true"), 200,
		unverified(okay(email, "idp.example", claimsIDP), "Alice@Home.example")},
	{"unverified, allowed, none", "/", jsonType, ask(good, `"experimental_allowUnverified":"1"`), 200, goodAnswer},
	{"unverified, false", "/", jsonType, ask(claims, `"experimental_allowUnverified":false`), 200, okay(email, "idp.example", claimsIDP)},
	{"unverified, \"false\"", "/?experimental_allowUnverified=false", jsonType, ask(claims), 200, okay(email, "idp.example", claimsIDP)},
	{"unverified is not a string", "/", jsonType, ask(idptest.Backed(idp.Certificate(email, user.Public()).With("unverified-email", 5), idp.Assertion(audience, user)),
		`"experimental_allowUnverified":true`), 200, okay(email, "idp.example", `"idpClaims":{"unverified-email":5}`)},
	{"undecided", "/", jsonType, ask(unreachable), 200,
		`{"status":"failure","reason":"undecided, no keys of dark.example: domain is unavailable","undecided":true}`},
	{"no assertion", "/verify", formType, form("audience", audience), 400, failed("missing assertion parameter")},
	{"no audience", "/verify", formType, form("assertion", "x"), 400, failed("missing audience parameter")},
	{"no parameters", "/", jsonType, "", 400, failed("missing assertion parameter: the body is empty")},
	{"no parameters", "/", formType, "", 400, failed("missing assertion parameter: the body is empty")},
	{"JSON as a form", "/", formType, ask(good), 400, failed("missing assertion parameter: the body is JSON, and the Content-Type is that of a form; send application/json")},
	{"duplicate in a form", "/", formType, form("assertion", "x", "assertion", "y", "audience", audience), 400, failed("assertion is given twice")},
	{"duplicate in a query", "/?audience=x&audience=y", jsonType, ask(good), 400, failed("audience is given twice")},
	{"array-like names", "/", formType, form("assertion[]", good, "audience", audience), 400, failed("missing assertion parameter")},
	{"bad escapes in a form", "/", formType, "assertion=%zz&audience=x", 400, failed("malformed form: not name=value&… with % escapes")},
	{"bad escapes in a query", "/?audience=%zz", jsonType, ask(good), 400, failed("malformed form: not name=value&… with % escapes")},
	{"not UTF-8", "/", formType, "assertion=x&audience=%ff", 400, failed("audience is not UTF-8")},
	{"forced issuer not a string", "/", jsonType, ask(good, `"experimental_forceIssuer":["other.example"]`), 400, failed("experimental_forceIssuer must be a string")},
	{"allow not a boolean", "/", jsonType, ask(good, `"experimental_allowUnverified":1`), 400, failed("experimental_allowUnverified must be true or false")},
	{"other type", "/", "text/plain;x", "", 415, failed("Unsupported Content-Type: text/plain (expected application/x-www-form-urlencoded or application/json)")},
	{"no type", "/verify", "", "", 415, failed("Unsupported Content-Type: none (expected application/x-www-form-urlencoded or application/json)")},
	{"no type, half a query", "/verify?assertion=x", "", "", 415, failed("Unsupported Content-Type: none (expected application/x-www-form-urlencoded or application/json)")},

	// Other paths.
	{"no such path", "/v3", jsonType, ask(good), 404, failed(notFound)},
	{"no such path", "//", jsonType, ask(good), 404, failed(notFound)},
	{"no such path", "/V2", jsonType, ask(good), 404, failed(notFound)},
}

// notFound is the reason for a path that does not exist.
const notFound = "not found: want /v2, /verify or /"

// TestIssuerNames checks that a trusted issuer that no issuer can match is refused, with
// its problem and the form that is wanted, and that others are accepted.
func TestIssuerNames(t *testing.T) {
	s := serve(t, verifyapi.Config{})
	v1 := func(name string) string { return ask(foreign, fmt.Sprintf(`"experimental_forceIssuer":%q`, name)) }
	v2 := func(name string) string { return ask(foreign, fmt.Sprintf(`"trustedIssuers":["a.example",%q]`, name)) }
	for name, problem := range map[string]string{
		"https://other.example": "is a URL", "http://other.example:80/": "is a URL", "": "is empty", " other.example": "has blanks around it",
		"other.example\n": "has blanks around it", "alice@other.example": "is an email address", "*.other.example": "has a wildcard", "*": "has a wildcard",
		"other.example/": "has a path", "other.example.": "ends with a dot", "bücher.example": "is not ASCII (write a name in Unicode in its xn-- form)",
		"other.example:": "has a port that is not a number", "other.example:99999": "has a port that is not a number", "[::1]": "has a port", "a b": "is not a domain",
		".other.example": "is not a domain", strings.Repeat("a", 254): "is not a domain",
	} {
		for path, body := range map[string]string{"/v2": v2(name), "/": v1(name)} {
			if name == "" && path == "/" {
				continue // absent
			}
			parameter := map[string]string{"/v2": "trustedIssuers[1] ", "/": "experimental_forceIssuer "}[path]
			got := s.post(t, path, jsonType, body)
			if text := reason(t, got.body); got.StatusCode != 400 || !strings.HasPrefix(text, parameter+problem) || !strings.HasSuffix(text, ": want a domain, such as idp.example") {
				t.Errorf("%q: %s %s", name, got.Status, got.body)
			}
		}
	}
	for _, name := range []string{"other.example", "OTHER.Example"} {
		for path, body := range map[string]string{"/v2": v2(name), "/": v1(name)} {
			if got := s.post(t, path, jsonType, body); got.body != okay(email, "other.example", "") {
				t.Errorf("%s %q: %s", path, name, got.body)
			}
		}
	}
	for _, name := range []string{"127.0.0.1:10001", "localhost", "a.example", "xn--bcher-kva.example"} { // as in the suite of the original
		for path, body := range map[string]string{"/v2": v2(name), "/": v1(name)} {
			if got := s.post(t, path, jsonType, body); got.StatusCode != 200 {
				t.Errorf("%s %q: %s", path, name, got.body)
			}
		}
	}
}

// TestMisspeltNames checks that a parameter with almost the name of another one is refused
// if that is absent, and that other unknown parameters are ignored.
func TestMisspeltNames(t *testing.T) {
	s := serve(t, verifyapi.Config{})
	for _, tt := range []struct {
		path, contentType, body, name string // an empty name means that the request is accepted
	}{
		{"/v2", jsonType, ask(good, `"trustedIssuer":["other.example"]`), "trustedIssuers"},
		{"/v2", jsonType, ask(good, `"trusted_issuers":["other.example"]`), "trustedIssuers"},
		{"/v2", jsonType, ask(good, `"TRUSTEDISSUERS":[]`), "trustedIssuers"},
		{"/v2", jsonType, `{"Assertion":"x","audience":"y"}`, "assertion"},
		{"/v2", jsonType, `{"assertion":"x","Audience":"y"}`, "audience"},
		{"/", jsonType, ask(good, `"experimental_force_issuer":"other.example"`), "experimental_forceIssuer"},
		{"/", formType, form("assertions", good, "audience", audience), "assertion"},
		{"/?experimental_forceissuer=other.example", jsonType, ask(good), "experimental_forceIssuer"},
		{"/?experimental_allow_unverified=true", jsonType, ask(good), "experimental_allowUnverified"},
		{"/v2", jsonType, ask(good, `"trusted_issuer_s":[]`), "trustedIssuers"},
		{"/v2", jsonType, ask(good, `"_trusted-ISSUER-":[]`), "trustedIssuers"},
		{"/v2", jsonType, ask(good, `"trusted_issuers":null`, `"":1`, `"s":1`, `"assertio":1`, `"tru\u017ftedIssuers":1`), ""},
		{"/v2", jsonType, ask(good, `"trustedIssuers":[]`, `"trustedIssuer":"x"`), ""},
		{"/?Audience=x&trustedIssuer=y", jsonType, ask(good), ""},
		{"/?audience=" + url.QueryEscape(audience), formType, form("assertion", good, "Audience", "x"), ""},
		{"/v2?Audience=x&trustedIssuer=y", jsonType, ask(good), ""},
		{"/v2", jsonType, ask(good, `"experimental_forceIssuer":"other.example"`, `"trust":1`, `"issuer":1`), ""},
		{"/", formType, form("assertion", good, "audience", audience, "experimental_forceAuthentication", "true", "Audience", "x"), ""},
	} {
		got := s.post(t, tt.path, tt.contentType, tt.body)
		if tt.name == "" {
			if got.body != goodAnswer {
				t.Errorf("%s %s: %s", tt.path, tt.body, got.body)
			}
		} else if want := failed("unknown parameter, did you mean " + tt.name + "?"); got.StatusCode != 400 || got.body != want {
			t.Errorf("%s %s: %s %s, want %s", tt.path, tt.body, got.Status, got.body, want)
		}
	}
}

// TestAdviceForJSON checks that the reason names what a body is that is not JSON.
func TestAdviceForJSON(t *testing.T) {
	s := serve(t, verifyapi.Config{})
	utf16 := func(text string) (encoded string) {
		for _, c := range text {
			encoded += string([]byte{byte(c), byte(c >> 8)})
		}
		return encoded
	}
	for body, advice := range map[string]string{
		"\xef\xbb\xbf" + ask(good): "byte order mark", utf16("\ufeff" + ask(good)): "UTF-16", "\xfe\xff\x00{": "UTF-16", utf16(ask(good)): "UTF-16",
		"\x00{\x00}": "UTF-16", "\x1f\x8b\x08": "compressed", form("assertion", good, "audience", audience): "the body is a form", "audience=x": "the body is a form",
		"\r\n": "the body is empty",
	} {
		for _, path := range []string{"/v2", "/"} {
			got := s.post(t, path, jsonType, body)
			if text := reason(t, got.body); got.StatusCode != 400 || !strings.HasPrefix(text, "malformed JSON at byte ") || !strings.Contains(text, advice) {
				t.Errorf("%s %.20q: %s %s", path, body, got.Status, got.body)
			}
		}
	}
}

// TestPolicies checks that two headers, which only the test suite of the original wants,
// are left out where it does not look.
func TestPolicies(t *testing.T) {
	h := watch(t, verifyapi.Config{})
	for target, want := range map[string]string{
		"GET /status": originalPolicy, "GET /__heartbeat__": originalPolicy, "GET /__lbheartbeat__": originalPolicy, "GET /__version__": originalPolicy,
		"GET /v2": originalPolicy, "POST /v2": originalPolicy, "POST /": originalPolicy, "POST /verify": originalPolicy,
		"GET /healthz": ownPolicy, "GET /readyz": ownPolicy, "POST /readyz": ownPolicy,
		"GET /nothing": ownPolicy, "POST /__cspreport__": ownPolicy, "GET /%76%32": ownPolicy,
	} {
		method, path, _ := strings.Cut(target, " ")
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest(method, path, nil))
		checkHeaders(t, rec.Result())
		if got := rec.Header().Get("Content-Security-Policy"); got != want {
			t.Errorf("%s: %s", target, got)
		}
	}
}

// unverified returns an answer with an unverified address.
func unverified(answer, email string) string {
	return strings.Replace(answer, `"audience":`, fmt.Sprintf(`"unverified-email":%q,"audience":`, email), 1)
}

// TestRequests sends requestTests.
func TestRequests(t *testing.T) {
	s := serve(t, verifyapi.Config{})
	c := client(t)
	for _, tt := range requestTests {
		t.Run(tt.path[:min(len(tt.path), 12)]+"/"+tt.name, func(t *testing.T) {
			req, err := http.NewRequest("POST", s.url+tt.path, strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if tt.contentType != "" {
				req.Header.Set("Content-Type", tt.contentType)
			}
			resp, err := c.Do(req)
			got := read(t, resp, err)
			checkHeaders(t, got.Response)
			if ct := got.Header.Get("Content-Type"); ct != "application/json; charset=utf-8" {
				t.Errorf("Content-Type: %s", ct)
			}
			if got.StatusCode != tt.status {
				t.Errorf("status %d, not %d: %s", got.StatusCode, tt.status, got.body)
			}
			if tt.want == "" {
				reason(t, got.body)
			} else if got.body != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got.body, tt.want)
			}
		})
	}
}

// TestAnswerOfAssertion checks that an answer is what package assertion marshals.
// They differ only in the audience, and in what v1 adds.
func TestAnswerOfAssertion(t *testing.T) {
	v := newVerifier(t, assertion.Config{})
	s := serve(t, verifyapi.Config{Verifier: v})
	for _, a := range []string{good, claims} {
		res, err := v.Verify(t.Context(), a, audience)
		if err != nil {
			t.Fatal(err)
		}
		want, err := json.Marshal(res)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.post(t, "/v2", jsonType, ask(a)); got.body != string(want) {
			t.Errorf("got\n%s\nwant\n%s", got.body, want)
		}
	}
}

func TestMethods(t *testing.T) {
	s := serve(t, verifyapi.Config{Version: verifyapi.Version{Version: "1.2.3", Commit: strings.Repeat("0a", 20), Source: "https://src.example"}})
	type row struct {
		method, path string
		status       int
		contentType  string
		body, allow  string
	}
	const json = "application/json; charset=utf-8"
	notAllowed := failed("method not allowed: use POST")
	rows := []row{
		{"GET", "/status", 200, "text/plain", "OK", ""},
		{"GET", "/status/", 200, "text/plain", "OK", ""},
		{"HEAD", "/status", 200, "text/plain", "", ""},
		{"POST", "/status", 405, json, failed("method not allowed: use GET, HEAD"), "GET, HEAD"},
		{"OPTIONS", "/status", 204, "", "", "GET, HEAD"},
		{"GET", "/__heartbeat__", 200, json, "{}", ""},
		{"GET", "/__lbheartbeat__", 200, json, "{}", ""},
		{"HEAD", "/__lbheartbeat__", 200, json, "", ""},
		{"DELETE", "/__lbheartbeat__", 405, json, failed("method not allowed: use GET, HEAD"), "GET, HEAD"},
		{"GET", "/__version__", 200, json, `{"version":"1.2.3","commit":"` + strings.Repeat("0a", 20) + `","source":"https://src.example"}`, ""},
		{"GET", "/healthz", 200, json, `{"status":"ok"}`, ""},
		{"GET", "/healthz/", 200, json, `{"status":"ok"}`, ""},
		{"HEAD", "/healthz", 200, json, "", ""},
		{"POST", "/healthz", 405, json, failed("method not allowed: use GET, HEAD"), "GET, HEAD"},
		{"OPTIONS", "/healthz", 204, "", "", "GET, HEAD"},
		{"GET", "/readyz", 200, json, `{"status":"ok"}`, ""},
		{"HEAD", "/readyz", 200, json, "", ""},
		{"POST", "/readyz", 405, json, failed("method not allowed: use GET, HEAD"), "GET, HEAD"},
		{"GET", "/nothing", 404, json, failed(notFound), ""},
		{"OPTIONS", "/nothing", 404, json, failed(notFound), ""},
		{"HEAD", "/nothing", 404, json, "", ""},
		{"GET", "/metrics", 404, json, failed(notFound), ""},
		{"POST", "/__cspreport__", 404, json, failed(notFound), ""},
	}
	for _, path := range []string{"/", "/verify", "/v2"} {
		for _, method := range []string{"GET", "PUT", "DELETE", "PATCH", "TRACE", "post", "BREW"} {
			rows = append(rows, row{method, path, 405, json, notAllowed, "POST"})
		}
		rows = append(rows, row{"HEAD", path, 405, json, "", "POST"}, row{"OPTIONS", path, 204, "", "", "POST"})
	}
	c := client(t)
	for _, tt := range rows {
		t.Run(tt.method+tt.path, func(t *testing.T) {
			req, err := http.NewRequest(tt.method, s.url+tt.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := c.Do(req)
			got := read(t, resp, err)
			checkHeaders(t, got.Response)
			have := row{tt.method, tt.path, got.StatusCode, got.Header.Get("Content-Type"), got.body, got.Header.Get("Allow")}
			if diff := cmp.Diff(tt, have, cmp.AllowUnexported(row{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestInOtherServer serves the handler in another server's mux, below a path, with a
// ResponseWriter that has only the methods of the interface.
func TestInOtherServer(t *testing.T) {
	h := watch(t, verifyapi.Config{})
	mux := http.NewServeMux()
	mux.Handle("/verifier/", http.StripPrefix("/verifier", h))
	mux.Handle("/verifier", http.StripPrefix("/verifier", h))
	plain := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mux.ServeHTTP(struct{ http.ResponseWriter }{w}, r)
	})
	for _, path := range []string{"/verifier", "/verifier/", "/verifier/verify", "/verifier/v2"} {
		rec := httptest.NewRecorder()
		r := httptest.NewRequest("POST", path, io.MultiReader(strings.NewReader(ask(good)))) // of unknown length
		r.Header.Set("Content-Type", jsonType)
		plain.ServeHTTP(rec, r)
		checkHeaders(t, rec.Result())
		if rec.Code != 200 || rec.Body.String() != goodAnswer {
			t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
		}
	}
	// A limit on bodies that was set before the handler is reported as its own.
	rec := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/v2", io.MultiReader(strings.NewReader(ask(good))))
	r.Header.Set("Content-Type", jsonType)
	http.MaxBytesHandler(h, 100).ServeHTTP(rec, r)
	if rec.Code != 413 {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

func TestUndecidedStatus(t *testing.T) {
	s := serve(t, verifyapi.Config{UndecidedStatus: 503})
	got := s.post(t, "/v2", jsonType, ask(unreachable))
	checkHeaders(t, got.Response)
	if got.StatusCode != 503 || !strings.Contains(got.body, `"undecided":true`) || got.Header.Get("Retry-After") != "5" {
		t.Errorf("%s %v %s", got.Status, got.Header, got.body)
	}
	// Decided outcomes keep their status.
	if got := s.post(t, "/v2", jsonType, ask("bogus")); got.StatusCode != 200 {
		t.Errorf("%s %s", got.Status, got.body)
	}
	s.checkServes(t)
}

// TestUnavailable checks that wrong requests still have a 4xx status.
func TestUnavailable(t *testing.T) {
	s := serve(t, verifyapi.Config{Unavailable: true})
	for _, path := range []string{"/", "/verify", "/v2"} {
		for _, a := range []string{good, "bogus"} {
			got := s.post(t, path, jsonType, ask(a))
			checkHeaders(t, got.Response)
			if got.StatusCode != 503 || got.body != failed("service unavailable") {
				t.Errorf("%s %s %s", path, got.Status, got.body)
			}
		}
		if got := s.post(t, path, jsonType, "{}"); got.StatusCode != 400 {
			t.Errorf("%s %s", got.Status, got.body)
		}
	}
	resp, err := client(t).Get(s.url + "/__heartbeat__")
	if got := read(t, resp, err); got.StatusCode != 200 {
		t.Errorf("%s", got.Status)
	}
}

// TestTrustOfOneRequest checks that trusted issuers affect no other request, in any
// order of requests, although the verifier caches certificates.
func TestTrustOfOneRequest(t *testing.T) {
	s := serve(t, verifyapi.Config{})
	done := make(chan struct{})
	for range 4 {
		go func() {
			defer func() { done <- struct{}{} }()
			for range 20 {
				for body, want := range map[string]string{
					ask(foreign): failed("untrusted issuer, expected 'idp.example', got 'other.example'"),
					ask(foreign, `"trustedIssuers":["other.example"]`): okay(email, "other.example", ""),
					ask(foreign, `"trustedIssuers":["idp.example"]`):   failed("untrusted issuer, expected 'idp.example', got 'other.example'"),
				} {
					if got := s.post(t, "/v2", jsonType, body); got.body != want {
						t.Errorf("got %s, want %s", got.body, want)
					}
				}
			}
		}()
	}
	for range 4 {
		<-done
	}
}

// TestConfiguredTrust checks that the verifier's own trusted issuers apply to
// requests that name none.
func TestConfiguredTrust(t *testing.T) {
	s := serve(t, verifyapi.Config{Verifier: newVerifier(t, assertion.Config{TrustedIssuers: []string{"other.example"}})})
	for body, want := range map[string]string{
		ask(foreign):                             okay(email, "other.example", ""),
		ask(foreign, `"trustedIssuers":[]`):      okay(email, "other.example", ""),
		ask(foreign, `"trustedIssuers":["x.y"]`): failed("untrusted issuer, expected 'idp.example', got 'other.example'"),
	} {
		if got := s.post(t, "/v2", jsonType, body); got.body != want {
			t.Errorf("got %s, want %s", got.body, want)
		}
	}
}
