package devidp

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/internal/domain"
	"github.com/vepverify/vepverify/internal/mediatype"
	"github.com/vepverify/vepverify/internal/refusal"
	"github.com/vepverify/vepverify/internal/strictjson"
	"github.com/vepverify/vepverify/keys"
)

// MaxDuration is the longest time for which the provider certifies an address.
const MaxDuration = 24 * time.Hour

// Certify returns a certificate of the key for the user with that address. It is valid
// from now on, for duration, and has the domain of the address in lower case.
//
// Certify returns an error if the address is not at [Provider.Domain], if the key is
// nil, weak or inconsistent, or if the duration is less than a second or more than
// [MaxDuration].
func (p *Provider) Certify(email string, key keys.PublicKey, duration time.Duration) (string, error) {
	address, refused := p.checkEmail(email)
	if refused == nil {
		refused = checkKey(key)
	}
	if refused == nil {
		refused = checkDuration(duration)
	}
	if refused != nil {
		return "", refused
	}
	now := p.config.Now()
	certificate, err := certchain.Issue(certchain.Template{
		Issuer: p.config.Domain, Email: address, PublicKey: key, IssuedAt: now, Expires: now.Add(duration),
	}, p.key)
	if err != nil {
		return "", fmt.Errorf("cannot sign a certificate: %w", err)
	}
	return certificate, nil
}

// checkEmail returns an address with its domain in lower case, or a refusal.
func (p *Provider) checkEmail(email string) (string, *refusal.Refusal) {
	address, host, ok := domain.Email(email)
	switch {
	case !ok:
		return "", badRequest("email", "not an email address: use letters, digits and signs such as . _ + -, then @"+p.config.Domain)
	case host != p.config.Domain:
		return "", &refusal.Refusal{Status: http.StatusForbidden, Field: "email", Reason: "not an address at " + p.config.Domain}
	}
	return address, nil
}

// checkKey returns a refusal if verifiers would not accept the key.
func checkKey(key keys.PublicKey) *refusal.Refusal {
	switch {
	case key == nil:
		return badRequest("public-key", "the public key is missing")
	case key.Weak():
		return badRequest("public-key", "the public key is too weak")
	case key.Validate() != nil:
		return badRequest("public-key", "the numbers of the public key do not belong together")
	}
	return nil
}

func checkDuration(duration time.Duration) *refusal.Refusal {
	if duration < time.Second || duration > MaxDuration {
		return badRequest("duration", "the duration is not from 1 second to 24 hours")
	}
	return nil
}

// maxBody is the largest body of a request, in bytes. The largest key, DSA of 2048 bits in
// hexadecimal, takes under 2 KiB.
const maxBody = 8 << 10

// serveCertify answers {"certificate": "…"} or a refusal.
func (p *Provider) serveCertify(w http.ResponseWriter, r *http.Request) {
	certificate, err := p.certify(w, r)
	if err != nil {
		refused := &refusal.Refusal{Status: http.StatusInternalServerError, Reason: "the certificate could not be signed", Cause: err}
		errors.As(err, &refused)
		p.refuse(w, r, refused)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	// The only error is that the client has gone.
	_ = json.NewEncoder(w).Encode(map[string]string{"certificate": certificate})
}

// certify checks a request and returns the certificate that it asks for.
func (p *Provider) certify(w http.ResponseWriter, r *http.Request) (string, error) {
	if refused := checkPost(r); refused != nil {
		return "", refused
	}
	body, refused := readBody(w, r)
	if refused != nil {
		return "", refused
	}
	request, refused := parseCertifyRequest(body)
	if refused != nil {
		return "", refused
	}
	return p.Certify(request.email, request.key, request.duration)
}

// checkPost refuses requests that a page of another origin can send. Browsers send
// the header Origin with every POST. Other programs have to set it.
func checkPost(r *http.Request) *refusal.Refusal {
	if r.Method != http.MethodPost {
		return &refusal.Refusal{Status: http.StatusMethodNotAllowed, Reason: "the method is not POST", Allow: http.MethodPost}
	}
	if r.Header.Get("Origin") != originOf(r) || len(r.Header.Values("Origin")) != 1 {
		return &refusal.Refusal{
			Status: http.StatusForbidden,
			Reason: "the Origin is not that of this identity provider, which issues certificates to its own dialog only",
		}
	}
	if !mediatype.Is(r.Header.Get("Content-Type"), "application/json") {
		return &refusal.Refusal{Status: http.StatusUnsupportedMediaType, Reason: "the Content-Type is not application/json"}
	}
	return nil
}

// readBody returns the body, of at most maxBody bytes.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, *refusal.Refusal) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, &refusal.Refusal{Status: http.StatusRequestEntityTooLarge, Reason: "the body is larger than 8 KiB"}
	case err != nil:
		return nil, badRequest("", "the body could not be read to its end")
	}
	return body, nil
}

// certifyRequest is the body of a request for a certificate:
//
//	{"email": "ada@idp.localhost", "public-key": {…}, "duration": 600}
//
// The key is in any form of PROTOCOL §2, the duration in whole seconds. All three
// members are required, and there are no others.
type certifyRequest struct {
	email    string
	key      keys.PublicKey
	duration time.Duration
}

// parseCertifyRequest parses the body of a request.
func parseCertifyRequest(body []byte) (*certifyRequest, *refusal.Refusal) {
	members, refused := certifyMembers(body)
	if refused != nil {
		return nil, refused
	}
	email, ok := strictjson.String(members["email"])
	if !ok {
		return nil, badRequest("email", "email is not a string")
	}
	key, refused := parseKey(members["public-key"])
	if refused != nil {
		return nil, refused
	}
	duration, refused := parseDuration(members["duration"])
	return &certifyRequest{email, key, duration}, refused
}

// certifyMembers returns the members of a request: these three, and no others.
func certifyMembers(body []byte) (map[string]json.RawMessage, *refusal.Refusal) {
	object, err := strictjson.ParseObject(body)
	if err != nil {
		return nil, badRequest("", "the body is not one JSON object without duplicate members")
	}
	names := []string{"email", "public-key", "duration"}
	members := make(map[string]json.RawMessage, len(names))
	for _, member := range object {
		if !slices.Contains(names, member.Name) {
			return nil, badRequest("", "the body has members other than email, public-key and duration")
		}
		members[member.Name] = member.Value
	}
	for _, name := range names {
		if members[name] == nil {
			return nil, badRequest(name, "the member "+name+" is missing")
		}
	}
	return members, nil
}

// parseKey parses a public key in one of the forms of PROTOCOL §2.
func parseKey(raw json.RawMessage) (keys.PublicKey, *refusal.Refusal) {
	key, err := keys.ParsePublicKey(raw)
	switch {
	case errors.Is(err, keys.ErrWeak):
		return nil, badRequest("public-key", "the public key is too weak")
	case errors.Is(err, keys.ErrTooLarge):
		return nil, badRequest("public-key", "the public key is too large: RSA has at most 4096 bits")
	case err != nil:
		return nil, badRequest("public-key", "public-key is not a public key in one of BrowserID's forms")
	}
	return key, nil
}

// parseDuration accepts digits only: 1e3 and 600.0 are refused.
func parseDuration(raw json.RawMessage) (time.Duration, *refusal.Refusal) {
	seconds, err := strconv.ParseUint(string(raw), 10, 32)
	duration := time.Duration(seconds) * time.Second
	if err != nil || checkDuration(duration) != nil {
		return 0, badRequest("duration", "duration is not a whole number of seconds from 1 to 86400")
	}
	return duration, nil
}
