package issuer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/vepverify/vepverify/evp/internal/discovery"
	"github.com/vepverify/vepverify/evp/internal/jose"
	"github.com/vepverify/vepverify/internal/mediatype"
	"github.com/vepverify/vepverify/internal/strictjson"
	"github.com/vepverify/vepverify/internal/target"
)

// request is the body of an issuance request.
type request struct {
	email    string
	private  bool   // a new private address is asked for
	directed string // the private address that is asked for, or ""
	// hasDirected reports whether the body has directed_email.
	hasDirected bool
}

// serveIssuance handles IssuancePath.
func (i *Issuer) serveIssuance(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	token, err := i.issue(w, r)
	if err != nil {
		i.refuse(w, r, err)
		return
	}
	body, _ := json.Marshal(map[string]string{"issuance_token": token}) // one string: there is no error
	writeJSON(w, "no-store", body)
}

// refuse answers and logs an error. One that is not a problem is an error of this side, unless
// the client has disconnected: that may be its cause, and happens all the time.
func (i *Issuer) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var p *problem
	if !errors.As(err, &p) {
		p = serverError(err)
	}
	level, message := slog.LevelDebug, "issuer: request refused"
	if p.Status >= http.StatusInternalServerError {
		message = "issuer: request failed"
		if r.Context().Err() == nil {
			level = slog.LevelError
		}
	}
	cause := p.Cause
	if cause == nil {
		cause = p
	}
	i.log.LogCause(r.Context(), level, message, cause)
	p.write(w)
}

// issue makes the checks of the package comment in their order, and returns the token.
func (i *Issuer) issue(w http.ResponseWriter, r *http.Request) (string, error) {
	if err := checkEnvelope(r); err != nil {
		return "", err
	}
	body, err := i.readBody(w, r)
	if err != nil {
		return "", err
	}
	asked, err := parseRequest(body)
	if err != nil {
		return "", err
	}
	now := i.config.Now()
	key, err := i.verify(r, body, now)
	if err != nil {
		return "", invalidSignature(err)
	}
	if (asked.private || asked.hasDirected) && i.config.PrivateEmail == nil {
		return "", errNoPrivate.because(nil)
	}
	account, err := i.account(r, asked.email)
	if err != nil {
		return "", err
	}
	email, private, err := i.address(r, asked, account)
	if err != nil {
		return "", err
	}
	return i.mint(email, private, key, now)
}

// checkEnvelope checks what costs nothing.
func checkEnvelope(r *http.Request) error {
	if r.Method != http.MethodPost {
		p := errMethod
		p.Allow = http.MethodPost
		return &p
	}
	if types := r.Header.Values("Content-Type"); len(types) != 1 || !mediatype.Is(types[0], typeJSON) {
		return errContentType.because(nil)
	}
	if !hasDest(r, "email-verification") {
		return errDest.because(nil)
	}
	return nil
}

// hasDest reports whether a browser made the request for this purpose. Scripts cannot set
// the header.
func hasDest(r *http.Request, dest string) bool {
	values := r.Header.Values("Sec-Fetch-Dest")
	return len(values) == 1 && values[0] == dest
}

func (i *Issuer) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, i.config.MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, errTooLarge.because(nil)
	case err != nil:
		return nil, errBody.because(nil)
	}
	return body, nil
}

// parseRequest parses the body. Members that are not known are ignored.
func parseRequest(body []byte) (request, error) {
	var asked request
	o, err := strictjson.ParseObject(body)
	if err != nil {
		return asked, errBody.because(nil)
	}
	value, _ := o.Get("email")
	asked.email, _ = strictjson.String(value)
	if !isAddress(asked.email) {
		return asked, errBody.because(nil)
	}
	if value, found := o.Get("private_email"); found {
		asked.private = string(value) == "true"
		if !asked.private && string(value) != "false" {
			return asked, errBody.because(nil)
		}
	}
	if value, found := o.Get("directed_email"); found {
		asked.directed, asked.hasDirected = strictjson.String(value)
		if !asked.hasDirected || asked.private {
			return asked, errBody.because(nil)
		}
	}
	return asked, nil
}

// verify returns the key that signed the request.
func (i *Issuer) verify(r *http.Request, body []byte, now time.Time) (*jose.PublicKey, error) {
	if _, local := target.Local(r); !local || !i.isOwnHost(r.Host) {
		return nil, errTarget
	}
	if err := checkDigest(r.Header, body); err != nil {
		return nil, err
	}
	return verifySignature(r, i.host, now)
}

var errTarget = errors.New("signature: the request is for another host")

// isOwnHost reports whether the Host of a request is the issuer's.
func (i *Issuer) isOwnHost(host string) bool {
	return i.config.AnyHost || discovery.Lower(strings.TrimSuffix(host, ":443")) == i.host
}

// account returns the account of the session that has the address. All accounts are
// compared, so that the time tells nothing.
func (i *Issuer) account(r *http.Request, email string) (Account, error) {
	accounts, err := i.accounts(r)
	if err != nil {
		return Account{}, err
	}
	found := -1
	for n, a := range accounts {
		if i.config.sameAddress(a.Email, email) {
			found = n
		}
	}
	switch {
	case len(accounts) == 0:
		return Account{}, errAuthenticate.because(errNoAccount)
	case found < 0:
		return Account{}, errAuthenticate.because(errOther)
	}
	return accounts[found], nil
}

// The causes that a log distinguishes and an answer does not.
var (
	errNoAccount = errors.New("the session has no account: no user is signed in, or the cookie is not SameSite=None; Secure")
	errOther     = errors.New("the session has accounts, but none with this address")
)

// errAddress is a mistake of the application, which answers do not show.
var errAddress = errors.New("Config.Accounts: an address is not valid: its domain must be in lower case, and have two labels")

// accounts asks the application for the accounts of the session. It leaves out those that
// have no valid address, and logs that.
func (i *Issuer) accounts(r *http.Request) ([]Account, error) {
	r = r.WithContext(r.Context()) // a copy
	r.Body = http.NoBody
	all, err := i.config.Accounts(r)
	if err != nil {
		return nil, serverError(fmt.Errorf("Config.Accounts: %w", err))
	}
	var valid []Account
	for _, a := range all {
		if isAddress(a.Email) {
			valid = append(valid, a)
		}
	}
	if len(valid) < len(all) {
		i.log.LogCause(r.Context(), slog.LevelWarn, "issuer: an account is ignored", errAddress)
	}
	return valid, nil
}

// address returns the address of the token, and whether it is a private one. Without a
// private address, it is the one that was asked for, byte for byte: browsers compare it.
func (i *Issuer) address(r *http.Request, asked request, account Account) (email string, private bool, err error) {
	if !asked.private && !asked.hasDirected {
		return asked.email, account.Private, nil
	}
	if asked.hasDirected && !isAddress(asked.directed) {
		return "", false, errDirected.because(nil)
	}
	r = r.WithContext(r.Context())
	r.Body = http.NoBody
	email, err = i.config.PrivateEmail(r, account.Email, asked.directed)
	switch {
	case errors.Is(err, ErrDirectedEmail):
		return "", false, errDirected.because(nil)
	case err != nil:
		return "", false, serverError(fmt.Errorf("Config.PrivateEmail: %w", err))
	case !isAddress(email):
		return "", false, serverError(errors.New("Config.PrivateEmail: not a valid address"))
	case asked.hasDirected && email != asked.directed:
		return "", false, serverError(errors.New("Config.PrivateEmail: another address than the directed one"))
	}
	return email, true, nil
}

// evtHeader and evtClaims are the two parts of a token.
type evtHeader struct {
	Alg string `json:"alg"`
	Kid string `json:"kid"`
	Typ string `json:"typ"`
}

type evtClaims struct {
	Issuer        string       `json:"iss"`
	IssuedAt      int64        `json:"iat"`
	Confirmation  confirmation `json:"cnf"`
	Email         string       `json:"email"`
	EmailVerified bool         `json:"email_verified"`
	Private       bool         `json:"is_private_email,omitempty"`
}

type confirmation struct {
	JWK *jose.PublicKey `json:"jwk"`
}

// mint signs a token that is bound to the key of the request.
func (i *Issuer) mint(email string, private bool, holder *jose.PublicKey, now time.Time) (string, error) {
	key := i.config.Keys.current()
	header := evtHeader{Alg: key.Public().Alg(), Kid: key.Public().Kid(), Typ: "evt+jwt"}
	token, err := key.Sign(header, evtClaims{
		Issuer: i.config.Issuer, IssuedAt: now.Unix(), Confirmation: confirmation{holder},
		Email: email, EmailVerified: true, Private: private,
	})
	if err != nil {
		return "", serverError(err)
	}
	return token + "~", nil
}
