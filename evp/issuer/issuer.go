package issuer

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/vepverify/vepverify/evp/internal/discovery"
	"github.com/vepverify/vepverify/internal/loglimit"
	"github.com/vepverify/vepverify/internal/registrable"
)

// The paths that the protocols fix.
const (
	metadataPath    = "/.well-known/email-verification"
	webIdentityPath = "/.well-known/web-identity"
)

// Issuer is an http.Handler that issues tokens. Use New to create one. It is safe for
// concurrent use.
type Issuer struct {
	config Config // with all defaults
	host   string
	log    *loglimit.Logger
}

// New returns an Issuer. An error means that the configuration is not valid.
func New(c Config) (*Issuer, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, err
	}
	return &Issuer{config: c, host: strings.TrimPrefix(c.Issuer, "https://"), log: loglimit.NewLogger(c.Logger)}, nil
}

// Record returns the TXT record with which the domain of addresses names this issuer.
func (i *Issuer) Record(emailDomain string) (name, value string) {
	return discovery.TXTPrefix + emailDomain, "iss=" + i.host
}

// WebIdentityURL returns the URL from which browsers fetch the file web-identity: on the
// registrable domain of the issuer, which may be another host.
func (i *Issuer) WebIdentityURL() string {
	return "https://" + registrable.Domain(i.host) + webIdentityPath
}

// Paths returns the paths that ServeHTTP serves, for a router that serves others too.
func (i *Issuer) Paths() []string {
	c := i.config
	return []string{metadataPath, c.JWKSPath, c.IssuancePath, webIdentityPath, c.AccountsPath}
}

// ServeHTTP serves the paths of Paths, and answers 404 for all others.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	switch r.URL.Path {
	case i.config.IssuancePath:
		i.serveIssuance(w, r)
	case metadataPath:
		i.serveRead(w, r, i.serveMetadata)
	case i.config.JWKSPath:
		i.serveRead(w, r, i.serveJWKS)
	case webIdentityPath:
		i.serveRead(w, r, i.serveWebIdentity)
	case i.config.AccountsPath:
		i.serveRead(w, r, i.serveAccounts)
	default:
		http.NotFound(w, r)
	}
}

// serveRead calls a handler for GET and HEAD.
func (i *Issuer) serveRead(w http.ResponseWriter, r *http.Request, handler http.HandlerFunc) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		p := errMethod
		p.Allow, p.Reason = "GET, HEAD", "The method must be GET"
		p.write(w)
		return
	}
	handler(w, r)
}

// serveMetadata serves the metadata of the issuer.
func (i *Issuer) serveMetadata(w http.ResponseWriter, r *http.Request) {
	c := i.config
	i.servePublic(w, r, struct {
		Issuer     string   `json:"issuer"`
		Issuance   string   `json:"issuance_endpoint"`
		JWKS       string   `json:"jwks_uri"`
		Algorithms []string `json:"signing_alg_values_supported"`
		Private    bool     `json:"private_email_supported,omitempty"`
	}{c.Issuer, c.Issuer + c.IssuancePath, c.Issuer + c.JWKSPath, i.algorithms(), c.PrivateEmail != nil})
}

// algorithms returns the algorithms of the keys, and Ed25519, which draft-02 recommends
// for the keys of browsers.
func (i *Issuer) algorithms() []string {
	algs := i.config.Keys.algorithms()
	if !slices.Contains(algs, Ed25519) {
		algs = append(algs, Ed25519)
	}
	return algs
}

// serveWebIdentity serves the file by which browsers find the accounts.
func (i *Issuer) serveWebIdentity(w http.ResponseWriter, r *http.Request) {
	c := i.config
	i.servePublic(w, r, struct {
		Accounts string `json:"accounts_endpoint"`
		Login    string `json:"login_url"`
	}{c.Issuer + c.AccountsPath, c.loginURL()})
}

// serveJWKS serves the public keys.
func (i *Issuer) serveJWKS(w http.ResponseWriter, r *http.Request) {
	set, err := i.config.Keys.PublicJWKS()
	if err != nil {
		i.refuse(w, r, err)
		return
	}
	i.writePublic(w, set)
}

// servePublic serves a document that is the same for everyone.
func (i *Issuer) servePublic(w http.ResponseWriter, r *http.Request, document any) {
	body, err := json.Marshal(document)
	if err != nil {
		i.refuse(w, r, err)
		return
	}
	i.writePublic(w, body)
}

func (i *Issuer) writePublic(w http.ResponseWriter, body []byte) {
	writeJSON(w, fmt.Sprintf("public, max-age=%d", int64(i.config.MaxAge.Seconds())), body)
}
