package demo

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/identity"
	"github.com/vepverify/vepverify/devidp"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/vepauth"
)

const (
	resourcePath = "/api/whoami"
	clientPath   = "/client.json"
)

// Resource returns the URL of the protected resource.
func (s *Site) Resource() string { return s.config.Origin + resourcePath }

// Program returns the lines for a shell that reach the protected resource.
func (s *Site) Program() []string {
	return []string{
		"curl -fsSo client.json " + s.config.Origin + clientPath,
		s.config.Command + " request " + s.Resource() + " --identity client.json --explain",
	}
}

// whoami serves the protected resource: the identity of the program that asks.
func (s *Site) whoami(w http.ResponseWriter, r *http.Request) {
	id, _ := vepauth.FromContext(r.Context()) // Require has set it
	s.writeJSON(w, r, map[string]any{"email": id.Email, "issuer": id.Issuer, "expires": id.Expires.UTC().Format(time.RFC3339)})
}

// client serves a new identity for a program, which is valid for 24 hours.
func (s *Site) client(w http.ResponseWriter, r *http.Request) {
	id, err := s.newIdentity("client@" + s.config.Provider.Domain())
	if err != nil {
		s.serverError(w, r, "the identity could not be made", err)
		return
	}
	s.writeJSON(w, r, id)
}

// newIdentity returns an identity with a new key.
func (s *Site) newIdentity(email string) (*identity.Identity, error) {
	key, err := keys.Generate(keys.DS128) // faster than RSA, and shows another algorithm
	if err != nil {
		return nil, err
	}
	certificate, err := s.config.Provider.Certify(email, key.Public(), devidp.MaxDuration)
	return &identity.Identity{Email: email, Certificate: certificate, PrivateKey: key}, err
}

// writeJSON serves a value as indented JSON.
func (s *Site) writeJSON(w http.ResponseWriter, r *http.Request, value any) {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		s.serverError(w, r, "the answer could not be encoded", err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(text, '\n')) // the only error is that the client has gone
}

// serverError logs an error, and answers with status 500 and a reason that does not
// contain it.
func (s *Site) serverError(w http.ResponseWriter, r *http.Request, reason string, err error) {
	s.config.Logger.ErrorContext(r.Context(), "demo: "+reason, "error", err)
	refuse(w, http.StatusInternalServerError, reason)
}
