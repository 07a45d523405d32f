package issuer

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/vepverify/vepverify/evp/internal/discovery"
)

// Config configures an Issuer. Issuer, Keys, Accounts and LoginURL are required.
type Config struct {
	// Issuer is the origin of the issuer, such as https://accounts.issuer.example: https,
	// a host name in lower case, and no port. The TXT records of email domains name the
	// host, and tokens have the origin as their iss. It is never taken from a request.
	Issuer string

	// Keys sign the tokens. They may be rotated at any time.
	Keys *Keys

	// Accounts returns the accounts that the session of a request controls. It returns
	// none, and no error, if no user is signed in. It decides by the cookies of the request;
	// the body is empty. An error is logged and answered with 500 server_error. It must be
	// safe for concurrent use.
	//
	// Accounts should take as long for a visitor without a session as for one who is signed
	// in, and should limit how many tokens a session gets.
	Accounts func(r *http.Request) ([]Account, error)

	// LoginURL is the page on which people sign in: an https URL, or a path of the issuer.
	// The browser wants one, but does not open it for this protocol.
	LoginURL string

	// PrivateEmail returns the private address that stands for email. The session controls
	// email. If directed is empty, the browser asks for a new one. Otherwise directed is an
	// address that the browser got before; PrivateEmail must return it unchanged, or an error
	// that matches ErrDirectedEmail if it does not belong to email. Any other error is logged
	// and answered with 500. The TXT record of the private address's domain must name this
	// issuer. Nil means that private addresses are not supported.
	//
	// PrivateEmail is not told which site asks: the browser does not say.
	PrivateEmail func(r *http.Request, email, directed string) (string, error)

	// ExactAddresses means that upper and lower case differ in the part before the "@". By
	// default they do not: the user who controls alice@ gets tokens for Alice@ too.
	ExactAddresses bool

	// IssuancePath, JWKSPath and AccountsPath are paths of the issuer, as browsers see them.
	// Empty means /email-verification/issuance, …/jwks and …/accounts.
	IssuancePath, JWKSPath, AccountsPath string

	// AnyHost means that the Host of a request is not compared with the issuer's, because a
	// proxy in front replaces it. The signature must cover the issuer's host all the same.
	AnyHost bool

	// MaxBody is the largest body of an issuance request in bytes. Zero means 4096.
	MaxBody int64

	// MaxAge is how long others may cache metadata and keys. Zero means one hour.
	MaxAge time.Duration

	// Logger logs what answers do not contain: errors of the functions above (level error),
	// an account with an invalid address (warn), and why a request is refused (debug). Each
	// cause is logged once a minute. Log records contain no address and no token, unless an
	// error of the application does. Nil means slog.Default.
	Logger *slog.Logger

	// Now is the clock, read once for each request. Nil means time.Now.
	Now func() time.Time
}

// Account is an account that a session controls.
type Account struct {
	// ID identifies the account to the browser. Empty means a hash of the address.
	ID string
	// Name is shown by the browser. Empty means none.
	Name string
	// Email is the address, with its domain in lower case. Accounts with an invalid one are
	// ignored, and that is logged.
	Email string
	// Private means that Email is itself a private address: tokens have is_private_email.
	Private bool
}

// ErrDirectedEmail means that a private address does not belong to the address for which
// it is asked.
var ErrDirectedEmail = errors.New("private address not linked to this address")

func (c Config) withDefaults() Config {
	if c.IssuancePath == "" {
		c.IssuancePath = "/email-verification/issuance"
	}
	if c.JWKSPath == "" {
		c.JWKSPath = "/email-verification/jwks"
	}
	if c.AccountsPath == "" {
		c.AccountsPath = "/email-verification/accounts"
	}
	if c.MaxBody == 0 {
		c.MaxBody = 4096
	}
	if c.MaxAge == 0 {
		c.MaxAge = time.Hour
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// validate checks a configuration with defaults.
func (c Config) validate() error {
	switch {
	case !isIssuer(c.Issuer):
		return fmt.Errorf(`issuer: Issuer: %.100q is not "https://" and a host name in lower case`, c.Issuer)
	case len(c.Keys.all()) == 0:
		return errNoKeys
	case c.Accounts == nil:
		return errors.New("issuer: Accounts: required")
	case c.MaxBody < 0:
		return errors.New("issuer: MaxBody: negative")
	case c.MaxAge < 0:
		return errors.New("issuer: MaxAge: negative")
	}
	if err := c.validatePaths(); err != nil {
		return err
	}
	if login, err := url.Parse(c.loginURL()); err != nil || login.Scheme != "https" || login.Host == "" || login.User != nil {
		return fmt.Errorf("issuer: LoginURL: %.100q is not an https URL or a path", c.LoginURL)
	}
	return nil
}

func (c Config) validatePaths() error {
	seen := map[string]bool{metadataPath: true, webIdentityPath: true}
	for _, f := range []struct{ field, path string }{
		{"IssuancePath", c.IssuancePath}, {"JWKSPath", c.JWKSPath}, {"AccountsPath", c.AccountsPath},
	} {
		if !isPath(f.path) {
			return fmt.Errorf("issuer: %s: %.100q is not a path such as \"/issue\"", f.field, f.path)
		}
		if seen[f.path] {
			return fmt.Errorf("issuer: %s: %.100q is used twice", f.field, f.path)
		}
		seen[f.path] = true
	}
	return nil
}

// loginURL returns LoginURL as a URL.
func (c Config) loginURL() string {
	if strings.HasPrefix(c.LoginURL, "/") && !strings.HasPrefix(c.LoginURL, "//") {
		return c.Issuer + c.LoginURL
	}
	return c.LoginURL
}

// isIssuer reports whether s is an origin that TXT records can name.
func isIssuer(s string) bool {
	host, ok := strings.CutPrefix(s, "https://")
	return ok && discovery.IsHost(host)
}

// isPath reports whether p is a path that clients send as it is.
func isPath(p string) bool {
	u := url.URL{Path: p}
	return strings.HasPrefix(p, "/") && path.Clean(p) == p && u.EscapedPath() == p && p != "/"
}

// isAddress reports whether verifiers accept an address (rule 3.email of docs/EVP.md).
func isAddress(s string) bool {
	_, ok := discovery.EmailDomain(s)
	return ok
}

// sameAddress reports whether two valid addresses are the same mailbox.
func (c Config) sameAddress(a, b string) bool {
	if c.ExactAddresses {
		return a == b
	}
	return discovery.Lower(a) == discovery.Lower(b)
}
