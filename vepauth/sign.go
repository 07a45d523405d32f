package vepauth

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// ErrCredentials: the Credentials lack something, or their Scheme or Method is
// unknown.
var ErrCredentials = errors.New("vepauth: unusable credentials")

// Sign signs a client's request, in place of any Authorization it had, with the
// time and a fresh nonce: it is good for one attempt, so each further one is
// signed anew. See [Signer.Sign].
func Sign(r *http.Request, c Credentials) error { return Signer{Credentials: c}.Sign(r) }

// Signer signs requests, with its own clock and randomness.
type Signer struct {
	Credentials
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
	// Rand is where nonces come from. Nil: crypto/rand.
	Rand io.Reader
}

// Sign sets the header Authorization. What is signed is the method, the URL
// and, with OAuthVEP, the body if its Content-Type is
// application/x-www-form-urlencoded; other bodies are not. A form is read and put
// back as Body and GetBody, which must be the same if both are there, and
// ContentLength is set. The request must not be changed in these respects
// afterwards; an http.Client that follows a redirect sends the header of the
// first request once more, which servers refuse.
//
// What is signed is what net/http sends. Errors match ErrCredentials, or are
// about the request: no http or https URL, a URL.Opaque of another host, a target
// of more than MaxTarget bytes or with a space, control or '#', CONNECT, a method
// with small letters, an unreadable query or form, one with a semicolon, or a
// form with a Content-Encoding.
func (s Signer) Sign(r *http.Request) error {
	d, err := dialectOf(s.Scheme)
	if err != nil || s.ID == "" || s.Secret == "" || !d.knows(s.Method) {
		return ErrCredentials
	}
	nonce, err := s.nonce()
	if err != nil {
		return err
	}
	p := d.present(s.Credentials, strconv.FormatInt(s.now().Unix(), 10), nonce)
	m, err := outgoing(r, d.signsForms())
	if err != nil {
		return err
	}
	mac, err := d.mac(p, s.Secret, m)
	if err != nil {
		return fmt.Errorf("vepauth: %w", err)
	}
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	r.Header.Set("Authorization", d.header(p, base64.StdEncoding.EncodeToString(mac)))
	return nil
}

func (s Signer) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

// nonce gives 128 random bits.
func (s Signer) nonce() (string, error) {
	source := s.Rand
	if source == nil {
		source = rand.Reader
	}
	bits := make([]byte, 16)
	if _, err := io.ReadFull(source, bits); err != nil {
		return "", fmt.Errorf("vepauth: no randomness for a nonce: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(bits), nil
}
