package verifyapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/internal/sniff"
)

// The parameters of /evp.
const (
	tokenParam    = "token"
	audienceParam = "audience"
	nonceParam    = "nonce"
	emailParam    = "email" // optional
)

// sourceOfToken returns the source of a request for /evp, or the rejection of a header that does
// not fit. The query is ignored: logs of proxies have it.
func sourceOfToken(r *http.Request) (source, error) {
	media := mediaType(r)
	if media != jsonMedia && media != formMedia {
		return source{}, unsupportedMedia(r, jsonMedia+" or "+formMedia)
	}
	return source{version: evpAPI, media: media}, checkEncoding(r)
}

// parseToken returns the parameters in the body of /evp.
func (s source) parseToken(body []byte) (p params, err error) {
	var f fields
	if s.media == jsonMedia {
		f.object, err = parseJSON(body)
	} else {
		f, err = parseForm(string(body))
	}
	if err != nil {
		return p, err
	}
	p.isToken = true
	for _, parameter := range []struct {
		name  string
		value *string
	}{{tokenParam, &p.assertion}, {audienceParam, &p.audience}, {nonceParam, &p.nonce}, {emailParam, &p.email}} {
		if *parameter.value, err = f.get(parameter.name); err != nil {
			return p, err
		}
		if err = checkSpelling(parameter.name, f); err != nil {
			return p, err
		}
	}
	return p, p.checkToken(f, s.missingAdvice(body))
}

// checkToken returns a rejection if a required parameter is missing, or the audience is not an
// origin.
func (p *params) checkToken(f fields, advice string) error {
	switch {
	case p.assertion == "" && f.has("assertion"):
		return wrongParameter("missing token parameter: an assertion is verified by /v2")
	case p.assertion == "":
		return wrongParameter("missing token parameter" + advice)
	case p.audience == "":
		return wrongParameter("missing audience parameter")
	case p.nonce == "":
		return wrongParameter("missing nonce parameter: it is the nonce that the page gave to the browser")
	}
	if _, err := origin.Parse(p.audience); err != nil {
		return wrongParameter("audience is not an origin: want scheme, host and port only, such as https://rp.example")
	}
	return nil
}

// tokenDomain returns the domain of the address in the token. It is called only for tokens that
// passed all checks without a network.
func (p *params) tokenDomain() string {
	t, err := evp.Parse(p.assertion)
	if err != nil {
		return ""
	}
	_, domain, _ := strings.Cut(t.Email, "@")
	return domain
}

// verifyToken verifies the token of the request.
func (x *exchange) verifyToken(ctx context.Context) ([]byte, error) {
	p := &x.params
	verifier, err := x.handler.config.Tokens.WithOrigins(p.audience)
	if err != nil { // not the client's fault: checkToken has checked the origin
		return nil, err
	}
	res, err := verifier.Verify(ctx, p.assertion, evp.Expected{Nonce: p.nonce, Email: p.email})
	if err != nil {
		return nil, err
	}
	x.email = res.Email
	return res.MarshalJSON()
}

// failure returns the failure that is the answer to an error, nil if there is none. It tells where
// a text of the other protocol belongs.
func (x *exchange) failure(err error) *assertion.FailureAnswer {
	failed := assertion.Failure(err)
	if failed == nil || !errors.Is(err, assertion.ErrMalformed) && !errors.Is(err, evp.ErrHeader) {
		return failed
	}
	kind := sniff.Of(x.params.assertion)
	switch {
	case x.params.isToken && kind == sniff.Assertion:
		failed.Reason = "malformed token: an assertion of BrowserID (POST it to /v2)"
	case !x.params.isToken && kind == sniff.EVPToken && x.handler.config.Tokens != nil:
		failed.Reason = fmt.Sprintf("%s (POST it to /evp, with its nonce)", failed.Reason)
	}
	return failed
}
