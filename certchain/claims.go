package certchain

import (
	"encoding/json"
	"slices"

	"github.com/vepverify/vepverify/internal/strictjson"
)

// Claims are the members of a token's claims object, each as it was signed:
// integers keep every digit.
type Claims struct{ object strictjson.Object }

// Get gives the claim's JSON text and whether there is such a claim.
func (c Claims) Get(name string) (json.RawMessage, bool) { return c.object.Get(name) }

// Text returns the value of a claim that is a string. ok is false if there is no such
// claim or it is not a string.
func (c Claims) Text(name string) (text string, ok bool) {
	raw, _ := c.object.Get(name)
	return strictjson.String(raw)
}

// Names gives the names of all claims in the order of the token.
func (c Claims) Names() []string {
	names := make([]string, len(c.object))
	for i, m := range c.object {
		names[i] = m.Name
	}
	return names
}

// reserved are the claims that the protocol itself uses; they are never
// reported as extra ones.
var reserved = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "public-key", "pubkey", "principal"}

// Extra gives the claims that the protocol does not use, nil when there are
// none.
func (c Claims) Extra() map[string]json.RawMessage { return extra(nil, c.object) }

// Extra gives the certificate's claims that the protocol does not use, with
// the members of a principal object as if they stood among the claims, unless
// a claim of that name does.
func (c *Certificate) Extra() map[string]json.RawMessage {
	return extra(extra(nil, c.Claims.object), c.principal, "email")
}

func extra(into map[string]json.RawMessage, from strictjson.Object, except ...string) map[string]json.RawMessage {
	merging := len(into) > 0 // names of one object differ
	for i, m := range from {
		if slices.Contains(reserved, m.Name) || slices.Contains(except, m.Name) {
			continue
		}
		if merging {
			if _, there := into[m.Name]; there {
				continue
			}
		}
		if into == nil {
			into = make(map[string]json.RawMessage, len(from)-i)
		}
		into[m.Name] = m.Value
	}
	return into
}
