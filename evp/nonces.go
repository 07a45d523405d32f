package evp

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/internal/bounded"
	"github.com/vepverify/vepverify/internal/cookiename"
	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/internal/strictjson"
	"github.com/vepverify/vepverify/internal/typednil"
)

// Limits of nonces.
const (
	// nonceLife is how long a nonce is open.
	nonceLife = 10 * time.Minute
	// nonceBytes is the number of random bytes of a nonce and of a visitor's cookie.
	nonceBytes = 32
	// maxOpen is the largest number of open nonces of a visitor, one for each rendered form.
	// The oldest is removed for a new one.
	maxOpen = 8
	// defaultMaxVisitors is the default of NoncesConfig.MaxVisitors.
	defaultMaxVisitors = 100_000
)

// ErrNoToken means that a form was posted without a token: the browser has none for the
// address, or does not implement the protocol. No nonce is used up. Verify the address in
// another way, for example by mailing a code.
var ErrNoToken = errors.New("no token")

// NoncesConfig configures Nonces.
type NoncesConfig struct {
	// Store stores the open nonces of each visitor. Nil means in the memory of this process,
	// for browsers with a cookie that Nonces sets. Several processes need a store that they
	// share, such as that of login.SessionNonces.
	Store NonceStore

	// Origins are the origins at which browsers reach the site, such as https://rp.example.
	// Required without a Store. They select the cookie. At https it is Secure, and its name
	// begins with __Host-, so that browsers refuse it from sibling domains and over http. At
	// http, which must be on this machine, the name contains the port. All must be https, or
	// all http.
	Origins []string

	// CookieName is the name of the cookie without __Host- and the port. Empty means "evp".
	// Two applications at one host need different names. It is ignored with a Store.
	CookieName string

	// MaxVisitors is the largest number of visitors whose nonces are in memory, 250 to
	// 700 bytes each. A new visitor replaces the one who has not requested or posted a
	// form for the longest time. Zero means 100 000. It is ignored with a Store.
	MaxVisitors int

	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// NonceStore stores the open nonces of each visitor for [Nonces]: in a session of the
// application, for example.
//
// UpdateNonces calls change once with the text that is stored for the visitor who sent r, or
// with "" if there is none. It stores the text that change returns, unless that is equal.
// It may set headers of w. The text is ASCII and has at most 512 bytes. It may be removed
// ten minutes after it was last stored. If UpdateNonces cannot load or store, it returns
// an error, whose text is logged.
//
// A store should load, change and store in one atomic step. If it does not, as most session
// stores, then two requests at the same time may both use up one nonce. A store that keeps
// the text in a cookie of the browser cannot let a nonce be used only once at all, because
// the browser can send an earlier cookie again. With such stores, Config.OneUse is required:
// it lets each token be used only once.
type NonceStore interface {
	UpdateNonces(w http.ResponseWriter, r *http.Request, change func(stored string) string) error
}

// Nonces issues the nonces of forms, and uses up those of posted tokens. A nonce binds a
// token to the browser that requested the form, and lets it be posted once. Use NewNonces to
// create one: the methods of a nil or zero Nonces return an error matching
// assertion.ErrMisuse. It is safe for concurrent use.
//
//	nonce, err := nonces.Issue(w, r)       // for each rendering of the form
//	…
//	nonce, err := nonces.Take(w, r, token) // for each POST
//	res, err := verifier.Verify(ctx, token, evp.Expected{Nonce: nonce, Email: email})
//
// A nonce is open for ten minutes, or until a POST that carries a token which names it. A
// visitor has at most eight open nonces, so that several tabs can show the form. If a browser
// without the cookie requests two forms at the same time, only one of them may get a nonce that
// is accepted. An attacker who requests very many forms can evict the nonces of other visitors
// from memory. Visitors whose tokens are then refused continue without a token.
type Nonces struct {
	store NonceStore
	now   func() time.Time
}

// NewNonces returns Nonces. It returns an error matching assertion.ErrMisuse if the
// configuration is not valid.
func NewNonces(c NoncesConfig) (*Nonces, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if err := typednil.Check(c.Store); err != nil {
		return nil, invalidConfig("Store", "%w", err)
	}
	if c.Store == nil {
		store, err := newMemoryNonces(c)
		if err != nil {
			return nil, err
		}
		c.Store = store
	}
	return &Nonces{store: c.Store, now: c.Now}, nil
}

// Issue returns a new nonce for a form that is rendered for the visitor who sent r. It sets
// Cache-Control: no-store, because a form from a cache would have a nonce that was used
// before. It must be called before the first byte of the response is written, and once for
// each response. If the nonce cannot be stored, Issue returns "" and an error that matches
// assertion.ErrUndecided. The form works with an empty nonce: browsers send no token.
func (n *Nonces) Issue(w http.ResponseWriter, r *http.Request) (string, error) {
	w.Header().Set("Cache-Control", "no-store")
	if err := n.checkMade(); err != nil {
		return "", err
	}
	now := n.now()
	issued := openNonce{randomText(), now.Add(nonceLife)}
	err := n.store.UpdateNonces(w, r, func(stored string) string {
		open := append(parseOpen(stored, now), issued)
		return formatOpen(open[max(0, len(open)-maxOpen):])
	})
	if err != nil {
		return "", storeFailed(err)
	}
	return issued.nonce, nil
}

// Take uses up the nonce that a posted token names, and returns it for Expected.Nonce. The
// token is not verified yet, so a token that Verify refuses uses up its nonce too. The errors
// are:
//
//   - ErrNoToken if the token is empty;
//   - an [*Error] that matches assertion.ErrMalformed if the token is too malformed to read a
//     nonce from it;
//   - an [*Error] that matches ErrNonce if the nonce is unknown, was used before, has expired,
//     or is that of another browser;
//   - an [*Error] that matches assertion.ErrUndecided if the store fails.
//
// With each of them, the visitor can still prove the address in another way.
func (n *Nonces) Take(w http.ResponseWriter, r *http.Request, token string) (nonce string, err error) {
	if err := n.checkMade(); err != nil {
		return "", err
	}
	if token == "" {
		return "", ErrNoToken
	}
	named, err := namedNonce(token)
	if err != nil {
		return "", err
	}
	found, now := false, n.now()
	err = n.store.UpdateNonces(w, r, func(stored string) string {
		rest, ok := removeOpen(parseOpen(stored, now), named)
		if found = ok; !ok {
			return stored
		}
		return formatOpen(rest)
	})
	switch {
	case err != nil:
		return "", storeFailed(err)
	case !found:
		return "", notOpen("a nonce that is unknown, was used before, or has expired",
			"show the form again, with a new nonce; if all are refused, check that the browser keeps the cookie, and that all processes share the store")
	}
	return named, nil
}

// checkMade returns an error matching assertion.ErrMisuse if NewNonces has not made n.
func (n *Nonces) checkMade() error {
	if n == nil || n.store == nil {
		return misuse("Nonces not made by NewNonces")
	}
	return nil
}

// storeFailed returns the error for an error of a store.
func storeFailed(err error) error {
	const reason = "the record of nonces is not available"
	return &Error{
		Kind: assertion.ErrUndecided, Reason: reason, detail: withCause(reason, err), cause: err, Found: err.Error(),
		Advice: "try again; if the error persists, check the store of nonces", Setting: "Store",
	}
}

// notOpen returns the error for a token that names no open nonce.
func notOpen(found, advice string) error {
	const reason = "nonce mismatch"
	return &Error{
		Kind: ErrNonce, Rule: "4.nonce", Reason: reason, detail: reason + ": " + found,
		Found: found, Expected: "the nonce of a form that is open", Advice: advice,
	}
}

// randomText returns 32 random bytes in base64url.
func randomText() string {
	random := make([]byte, nonceBytes)
	rand.Read(random) // never fails
	return base64.RawURLEncoding.EncodeToString(random)
}

// namedNonce returns the nonce that the browser's half of a token names. It reads nothing else
// of the token, so that a token with a fault elsewhere uses up its nonce too.
func namedNonce(token string) (string, error) {
	claims, ok := holderClaims(token)
	if !ok {
		if _, err := Parse(token); err != nil {
			return "", err
		}
	}
	value, _ := claims.Get("nonce")
	if nonce, ok := strictjson.String(value); ok && nonce != "" {
		return nonce, nil
	}
	return "", notOpen("no nonce", "check the field of the form: under a Content-Security-Policy, the page needs the script of this package")
}

// holderClaims returns the claims of the browser's half, as [Parse] reads them.
func holderClaims(token string) (claims strictjson.Object, ok bool) {
	_, half, _ := strings.Cut(token, "~")
	if len(token) > MaxSize || strings.Count(half, ".") != 2 {
		return nil, false
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(strings.Split(half, ".")[1])
	if err != nil {
		return nil, false
	}
	claims, err = strictjson.ParseObject(text)
	return claims, err == nil
}

// openNonce is an open nonce in the text of a store, which is a list such as
// "nonce.milliseconds nonce.milliseconds", the oldest first.
type openNonce struct {
	nonce   string
	expires time.Time
}

// parseOpen returns the nonces in a stored text that have not expired. It ignores what it
// did not write, because the text may be that of another version.
func parseOpen(stored string, now time.Time) []openNonce {
	var open []openNonce
	for field := range strings.FieldsSeq(stored) {
		nonce, end, _ := strings.Cut(field, ".")
		milliseconds, err := strconv.ParseInt(end, 10, 64)
		if err != nil || nonce == "" {
			continue
		}
		if expires := time.UnixMilli(milliseconds); now.Before(expires) {
			open = append(open, openNonce{nonce, expires})
		}
	}
	return open
}

// formatOpen returns the text of open nonces for a store.
func formatOpen(open []openNonce) string {
	fields := make([]string, len(open))
	for i, o := range open {
		fields[i] = o.nonce + "." + strconv.FormatInt(o.expires.UnixMilli(), 10)
	}
	return strings.Join(fields, " ")
}

// removeOpen returns the open nonces without one, and reports whether that was among them. It
// compares all of them in constant time.
func removeOpen(open []openNonce, nonce string) (rest []openNonce, found bool) {
	for _, o := range open {
		if subtle.ConstantTimeCompare([]byte(o.nonce), []byte(nonce)) == 1 {
			found = true
			continue
		}
		rest = append(rest, o)
	}
	return rest, found
}

// memoryNonces is a NonceStore in the memory of this process. Its visitors are browsers, told
// apart by a cookie with a random text.
type memoryNonces struct {
	cookie http.Cookie // without a value

	mu       sync.Mutex // for an update in one step
	visitors *bounded.Cache[visitor, string]
}

// visitor is the decoded value of a visitor's cookie.
type visitor [nonceBytes]byte

// newMemoryNonces returns an empty store.
func newMemoryNonces(c NoncesConfig) (*memoryNonces, error) {
	if c.CookieName == "" {
		c.CookieName = "evp"
	}
	if c.MaxVisitors == 0 {
		c.MaxVisitors = defaultMaxVisitors
	}
	if c.MaxVisitors < 0 {
		return nil, invalidConfig("MaxVisitors", "%d: negative", c.MaxVisitors)
	}
	cookie, err := nonceCookie(c)
	if err != nil {
		return nil, err
	}
	const unlimited = 1 << 62 // the entries are limited, and so is the size of each
	return &memoryNonces{cookie: cookie, visitors: bounded.New[visitor, string](c.MaxVisitors, unlimited)}, nil
}

// nonceCookie returns the cookie of a configuration.
func nonceCookie(c NoncesConfig) (http.Cookie, error) {
	site, err := siteOf(c.Origins)
	if err != nil {
		return http.Cookie{}, err
	}
	cookie := http.Cookie{
		Name: "__Host-" + c.CookieName, Path: "/", Secure: true, HttpOnly: true,
		SameSite: http.SameSiteLaxMode, MaxAge: int(nonceLife / time.Second),
	}
	if site.Scheme() == "http" {
		cookie.Name, cookie.Secure = c.CookieName, false
		if site.Port() != "" {
			cookie.Name += "-" + site.Port()
		}
	}
	if err := cookie.Valid(); err != nil {
		return http.Cookie{}, invalidConfig("CookieName", "%q: not the name of a cookie", c.CookieName)
	}
	if err := cookiename.Check(&cookie); err != nil {
		return http.Cookie{}, invalidConfig("CookieName", "%w", err)
	}
	return cookie, nil
}

// siteOf returns the first of the origins, which must all be https, or all http on this
// machine.
func siteOf(origins []string) (first origin.Origin, err error) {
	if len(origins) == 0 {
		return first, invalidConfig("Origins", "required: the origin at which browsers reach the site, such as https://rp.example")
	}
	for i, text := range origins {
		o, err := origin.Parse(text)
		switch {
		case err != nil:
			return first, invalidConfig("Origins", "%q: %w", text, err)
		case o.Scheme() == "http" && !origin.IsLocal(o.Host()):
			return first, invalidConfig("Origins", "%q: neither https nor on this machine", text)
		case i > 0 && o.Scheme() != first.Scheme():
			return first, invalidConfig("Origins", "both http and https: a cookie cannot be for both")
		case i == 0:
			first = o
		}
	}
	return first, nil
}

// UpdateNonces implements NonceStore. A visitor without a known cookie gets a new one, so
// that no visitor can choose the text of another's cookie.
func (m *memoryNonces) UpdateNonces(w http.ResponseWriter, r *http.Request, change func(stored string) string) error {
	id, sent := m.visitorOf(r)
	m.mu.Lock()
	defer m.mu.Unlock()
	stored, found := "", false
	if sent {
		stored, found = m.visitors.Get(id)
	}
	changed := change(stored)
	if changed == stored {
		return nil
	}
	if !found {
		rand.Read(id[:]) // never fails
	}
	m.visitors.Set(id, changed, int64(len(id)+len(changed)))
	cookie := m.cookie
	cookie.Value = base64.RawURLEncoding.EncodeToString(id[:])
	http.SetCookie(w, &cookie)
	return nil
}

// visitorOf returns the visitor of a request's cookie, and reports whether it has one.
func (m *memoryNonces) visitorOf(r *http.Request) (id visitor, ok bool) {
	cookie, err := r.Cookie(m.cookie.Name)
	if err != nil || len(cookie.Value) != base64.RawURLEncoding.EncodedLen(len(id)) {
		return id, false
	}
	_, err = base64.RawURLEncoding.Strict().Decode(id[:], []byte(cookie.Value))
	return id, err == nil
}
