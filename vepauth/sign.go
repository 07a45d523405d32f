package vepauth

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/internal/redact"
	"github.com/vepverify/vepverify/vepauth/internal/signature"
)

// The signature methods of OAuthVEP.
const (
	HMACSHA1   = "HMAC-SHA1"   // the method of the original protocol
	HMACSHA256 = "HMAC-SHA256" // a common extension, which servers of this package accept
)

// ErrCredentials means that Credentials lack an ID or a Secret, or that their Scheme or
// Method is unknown.
var ErrCredentials = errors.New("unusable credentials")

var errRequestURL = errors.New("the request has no http or https URL with a host")

// Credentials are the answer of a token endpoint. They sign requests. Formatting and
// logging them shows neither the ID nor the Secret.
type Credentials struct {
	// Scheme is the scheme of the challenge. Empty means OAuthVEP.
	Scheme Scheme
	// ID is the oauth_consumer_key of the answer, or its id with MACBrowserID.
	ID string
	// Secret is the oauth_consumer_secret of the answer, or its key with MACBrowserID.
	Secret string
	// Method is HMACSHA1 or HMACSHA256. Empty means HMACSHA1, which every server
	// supports. It must be empty with MACBrowserID.
	Method string
}

// Format implements [fmt.Formatter] for every verb.
func (c Credentials) Format(f fmt.State, verb rune) { c.redacted().Format(f, verb) }

// LogValue implements [slog.LogValuer].
func (c Credentials) LogValue() slog.Value { return c.redacted().LogValue() }

// redacted returns the text that replaces the credentials.
func (c Credentials) redacted() redact.Text { return redact.Text(c.Scheme) + " credentials" }

// Sign signs a client's request with the current time and a random nonce. See
// [Signer.Sign], also for the errors.
func Sign(r *http.Request, c Credentials) error { return Signer{Credentials: c}.Sign(r) }

// Signer signs requests with a clock and a source of randomness of its own.
type Signer struct {
	Credentials
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
	// Rand is the source of nonces. Nil means crypto/rand.
	Rand io.Reader
}

// Sign sets the Authorization header, and replaces an existing one. The signature is valid
// for one attempt: every further attempt must be signed again. An http.Client that
// follows a redirect sends the header of the first request, which servers refuse.
//
// Sign signs what net/http will send: the method, the URL and, with OAuthVEP, the body if
// its Content-Type is application/x-www-form-urlencoded. Other bodies are not signed. A
// form is read and put back as Body and GetBody, and ContentLength is set. If Body and
// GetBody are set before, they must have the same bytes. What was signed must not be
// modified afterwards.
//
// The error matches ErrCredentials, or is about the request:
//
//   - no http or https URL, or a URL.Opaque with another host;
//   - a target of more than 64 KiB;
//   - a query, URL.Opaque or host with a space, a control, '#' or a '%' without two
//     hexadecimal digits, or a query with a character outside ASCII: they must be
//     percent-encoded (net/http encodes the path);
//   - the method CONNECT, or a method with lower-case letters;
//   - a malformed query or form, or one with a semicolon or an OAuth parameter;
//   - a form that cannot be read, or has a Content-Encoding.
func (s Signer) Sign(r *http.Request) error {
	scheme, err := s.Scheme.signatureScheme()
	if err != nil || s.ID == "" || s.Secret == "" || !scheme.HasMethod(s.Method) {
		return ErrCredentials
	}
	nonce, err := s.nonce()
	if err != nil {
		return err
	}
	m, err := outgoingMessage(r, scheme.CoversForm())
	if err != nil {
		return err
	}
	now := s.Now
	if now == nil {
		now = time.Now
	}
	header, err := scheme.Sign(signature.Params{
		Token: s.ID, Method: s.Method, Timestamp: strconv.FormatInt(now().Unix(), 10), Nonce: nonce,
	}, s.Secret, m)
	if err != nil {
		return withAdvice(err)
	}
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	r.Header.Set("Authorization", header)
	return nil
}

// withAdvice adds what to do to the error of a query or form that cannot be signed.
func withAdvice(err error) error {
	switch err {
	case signature.ErrPercent:
		return fmt.Errorf("%w: write %%25 for a percent sign in the query or form", err)
	case signature.ErrSemicolon:
		return fmt.Errorf("%w: write %%3B for it", err)
	case signature.ErrMisplaced:
		return fmt.Errorf("%w: no parameter of the query or form may begin with oauth_", err)
	}
	return err
}

// nonce returns 128 random bits as text.
func (s Signer) nonce() (string, error) {
	source := s.Rand
	if source == nil {
		source = rand.Reader
	}
	bits := make([]byte, 16)
	if _, err := io.ReadFull(source, bits); err != nil {
		return "", fmt.Errorf("no randomness for a nonce: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(bits), nil
}

// outgoingMessage returns the part of a client's request that is signed. A form is read
// and put back.
func outgoingMessage(r *http.Request, withForm bool) (m signature.Message, err error) {
	if r.URL == nil || r.URL.Scheme != "http" && r.URL.Scheme != "https" {
		return m, errRequestURL
	}
	if err := checkURL(r); err != nil {
		return m, err
	}
	hostPort := r.Host
	if hostPort == "" {
		hostPort = r.URL.Host
	}
	o, ok := origin.FromHost(r.URL.Scheme, withoutZone(origin.ASCII(hostPort)))
	if !ok {
		return m, errRequestURL
	}
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	t, err := outgoingTarget(r, method, o)
	if err != nil {
		return m, err
	}
	var form string
	if withForm && hasForm(r) {
		if form, err = outgoingForm(r); err != nil {
			return m, err
		}
	}
	return message(method, o, t, form), nil
}

// outgoingTarget returns the target as net/http will send it: r.URL.RequestURI(). The field
// r.RequestURI is ignored.
func outgoingTarget(r *http.Request, method string, o origin.Origin) (requestTarget, error) {
	if err := checkMethod(method); err != nil {
		return requestTarget{}, err
	}
	t := parseTarget(r.URL.RequestURI())
	if t.err != nil || t.Host == "" {
		return t, t.err
	}
	if named, ok := origin.FromHost(t.Scheme, t.Host); !ok || named != o { // URL.Opaque
		return t, errRequestURL
	}
	return t, nil
}

// withoutZone removes the zone of an IPv6 address, as net/http does.
func withoutZone(hostPort string) string {
	zone, end := strings.IndexByte(hostPort, '%'), strings.IndexByte(hostPort, ']')
	if zone < 0 || end < zone || hostPort[0] != '[' {
		return hostPort
	}
	return hostPort[:zone] + hostPort[end:]
}
