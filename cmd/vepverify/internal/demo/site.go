package demo

import (
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp"
	"github.com/vepverify/vepverify/login"
	"github.com/vepverify/vepverify/vepauth"
	"github.com/vepverify/vepverify/wellknown"
)

// Config says what a site is to be.
type Config struct {
	// Provider is the identity provider that the site believes. Required.
	Provider *devidp.Provider
	// ProviderOrigin is where the provider is served, and Origin where the site
	// is, as in "http://localhost:8400". Both required.
	ProviderOrigin, Origin string
	// Command is how the reader starts vepverify, in the lines that the pages
	// show. Empty: "vepverify".
	Command string
	// Now is the clock. Nil: [time.Now].
	Now func() time.Time
	// Logger is told of what goes wrong here. Nil: slog.Default.
	Logger *slog.Logger
}

// Site is the demo's relying party. It serves any number of goroutines.
type Site struct {
	config   Config
	members  *members
	verifier *assertion.Verifier
	slow     *assertion.Verifier // one that remembers nothing, so that explaining does all the work
	later    *assertion.Verifier // one an hour later
	auth     *login.Login[*member]
	pages    *template.Template
	policy   string
	handler  http.Handler
}

// New makes a site. It errs when the configuration lacks something.
func New(c Config) (*Site, error) {
	if c.Provider == nil || c.ProviderOrigin == "" || c.Origin == "" {
		return nil, errors.New("demo: Provider, ProviderOrigin and Origin are required")
	}
	if c.Command == "" {
		c.Command = "vepverify"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	s := &Site{config: c, policy: policy(c.ProviderOrigin)}
	for _, prepare := range []func(*Site) error{
		(*Site).prepareVerifiers, (*Site).preparePages, (*Site).prepareLogin, (*Site).prepareRoutes,
	} {
		if err := prepare(s); err != nil {
			return nil, fmt.Errorf("demo: %w", err)
		}
	}
	return s, nil
}

// prepareVerifiers: all of them believe the provider and nobody else, without a
// network. The first lets each assertion pass once.
func (s *Site) prepareVerifiers() error {
	keys, err := wellknown.ParseStatic(s.config.Provider.KeysBundle())
	if err != nil {
		return err
	}
	now := s.config.Now
	s.verifier, err = assertion.NewVerifier(assertion.Config{
		Keys: keys, Now: now, OneUse: assertion.NewMemoryOneUse(10_000, now),
	})
	if err != nil {
		return err
	}
	s.slow, err = assertion.NewVerifier(assertion.Config{Keys: keys, Now: now, CertificateCache: -1, KeyTables: -1})
	if err != nil {
		return err
	}
	s.later, err = assertion.NewVerifier(assertion.Config{
		Keys: keys, Now: func() time.Time { return now().Add(time.Hour) },
	})
	return err
}

func (s *Site) prepareLogin() (err error) {
	s.members = newMembers()
	s.auth, err = login.New(login.Config[*member]{
		Verifier: s.verifier, Audiences: []string{s.config.Origin},
		FindOrCreate: s.admit, UserID: (*member).id, FindByID: s.members.find,
		ErrorPage: s.problem, Logger: s.config.Logger,
	})
	return err
}

func (s *Site) prepareRoutes() error {
	signed, err := vepauth.New(vepauth.Config{
		Audiences: []string{s.config.Origin}, PublicOrigin: s.config.Origin,
		Verifier: s.verifier, Now: s.config.Now, Logger: s.config.Logger,
	})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	s.auth.Routes(listening{mux})
	mux.Handle("GET /{$}", s.auth.WithUser(http.HandlerFunc(s.first)))
	mux.Handle("GET /members", s.auth.Require(http.HandlerFunc(s.club)))
	mux.Handle(vepauth.DefaultTokenURL, signed.TokenEndpoint())
	mux.Handle("GET "+resourcePath, signed.Require(http.HandlerFunc(s.whoami)))
	mux.HandleFunc("GET "+identityPath, s.robot)
	for _, file := range files {
		mux.Handle("GET /"+file.name, file)
	}
	mux.HandleFunc("/", s.absent)
	s.handler = mux
	return nil
}
