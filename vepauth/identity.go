package vepauth

import (
	"context"
	"time"
)

// Scope is where a token is good: nowhere else.
type Scope struct {
	// Origin is this server's, as clients see it: scheme://host, lower case,
	// and :port unless it is the scheme's own.
	Origin string
	// Application and Version are those of Config.Applications, empty without.
	Application, Version string
}

// Identity is who signed a request.
type Identity struct {
	// Email is the address proved, its domain in lower case.
	Email string
	// Issuer is the domain that vouched for the address.
	Issuer string
	// Scope is what the token was made for, which is what the request is for.
	Scope Scope
	// Expires is when the token expires.
	Expires time.Time
}

// FromContext gives the identity of whoever signed the request that has this
// context; false when nobody did.
func FromContext(ctx context.Context) (Identity, bool) {
	if f, ok := ctx.Value(contextKey{}).(*found); ok {
		return f.identity, true
	}
	return Identity{}, false
}

type contextKey struct{}

// found is the context of a request whose signer is known: the Authenticator that
// found out need not ask again, and may not, as the nonce is used.
type found struct {
	context.Context
	by       *Authenticator
	identity Identity
}

// Value implements [context.Context].
func (f *found) Value(key any) any {
	if key == (contextKey{}) {
		return f
	}
	return f.Context.Value(key)
}

func (a *Authenticator) foundIn(ctx context.Context) bool {
	f, ok := ctx.Value(contextKey{}).(*found)
	return ok && f.by == a
}
