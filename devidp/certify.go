package devidp

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/internal/domain"
	"github.com/vepverify/vepverify/internal/strictjson"
	"github.com/vepverify/vepverify/keys"
)

// MaxDuration is the longest for which the provider certifies an address.
const MaxDuration = 24 * time.Hour

// maxBody is the largest body, in bytes. The largest key takes under 4 KiB: RSA of
// 4096 bits, or DSA of 3072, in decimal. maxType is the longest Content-Type.
const (
	maxBody = 8 << 10
	maxType = 256
)

// A certification is what the dialog asks for. Its form is
//
//	{"email": "ada@idp.localhost", "public-key": {…}, "duration": 600}
//
// with a key in any form of PROTOCOL §2 and whole seconds. All three members are
// needed, and others are refused.
type certification struct {
	email    string
	key      keys.PublicKey
	duration time.Duration
}

// serveCertify answers {"certificate": "…"} or what a refusal writes.
func (p *Provider) serveCertify(w http.ResponseWriter, r *http.Request) {
	certificate, refused := p.certify(w, r)
	if refused != nil {
		refused.write(w)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"certificate": certificate})
}

func (p *Provider) certify(w http.ResponseWriter, r *http.Request) (string, *refusal) {
	if refused := checkPost(r); refused != nil {
		return "", refused
	}
	body, refused := readBody(w, r)
	if refused != nil {
		return "", refused
	}
	asked, refused := p.parse(body)
	if refused != nil {
		return "", refused
	}
	now := p.now()
	certificate, err := certchain.Issue(certchain.Template{
		Issuer: p.domain, Email: asked.email, PublicKey: asked.key,
		IssuedAt: now, Expires: now.Add(asked.duration),
	}, p.key)
	if err != nil {
		return "", &refusal{Status: http.StatusInternalServerError, Problem: "the certificate could not be made"}
	}
	return certificate, nil
}

// checkPost refuses what a page of another origin, which a browser lets send
// some requests, could have sent. Browsers name the origin with every POST; a
// program that is none has to.
func checkPost(r *http.Request) *refusal {
	if r.Method != http.MethodPost {
		return &refusal{Status: http.StatusMethodNotAllowed, Problem: "certificates are asked for by POST"}
	}
	if r.Header.Get("Origin") != originOf(r) || len(r.Header.Values("Origin")) != 1 {
		return &refusal{Status: http.StatusForbidden, Problem: "certificates are given to the dialog of this identity provider only: the Origin is not its own"}
	}
	contentType := r.Header.Get("Content-Type")
	mediaType, _, err := mime.ParseMediaType(contentType[:min(len(contentType), maxType)])
	if err != nil || mediaType != "application/json" || len(contentType) > maxType {
		return &refusal{Status: http.StatusUnsupportedMediaType, Problem: "the Content-Type is not application/json"}
	}
	return nil
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, *refusal) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, &refusal{Status: http.StatusRequestEntityTooLarge, Problem: "the body is larger than 8 KiB"}
	case err != nil:
		return nil, badRequest("", "the body could not be read to its end")
	}
	return body, nil
}

func (p *Provider) parse(body []byte) (*certification, *refusal) {
	object, err := strictjson.ParseObject(body)
	if err != nil {
		return nil, badRequest("", "the body is not one JSON object, without duplicate members")
	}
	var asked certification
	for _, member := range object {
		var refused *refusal
		switch member.Name {
		case "email":
			asked.email, refused = p.parseEmail(member.Value)
		case "public-key":
			asked.key, refused = parseKey(member.Value)
		case "duration":
			asked.duration, refused = parseDuration(member.Value)
		default:
			refused = badRequest("", "the body has members other than email, public-key and duration")
		}
		if refused != nil {
			return nil, refused
		}
	}
	return &asked, asked.incomplete()
}

func (c *certification) incomplete() *refusal {
	switch {
	case c.email == "":
		return badRequest("email", "the member email is missing")
	case c.key == nil:
		return badRequest("public-key", "the member public-key is missing")
	case c.duration == 0:
		return badRequest("duration", "the member duration is missing")
	}
	return nil
}

func (p *Provider) parseEmail(raw json.RawMessage) (string, *refusal) {
	text, ok := strictjson.String(raw)
	if !ok {
		return "", badRequest("email", "email is not a string")
	}
	email, host, ok := domain.Email(text)
	switch {
	case !ok:
		return "", badRequest("email", "That is not an email address that works here: letters, digits and signs such as . _ + -, then @"+p.domain+".")
	case host != p.domain:
		return "", &refusal{Status: http.StatusForbidden, Field: "email", Problem: "This identity provider knows addresses at " + p.domain + " only."}
	}
	return email, nil
}

func parseKey(raw json.RawMessage) (keys.PublicKey, *refusal) {
	key, err := keys.ParsePublicKey(raw)
	switch {
	case errors.Is(err, keys.ErrWeak):
		return nil, badRequest("public-key", "the public key is too weak")
	case errors.Is(err, keys.ErrTooLarge):
		return nil, badRequest("public-key", "the public key is too large: RSA has at most 4096 bits")
	case err != nil:
		return nil, badRequest("public-key", "public-key is not a public key in one of BrowserID's forms")
	case key.Validate() != nil:
		return nil, badRequest("public-key", "the numbers of the public key do not belong together")
	}
	return key, nil
}

func parseDuration(raw json.RawMessage) (time.Duration, *refusal) {
	// By its digits: 1e3 and 600.0 are numbers too, which nobody needs.
	seconds, err := strconv.ParseUint(string(raw), 10, 32)
	duration := time.Duration(seconds) * time.Second
	if err != nil || duration < time.Second || duration > MaxDuration {
		return 0, badRequest("duration", "duration is not a whole number of seconds from 1 to 86400")
	}
	return duration, nil
}
