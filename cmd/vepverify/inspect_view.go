package main

import (
	"encoding/json"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/certchain"
)

// view is a backed assertion as inspect shows it; the JSON form is for
// scripts. Times are milliseconds since 1970.
type view struct {
	Verified     bool               `json:"verified"` // false, always
	Certificates []*certificateView `json:"certificates"`
	Assertion    assertionView      `json:"assertion"`
}

type certificateView struct {
	Issuer         string   `json:"issuer"`
	Email          string   `json:"email,omitempty"`
	Host           string   `json:"host,omitempty"`
	PrincipalFault string   `json:"principalError,omitempty"`
	Key            *keyInfo `json:"publicKey,omitempty"`
	KeyFault       string   `json:"publicKeyError,omitempty"`
	Algorithm      string   `json:"algorithm"`
	times
	Claims map[string]json.RawMessage `json:"claims,omitempty"`
}

type assertionView struct {
	Audience  string `json:"audience"`
	Algorithm string `json:"algorithm"`
	times
	Claims map[string]json.RawMessage `json:"claims,omitempty"`
}

type times struct {
	IssuedAt  *int64 `json:"issuedAt,omitempty"`
	NotBefore *int64 `json:"notBefore,omitempty"`
	Expires   int64  `json:"expires"`
	Expired   bool   `json:"expired"`
}

func viewOf(b *assertion.Backed, now int64) *view {
	v := &view{Assertion: assertionView{
		Algorithm: b.Assertion.Algorithm,
		times:     timesOf(b.Assertion.Validity, now),
		Claims:    b.Assertion.Claims.Extra(),
	}}
	v.Assertion.Audience, _ = b.Assertion.Claims.Text("aud")
	for _, c := range b.Certificates {
		v.Certificates = append(v.Certificates, viewOfCertificate(c, now))
	}
	return v
}

func viewOfCertificate(c *certchain.Certificate, now int64) *certificateView {
	v := &certificateView{
		Issuer: c.Issuer, Algorithm: c.Algorithm, times: timesOf(c.Validity, now), Claims: c.Extra(),
	}
	// Weak keys are shown for what they are: looking at one is no harm.
	if key, err := c.PublicKey(true); err != nil {
		v.KeyFault = err.Error()
	} else {
		info := describeKey(key)
		v.Key = &info
	}
	var err error
	if v.Email, _, err = c.Email(); err != nil {
		v.PrincipalFault = err.Error()
	}
	if host, err := c.Host(); err == nil {
		v.Host = host
	}
	return v
}

func timesOf(v certchain.Validity, now int64) times {
	expires := v.Expires.UnixMilli()
	return times{optionalMillis(v.IssuedAt), optionalMillis(v.NotBefore), expires, now > expires}
}

// optionalMillis returns the milliseconds since 1970, nil for the zero time.
func optionalMillis(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	ms := t.UnixMilli()
	return &ms
}
