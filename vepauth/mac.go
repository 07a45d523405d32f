package vepauth

import (
	"crypto/hmac"
	"crypto/sha1"
	"strings"
)

// mac signs as HTTP MAC did in the draft that the scheme is named for
// (draft-hammer-oauth-v2-mac-token-02), with HMAC-SHA1.
type mac struct{}

func (mac) scheme() Scheme           { return MACBrowserID }
func (mac) authScheme() string       { return "MAC" }
func (mac) signsForms() bool         { return false }
func (mac) knows(method string) bool { return method == "" }

func (mac) read(p *proof, params []parameter) error {
	for _, of := range params {
		switch strings.ToLower(of.name) {
		case "id":
			p.token = of.value
		case "ts":
			p.timestamp = of.value
		case "nonce":
			p.nonce = of.value
		case "ext":
			p.ext = of.value
		case "mac":
			p.signature = of.value
		}
	}
	return p.complete()
}

func (mac) present(c Credentials, timestamp, nonce string) *proof {
	return &proof{token: c.ID, timestamp: timestamp, nonce: nonce}
}

func (mac) header(p *proof, signature string) string {
	return "MAC id=" + quote(p.token) + ", ts=" + quote(p.timestamp) + ", nonce=" + quote(p.nonce) + ", mac=" + quote(signature)
}

func (mac) mac(p *proof, secret string, m message) ([]byte, error) {
	h := hmac.New(sha1.New, []byte(secret))
	h.Write([]byte(normalizedRequest(p, m)))
	return h.Sum(nil), nil
}

// normalizedRequest is what is signed: a line for each part. None of them can
// have a line break of its own: no header and no URL has.
func normalizedRequest(p *proof, m message) string {
	return strings.Join([]string{
		p.timestamp, p.nonce, strings.ToUpper(m.method), m.target, m.origin.host, m.origin.effectivePort(), p.ext, "",
	}, "\n")
}

func (mac) answer(t Token) map[string]any {
	return map[string]any{"id": t.ID, "key": t.Secret, "algorithm": "hmac-sha-1"}
}
