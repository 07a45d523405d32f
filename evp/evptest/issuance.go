package evptest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"time"
)

// components are what browsers sign of a request (RFC 9421).
const components = `"@method" "@authority" "@path" "content-digest" "signature-key"`

// IssuanceRequest returns the request of a browser that has the key, for a token about an
// address, as Chromium 156 sends it to the issuance_endpoint: with Content-Digest and the
// signature. The test adds the cookies of a session. It is for tests of issuers, such as
// those of package evp/issuer. IssuanceRequest panics if the endpoint is not an https URL.
func (k Key) IssuanceRequest(endpoint, email string, at time.Time) *http.Request {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		panic("evptest: not an https URL: " + endpoint)
	}
	body := mustEncode(Object{"email": email})
	digest := sha256.Sum256(body)
	r := httptest.NewRequest(http.MethodPost, endpoint, strings.NewReader(string(body)))
	for name, value := range map[string]string{
		"Content-Type": "application/json", "Accept": "application/json", "Origin": "null",
		"Sec-Fetch-Dest": "email-verification", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Site": "none",
		"Content-Digest": "sha-256=:" + base64.StdEncoding.EncodeToString(digest[:]) + ":",
		"Signature-Key":  k.signatureKey(),
	} {
		r.Header.Set(name, value)
	}
	k.signRequest(r, at)
	return r
}

// signatureKey returns the header with the public key.
func (k Key) signatureKey() string {
	jwk := k.JWK()
	text := "sig=hwk"
	for _, name := range slices.Sorted(maps.Keys(jwk)) {
		text += fmt.Sprintf(";%s=%q", name, jwk[name])
	}
	return text
}

// signRequest adds the headers Signature-Input and Signature.
func (k Key) signRequest(r *http.Request, at time.Time) {
	input := fmt.Sprintf("(%s);created=%d", components, at.Unix())
	base := strings.Join([]string{
		`"@method": ` + r.Method, `"@authority": ` + strings.TrimSuffix(r.Host, ":443"), `"@path": ` + r.URL.EscapedPath(),
		`"content-digest": ` + r.Header.Get("Content-Digest"), `"signature-key": ` + r.Header.Get("Signature-Key"),
		`"@signature-params": ` + input,
	}, "\n")
	signature, err := k.Sign([]byte(base))
	if err != nil {
		panic("evptest: " + err.Error())
	}
	r.Header.Set("Signature-Input", "sig="+input)
	r.Header.Set("Signature", "sig=:"+base64.StdEncoding.EncodeToString(signature)+":")
}

// Bind returns the token that a browser with the key makes of an EVT, which may end with its
// tilde, as an issuer answers it: the EVT and a KB-JWT of the request's Origin, Nonce and At.
func (k Key) Bind(evt string, r Request) string {
	evt = strings.TrimSuffix(evt, "~")
	kb := JWS{Header: Object{"typ": "kb+jwt", "alg": k.Alg}, Sign: k.Sign, Claims: Object{
		"aud": r.Origin, "iat": r.At.Unix(), "nonce": r.Nonce, "sd_hash": SDHash,
	}}
	text, err := kb.text(hashOf(evt))
	if err != nil {
		panic("evptest: " + err.Error())
	}
	return evt + "~" + text
}

// ask asks an issuer that is a handler for a token. found is false if the issuer of the
// address is not one. The token is empty if the issuer refuses.
func (b *Browser) ask(r Request) (token string, found bool) {
	b.World.mu.Lock()
	i := b.World.issuerOf(r.Email)
	h := b.World.hosts[i.Host]
	b.World.mu.Unlock()
	if h == nil {
		return "", false
	}
	if r.Holder.Sign == nil {
		r.Holder = TestKey("Ed25519-2")
	}
	r.At = b.World.Now()
	var metadata struct {
		Endpoint string `json:"issuance_endpoint"`
	}
	var answer struct {
		Token string `json:"issuance_token"`
	}
	if !fetch(h, httptest.NewRequest(http.MethodGet, i.MetadataURL(), nil), &metadata) {
		return "", true
	}
	request := r.Holder.IssuanceRequest(metadata.Endpoint, r.Email, r.At)
	for _, cookie := range b.Session {
		request.AddCookie(cookie)
	}
	if !fetch(h, request, &answer) {
		return "", true
	}
	return r.Holder.Bind(answer.Token, r), true
}

// fetch decodes the answer of a handler. It reports whether the status is 200 and the
// answer is JSON.
func fetch(h http.Handler, r *http.Request, into any) bool {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code == http.StatusOK && json.Unmarshal(w.Body.Bytes(), into) == nil
}
