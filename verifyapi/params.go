package verifyapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/internal/domain"
	"github.com/vepverify/vepverify/internal/strictjson"
)

// params are the parameters of a request for a verification.
type params struct {
	assertion, audience string   // the token in place of an assertion for /evp
	trusted             []string // empty means those of the configuration
	allowUnverified     bool

	isToken      bool   // the request is for /evp
	nonce, email string // of a token
}

// host returns the host whose document is fetched first: the issuer if the
// request trusts it or if there is no address, else the domain of the address.
// It is called only for assertions that the verifier has parsed before.
func (p *params) host() string {
	if p.isToken {
		return p.tokenDomain()
	}
	backed, err := assertion.Parse(p.assertion)
	if err != nil {
		return ""
	}
	chain := backed.Certificates
	issuer := chain[0].Issuer
	_, emailDomain, _ := chain[len(chain)-1].Email()
	if emailDomain == "" || slices.ContainsFunc(p.trusted, func(s string) bool { return strings.EqualFold(s, issuer) }) {
		return issuer
	}
	return emailDomain
}

// checkRequired returns a rejection if a required parameter is missing, the
// assertion first. Advice says why it may be missing; it may be empty.
func (p *params) checkRequired(advice string) error {
	switch {
	case p.assertion == "":
		return wrongParameter("missing assertion parameter" + advice)
	case p.audience == "":
		return wrongParameter("missing audience parameter" + advice)
	}
	return nil
}

// malformed returns the rejection of a body or query that cannot be parsed.
func malformed(reason string) error { return reject(http.StatusBadRequest, refusedBody, reason) }

// wrongParameter returns the rejection of a parameter.
func wrongParameter(reason string) error {
	return reject(http.StatusBadRequest, refusedParameter, reason)
}

const (
	formMedia    = "application/x-www-form-urlencoded"
	jsonMedia    = "application/json"
	maxEchoMedia = 100 // bytes of an unsupported Content-Type that the reason repeats
)

// source is where the parameters of a request are.
type source struct {
	version version
	media   string // of the body: formMedia, jsonMedia, or empty if only the query counts
	query   fields // of v1
}

// sourceOf returns the source of a request by its header, or the rejection of a
// header that does not fit.
func sourceOf(r *http.Request, v version, maxQuery int64) (source, error) {
	if v == evpAPI { // a form too
		return sourceOfToken(r)
	}
	if v == v2 { // JSON and nothing else; the query is ignored
		if mediaType(r) != jsonMedia {
			return source{}, unsupportedMedia(r, jsonMedia)
		}
		return source{version: v2, media: jsonMedia}, checkEncoding(r)
	}
	if int64(len(r.URL.RawQuery)) > maxQuery {
		return source{}, rejectBody(r, http.StatusRequestURITooLong, refusedSize, fmt.Sprintf("the query is too long: more than %d bytes (send the parameters in the body)", maxQuery))
	}
	query, err := parseForm(r.URL.RawQuery)
	if err != nil {
		return source{}, err
	}
	if media := mediaType(r); media == jsonMedia || media == formMedia {
		return source{v1, media, query}, checkEncoding(r)
	}
	// Another type is accepted if the query has everything.
	if p, _ := parseV1(query, fields{}, ""); p.assertion == "" || p.audience == "" {
		return source{}, unsupportedMedia(r, formMedia+" or "+jsonMedia)
	}
	return source{v1, "", query}, nil
}

// mediaType returns the Content-Type up to the first semicolon, in lower case. The
// rest does not matter: JSON has one charset, and clients write
// "application/json; charset: utf-8", which is not a parameter.
func mediaType(r *http.Request) string {
	t, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// unsupportedMedia returns the rejection of a Content-Type.
func unsupportedMedia(r *http.Request, expected string) error {
	got, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if got = strings.TrimSpace(got); got == "" {
		got = "none"
	}
	got = strings.ToValidUTF8(got[:min(len(got), maxEchoMedia)], "?")
	return reject(http.StatusUnsupportedMediaType, refusedType, fmt.Sprintf("Unsupported Content-Type: %s (expected %s)", got, expected))
}

// checkEncoding returns a rejection if the body is compressed.
func checkEncoding(r *http.Request) error {
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return reject(http.StatusUnsupportedMediaType, refusedType, "Unsupported Content-Encoding: send the body as it is")
	}
	return nil
}

// parse returns the parameters of a request with this body.
func (s source) parse(body []byte) (params, error) {
	switch s.version {
	case v2:
		return s.parseV2(body)
	case evpAPI:
		return s.parseToken(body)
	}
	var f fields
	var err error
	switch s.media {
	case jsonMedia:
		f.object, err = parseJSON(body)
	case formMedia:
		f, err = parseForm(string(body))
	}
	if err != nil {
		return params{}, err
	}
	return parseV1(s.query, f, s.missingAdvice(body))
}

// missingAdvice returns what to do about a body without a required parameter, or "".
func (s source) missingAdvice(body []byte) string {
	switch {
	case s.media != "" && len(body) == 0 && s.query.isEmpty():
		return ": the body is empty"
	case s.media == formMedia && bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")):
		return ": the body is JSON, and the Content-Type is that of a form; send " + jsonMedia
	}
	return ""
}

// parseV2 returns the parameters in the body of /v2.
func (s source) parseV2(body []byte) (p params, err error) {
	o, err := parseJSON(body)
	if err != nil {
		return p, err
	}
	f := fields{object: o}
	if p.assertion, err = f.get("assertion"); err != nil {
		return p, err
	}
	if p.audience, err = f.get("audience"); err != nil {
		return p, err
	}
	for _, name := range []string{"assertion", "audience", trustedIssuers} {
		if err = checkSpelling(name, f); err != nil {
			return p, err
		}
	}
	if err = p.checkRequired(s.missingAdvice(body)); err != nil {
		return p, err
	}
	p.trusted, err = parseTrusted(f.member(trustedIssuers))
	return p, err
}

// maxTrusted is the number of trusted issuers that a request may name.
const maxTrusted = 1024

// parseTrusted parses the member trustedIssuers. Absent and null mean none.
func parseTrusted(raw json.RawMessage) ([]string, error) {
	if raw == nil || string(raw) == "null" {
		return nil, nil
	}
	list, ok := strictjson.Array(raw)
	if !ok {
		return nil, wrongParameter("trusted issuers must be an array")
	}
	if len(list) > maxTrusted {
		return nil, wrongParameter(fmt.Sprintf("trusted issuers must be at most %d", maxTrusted))
	}
	trusted := make([]string, len(list))
	for i, raw := range list {
		if trusted[i], ok = strictjson.String(raw); !ok {
			return nil, wrongParameter("trusted issuers must be an array of strings")
		}
	}
	for i, issuer := range trusted {
		if _, ok := domain.Parse(issuer); !ok {
			return nil, wrongIssuer(fmt.Sprintf("trustedIssuers[%d]", i), issuer)
		}
	}
	return trusted, nil
}

// wrongIssuer returns the rejection of a name that no issuer can have, so that trusting it
// has no effect. It does not repeat the name, which could be anything.
func wrongIssuer(parameter, name string) error {
	return wrongParameter(fmt.Sprintf("%s %s: want a domain, such as idp.example", parameter, issuerProblem(name)))
}

// issuerProblem says why a name is not a domain.
func issuerProblem(name string) string {
	notASCII := func(r rune) bool { return r >= utf8.RuneSelf }
	switch {
	case name == "":
		return "is empty"
	case strings.TrimSpace(name) != name:
		return "has blanks around it"
	case strings.Contains(name, "://"):
		return "is a URL"
	case strings.Contains(name, "@"):
		return "is an email address"
	case strings.Contains(name, "*"):
		return "has a wildcard"
	case strings.Contains(name, "/"):
		return "has a path"
	case strings.HasSuffix(name, "."):
		return "ends with a dot"
	case strings.ContainsFunc(name, notASCII):
		return "is not ASCII (write a name in Unicode in its xn-- form)"
	case strings.Contains(name, ":"):
		return "has a port that is not a number from 1 to 65535, or is an IPv6 address"
	}
	return "is not a domain"
}

// maxValues is the number of commas in a JSON body. Members and trusted issuers
// together are fewer, and an assertion has none. Reading as many members as fit
// into the largest body takes 30 ms (BenchmarkCostly).
const maxValues = 2048

// parseJSON reads a JSON object; an empty body is an object without members. It
// reads strictly, because parsers that disagree about a request disagree about the
// answer: one object, UTF-8, no duplicate names. Unknown members are ignored.
func parseJSON(body []byte) (strictjson.Object, error) {
	if len(body) == 0 {
		return nil, nil
	}
	if bytes.Count(body, []byte(",")) > maxValues {
		return nil, malformed(fmt.Sprintf("malformed JSON: more than %d members and elements", maxValues))
	}
	o, err := strictjson.AppendObject(make(strictjson.Object, 0, 4), body)
	if err != nil {
		var wrong *strictjson.SyntaxError // has no text of the body
		if errors.As(err, &wrong) {
			return nil, malformed(fmt.Sprintf("malformed JSON at byte %d: %s%s", wrong.Offset, wrong.Problem, jsonAdvice(body)))
		}
		return nil, malformed("malformed JSON")
	}
	return o, nil
}

// jsonAdvice returns what to do about a body that is not JSON, or "".
func jsonAdvice(body []byte) string {
	begins := func(text string) bool { return bytes.HasPrefix(bytes.TrimSpace(body), []byte(text)) }
	switch {
	case begins("\xef\xbb\xbf"):
		return " (the body begins with a byte order mark: send UTF-8 without one)"
	case begins("\xff\xfe"), begins("\xfe\xff"), begins("{\x00"), begins("\x00{"):
		return " (the body is UTF-16: send UTF-8)"
	case begins("\x1f\x8b"):
		return " (the body is compressed: send it as it is)"
	case begins("assertion="), begins("audience="):
		return " (the body is a form, and the Content-Type is that of JSON)"
	case len(bytes.TrimSpace(body)) == 0:
		return " (the body is empty)"
	}
	return ""
}

// The parameters that only one version has: the first is of v2, the others are of v1.
const (
	trustedIssuers  = "trustedIssuers"
	forceIssuer     = "experimental_forceIssuer"
	allowUnverified = "experimental_allowUnverified"
)

// parseV1 returns the parameters of v1. A parameter in the query that is not empty
// takes precedence over the body. Advice is for a required one that is missing.
func parseV1(query, body fields, advice string) (p params, err error) {
	get := func(name string) string {
		for _, f := range []fields{query, body} {
			s, wrong := f.get(name)
			if err == nil {
				err = wrong
			}
			if s != "" {
				return s
			}
		}
		if err == nil {
			err = checkSpelling(name, query, body)
		}
		return ""
	}
	p.assertion, p.audience = get("assertion"), get("audience")
	issuer := get(forceIssuer)
	p.allowUnverified = isTrue(get(allowUnverified))
	if err == nil {
		err = p.checkRequired(advice)
	}
	if err != nil || issuer == "" {
		return p, err
	}
	if _, ok := domain.Parse(issuer); !ok {
		return p, wrongIssuer(forceIssuer, issuer)
	}
	p.trusted = []string{issuer}
	return p, nil
}

// isTrue reports whether a value means true: it is neither empty nor "false" nor "0".
func isTrue(s string) bool { return s != "" && s != "false" && s != "0" }

// fields are parameters of v1: the members of a JSON object, or the pairs of a form
// or a query. The zero value has none.
type fields struct {
	object strictjson.Object
	form   url.Values
}

// maxPairs is the number of pairs of names and values in a form or a query, of
// which four mean something. Counting them costs less than a microsecond; parsing
// half a million of them, which fit into the largest body, takes 0.2 s and 100 MiB.
const maxPairs = 100

// parseForm reads a form or a query.
func parseForm(text string) (fields, error) {
	if text == "" {
		return fields{}, nil
	}
	if strings.Count(text, "&") >= maxPairs {
		return fields{}, malformed(fmt.Sprintf("malformed form: more than %d names", maxPairs))
	}
	values, err := url.ParseQuery(text)
	if err != nil {
		return fields{}, malformed("malformed form: not name=value&… with % escapes")
	}
	return fields{form: values}, nil
}

// isEmpty reports whether there are no fields.
func (f fields) isEmpty() bool { return len(f.object) == 0 && len(f.form) == 0 }

// get returns a parameter, or "" if it is absent.
func (f fields) get(name string) (string, error) {
	switch values := f.form[name]; {
	case len(values) > 1:
		return "", wrongParameter(name + " is given twice")
	case len(values) == 1 && !utf8.ValidString(values[0]):
		return "", wrongParameter(name + " is not UTF-8")
	case len(values) == 1:
		return values[0], nil
	}
	raw := f.member(name)
	switch {
	case raw == nil, string(raw) == "null":
		return "", nil
	case name == allowUnverified && (string(raw) == "true" || string(raw) == "false"):
		return string(raw), nil
	}
	s, ok := strictjson.String(raw)
	switch {
	case ok:
		return s, nil
	case name == allowUnverified:
		return "", wrongParameter(name + " must be true or false")
	}
	return "", wrongParameter(name + " must be a string")
}

// member returns the value of a member, or nil if it is absent.
func (f fields) member(name string) json.RawMessage {
	raw, _ := f.object.Get(name)
	return raw
}

// has reports whether there is a parameter of this name.
func (f fields) has(name string) bool { return f.form.Has(name) || f.member(name) != nil }

// hasMisspelt reports whether there is a parameter with almost this name. Null means absent.
func (f fields) hasMisspelt(name string) bool {
	for _, m := range f.object {
		if isMisspelt(m.Name, name) && string(m.Value) != "null" {
			return true
		}
	}
	for other := range f.form {
		if isMisspelt(other, name) {
			return true
		}
	}
	return false
}

// checkSpelling returns a rejection if a parameter is absent and another one has almost
// its name, which would be ignored in silence.
func checkSpelling(name string, all ...fields) error {
	has := func(f fields) bool { return f.has(name) }
	misspelt := func(f fields) bool { return f.hasMisspelt(name) }
	if slices.ContainsFunc(all, has) || !slices.ContainsFunc(all, misspelt) {
		return nil
	}
	return wrongParameter("unknown parameter, did you mean " + name + "?")
}

// isMisspelt reports whether a name differs from another only in case, in '_' and '-', or
// in an s at its end. It is called for each parameter of a request (BenchmarkHandler,
// BenchmarkCostly).
func isMisspelt(got, name string) bool {
	const ignored = "_-"
	for got != "" && name != "" {
		switch {
		case strings.IndexByte(ignored, got[0]) >= 0:
			got = got[1:]
		case strings.IndexByte(ignored, name[0]) >= 0:
			name = name[1:]
		case lower(got[0]) != lower(name[0]):
			return false
		default:
			got, name = got[1:], name[1:]
		}
	}
	rest := strings.Trim(got+name, ignored) // one of them is empty
	return rest == "" || rest == "s" || rest == "S"
}

// lower returns an ASCII letter in lower case, and any other byte as it is.
func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
