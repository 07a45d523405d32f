package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/vepverify/vepverify/devidp"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/vepauth"
)

const (
	resourcePath = "/api/whoami"
	identityPath = "/robot.json"
)

// Resource is the URL of the protected resource.
func (s *Site) Resource() string { return s.config.Origin + resourcePath }

// Program gives the lines for a shell that reach the protected resource.
func (s *Site) Program() []string {
	return []string{
		"curl -so robot.json " + s.config.Origin + identityPath,
		s.config.Command + " request " + s.Resource() + " --identity robot.json --explain",
	}
}

// whoami is the protected resource: it tells a program who it is.
func (s *Site) whoami(w http.ResponseWriter, r *http.Request) {
	id, _ := vepauth.FromContext(r.Context()) // behind Require there is one
	s.json(w, map[string]any{"email": id.Email, "issuer": id.Issuer, "expires": id.Expires.UnixMilli()})
}

// robot makes an identity for a program, a new one each time: an identity file
// as the commands certify and request know it.
func (s *Site) robot(w http.ResponseWriter, r *http.Request) {
	id, err := s.newIdentity(r.Context(), "robot@"+s.config.Provider.Domain())
	if err != nil {
		s.config.Logger.ErrorContext(r.Context(), "demo: making an identity", "error", err)
		http.Error(w, "the identity provider did not certify it", http.StatusBadGateway)
		return
	}
	s.json(w, id)
}

type identity struct {
	Email       string          `json:"email"`
	Certificate string          `json:"certificate"`
	PrivateKey  keys.PrivateKey `json:"privateKey"`
}

func (s *Site) newIdentity(ctx context.Context, email string) (*identity, error) {
	key, err := keys.Generate(keys.DS128) // quicker than RSA, and another kind to be seen
	if err != nil {
		return nil, err
	}
	certificate, err := s.certify(ctx, email, key.Public())
	return &identity{email, certificate, key}, err
}

// patience is how long the provider, which is on this machine, may take.
const patience = 10 * time.Second

// certify asks the provider as its dialog does. Programs on the machine may.
func (s *Site) certify(ctx context.Context, email string, key keys.PublicKey) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	asked, err := json.Marshal(map[string]any{
		"email": email, "public-key": key, "duration": devidp.MaxDuration / time.Second,
	})
	if err != nil {
		return "", err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.config.ProviderOrigin+"/certify", strings.NewReader(string(asked)))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", s.config.ProviderOrigin)
	direct := http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy
	answer, err := direct.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	return readCertificate(answer)
}

func readCertificate(answer *http.Response) (string, error) {
	var said struct{ Certificate string }
	err := json.NewDecoder(io.LimitReader(answer.Body, 64<<10)).Decode(&said)
	switch {
	case answer.StatusCode != http.StatusOK:
		return "", fmt.Errorf("the provider answers %d", answer.StatusCode)
	case err != nil:
		return "", err
	case said.Certificate == "":
		return "", errors.New("the provider answers without a certificate")
	}
	return said.Certificate, nil
}

func (s *Site) json(w http.ResponseWriter, value any) {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		s.config.Logger.Error("demo: writing JSON", "error", err)
		http.Error(w, "the answer could not be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(text, '\n')) // a client that has gone needs no answer
}
