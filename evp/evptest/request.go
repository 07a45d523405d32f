package evptest

import (
	"slices"
	"strings"
	"time"
)

// Request describes the token that a browser gets and posts.
type Request struct {
	// Email is the address that the user typed.
	Email string
	// Origin is the relying party's origin, such as "https://rp.example".
	Origin string
	// Nonce is the nonce of the form.
	Nonce string
	// Private means that the issuer marks the address as a private one.
	Private bool
	// Holder is the browser's key. The zero Key means the test key "Ed25519-2".
	Holder Key
	// At is the time of both iat. The zero time means the time of the world.
	At time.Time
}

// Token returns the token that a browser posts, with the faults. The issuer is the one of
// the address's domain, or the first if no issuer has that domain.
func (w *World) Token(r Request, faults ...TokenFault) string {
	return w.Pair(r).Apply(faults...).String()
}

// Pair returns the recipe of the token that a browser posts.
func (w *World) Pair(r Request) Pair {
	if r.Holder.Sign == nil {
		r.Holder = TestKey("Ed25519-2")
	}
	if r.At.IsZero() {
		r.At = w.Now()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.issuerOf(r.Email).pair(r)
}

// issuerOf returns the issuer of an address.
func (w *World) issuerOf(email string) *Issuer {
	domain := strings.ToLower(email[strings.LastIndexByte(email, '@')+1:])
	n := slices.IndexFunc(w.issuers, func(i *Issuer) bool { return slices.Contains(i.Domains, domain) })
	return w.issuers[max(n, 0)]
}

// pair returns the recipe of a token of the issuer.
func (i *Issuer) pair(r Request) Pair {
	claims := Object{"iss": i.URL(), "iat": r.At.Unix(), "email": r.Email, "email_verified": true}
	if r.Private {
		claims = claims.With("is_private_email", true)
	}
	p := Pair{
		EVT: JWS{Header: Object{"typ": "evt+jwt"}, Claims: claims},
		KB: JWS{
			Header: Object{"typ": "kb+jwt"},
			Claims: Object{"aud": r.Origin, "iat": r.At.Unix(), "nonce": r.Nonce, "sd_hash": SDHash},
		},
	}
	return p.SignedBy(i.Keys[0]).HeldBy(r.Holder)
}
