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
	"github.com/vepverify/vepverify/internal/strictjson"
)

// params are what a caller asks for.
type params struct {
	assertion, audience string
	trusted             []string // empty: those of the configuration
	allowUnverified     bool
}

// host returns the host whose document is asked for first: the issuer if the
// request trusts it or if there is no address, else the domain of the address.
// It is called only for assertions that the verifier has parsed before.
func (p *params) host() string {
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

func malformed(reason string) error {
	return &refusal{status: http.StatusBadRequest, reason: reason, outcome: refusedBody}
}

func wrongParameter(reason string) error {
	return &refusal{status: http.StatusBadRequest, reason: reason, outcome: refusedParameter}
}

// complete errs when what is required is missing, the assertion named first.
func (p *params) complete() error {
	switch {
	case p.assertion == "":
		return wrongParameter("missing assertion parameter")
	case p.audience == "":
		return wrongParameter("missing audience parameter")
	}
	return nil
}

// maxValues is the number of commas in a JSON body: of members and of trusted
// issuers there are fewer, and an assertion has none. Reading as many members as
// fit into the largest body takes 30 ms (BenchmarkCostly).
const maxValues = 2048

// parseJSON reads a JSON object; an empty body is one without members. It is read
// strictly, because parsers that disagree about what is asked disagree about
// the answer: one object, UTF-8, no member twice. Unknown members are ignored.
func parseJSON(body []byte) (strictjson.Object, error) {
	if len(body) == 0 {
		return nil, nil
	}
	if bytes.Count(body, []byte(",")) > maxValues {
		return nil, malformed(fmt.Sprintf("malformed JSON: more than %d members and elements", maxValues))
	}
	o, err := strictjson.AppendObject(make(strictjson.Object, 0, 4), body)
	if err != nil {
		var wrong *strictjson.SyntaxError // says what is wrong, and not what was sent
		if errors.As(err, &wrong) {
			return nil, malformed(fmt.Sprintf("malformed JSON at byte %d: %s", wrong.Offset, wrong.Problem))
		}
		return nil, malformed("malformed JSON")
	}
	return o, nil
}

// stringMember gives "" for a member that is absent or null.
func stringMember(o strictjson.Object, name string) (string, error) {
	raw, ok := o.Get(name)
	if !ok || string(raw) == "null" {
		return "", nil
	}
	s, ok := strictjson.String(raw)
	if !ok {
		return "", wrongParameter(name + " must be a string")
	}
	return s, nil
}

// parser reads the parameters out of a request's body.
type parser func(body []byte) (params, error)

// chooser gives the parser for a request by its header, or says why there is none.
type chooser func(r *http.Request, maxQuery int64) (parser, error)

// v2 takes JSON and nothing else. The query means nothing.
func v2(r *http.Request, _ int64) (parser, error) {
	if mediaType(r) != jsonOnly {
		return nil, unsupportedType(r, jsonOnly)
	}
	return parseV2, checkEncoding(r)
}

// parseV2 reads the parameters of /v2.
func parseV2(body []byte) (p params, err error) {
	o, err := parseJSON(body)
	if err != nil {
		return p, err
	}
	if p.assertion, err = stringMember(o, "assertion"); err != nil {
		return p, err
	}
	if p.audience, err = stringMember(o, "audience"); err != nil {
		return p, err
	}
	if err = p.complete(); err != nil {
		return p, err
	}
	raw, _ := o.Get("trustedIssuers")
	p.trusted, err = parseTrusted(raw)
	return p, err
}

// maxTrusted is the number of trusted issuers that a request may name.
const maxTrusted = 1024

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
	return trusted, nil
}

// The parameters of v1, which are members of an object, or of a form, or stand in
// the query.
const (
	forceIssuer     = "experimental_forceIssuer"
	allowUnverified = "experimental_allowUnverified"
)

// lookup gives a parameter of v1; "" when it is absent.
type lookup func(name string) (string, error)

func nothing(string) (string, error) { return "", nil }

// v1 takes JSON or a form, or what else comes with a query that says all.
func v1(r *http.Request, maxQuery int64) (parser, error) {
	if int64(len(r.URL.RawQuery)) > maxQuery {
		return nil, &refusal{http.StatusRequestURITooLong, "the query is too long", refusedSize, hangsUp(r)}
	}
	query, err := fromForm(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	switch mediaType(r) {
	case jsonOnly:
		return func(body []byte) (params, error) {
			o, err := parseJSON(body)
			if err != nil {
				return params{}, err
			}
			return parseV1(query, fromJSON(o))
		}, checkEncoding(r)
	case formType:
		return func(body []byte) (params, error) {
			form, err := fromForm(string(body))
			if err != nil {
				return params{}, err
			}
			return parseV1(query, form)
		}, checkEncoding(r)
	}
	if p, _ := parseV1(query, nothing); p.assertion == "" || p.audience == "" {
		return nil, unsupportedType(r, formType+" or "+jsonOnly)
	}
	return func([]byte) (params, error) { return parseV1(query, nothing) }, nil
}

// parseV1 reads the parameters of v1: what stands in the query, and not empty,
// wins over what is in the body.
func parseV1(query, body lookup) (p params, err error) {
	get := func(name string) string {
		for _, from := range []lookup{query, body} {
			s, wrong := from(name)
			if err == nil {
				err = wrong
			}
			if s != "" {
				return s
			}
		}
		return ""
	}
	p.assertion, p.audience = get("assertion"), get("audience")
	if issuer := get(forceIssuer); issuer != "" {
		p.trusted = []string{issuer}
	}
	p.allowUnverified = isTrue(get(allowUnverified))
	if err == nil {
		err = p.complete()
	}
	return p, err
}

// isTrue: clients send true, "true" or "1".
func isTrue(s string) bool { return s != "" && s != "false" && s != "0" }

// fromJSON gives the parameters that are members of an object.
func fromJSON(o strictjson.Object) lookup {
	return func(name string) (string, error) {
		if name != allowUnverified {
			return stringMember(o, name)
		}
		if raw, _ := o.Get(name); string(raw) == "true" || string(raw) == "false" {
			return string(raw), nil
		}
		s, err := stringMember(o, name)
		if err != nil {
			err = wrongParameter(name + " must be true or false")
		}
		return s, err
	}
}

// maxPairs is the number of pairs of names and values in a form or a query, of
// which four mean something. Counting them costs less than a microsecond; reading
// half a million of them, as fit into the largest body, takes 0.2 s and 100 MiB.
const maxPairs = 100

// fromForm gives the parameters of a form or a query.
func fromForm(text string) (lookup, error) {
	if text == "" {
		return nothing, nil
	}
	if strings.Count(text, "&") >= maxPairs {
		return nil, malformed(fmt.Sprintf("malformed form: more than %d names", maxPairs))
	}
	values, err := url.ParseQuery(text)
	if err != nil {
		return nil, malformed("malformed form: not name=value&… with % escapes")
	}
	return func(name string) (string, error) {
		given := values[name]
		switch {
		case len(given) == 0:
			return "", nil
		case len(given) > 1:
			return "", wrongParameter(name + " is given twice")
		case !utf8.ValidString(given[0]):
			return "", wrongParameter(name + " is not UTF-8")
		}
		return given[0], nil
	}, nil
}
