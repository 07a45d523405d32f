package evpdemo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/demo/explained"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/internal/bounded"
	"github.com/vepverify/vepverify/internal/page"
)

// maxMembers is the number of members that the site remembers. Each has a walkthrough, of
// about 30 KiB. The least recently seen one beyond that is signed out.
const maxMembers = 100

// member is a user who has signed in.
type member struct {
	Email       string
	Walkthrough *walkthrough // nil if the user has signed in with a code
}

// site is the relying party.
type site struct {
	config   Config
	recorder *recorder
	pages    *pages
	nonces   *evp.Nonces
	verifiers
	sessions *scs.SessionManager
	members  *bounded.Cache[string, *member] // by address
}

func newSite(d *Demo, p *pages) (*site, error) {
	s := &site{
		config: d.config, recorder: d.network.recorder, pages: p,
		members: bounded.New[string, *member](maxMembers, maxMembers), sessions: scs.New(),
	}
	s.sessions.Cookie.Name, s.sessions.Cookie.Secure = "__Host-shop", true
	s.sessions.Lifetime = 24 * time.Hour
	var err error
	if s.nonces, err = evp.NewNonces(evp.NoncesConfig{Origins: []string{siteOrigin}, Now: d.config.Now}); err != nil {
		return nil, err
	}
	s.verifiers, err = newVerifiers(d)
	return s, err
}

// verifiers are the verifiers of the site. They find issuers as all verifiers do, by DNS and
// https, except that the hosts are those of the demo.
type verifiers struct {
	own   *evp.Verifier // accepts each token once
	bank  *evp.Verifier // is another site
	later *evp.Verifier // has a clock that is ten minutes ahead
}

func newVerifiers(d *Demo) (v verifiers, err error) {
	now := d.config.Now
	c := evp.Config{
		Origins: []string{siteOrigin}, Now: now, OneUse: assertion.NewMemoryOneUse(10_000, now),
		Resolver: d.network, RootCAs: d.identity.pool, InsecureAllowPrivate: true,
		InsecureDialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", d.config.Address)
		},
	}
	if v.own, err = evp.NewVerifier(c); err != nil {
		return v, err
	}
	if v.bank, err = v.own.WithOrigins("https://bank.example"); err != nil {
		return v, err
	}
	c.Now = func() time.Time { return now().Add(10 * time.Minute) }
	v.later, err = evp.NewVerifier(c)
	return v, err
}

// routes returns the handler of the site's host.
func (s *site) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.front)
	mux.HandleFunc("POST /sign-in", s.signIn)
	mux.HandleFunc("POST /code", s.useCode)
	mux.HandleFunc("POST /sign-out", s.signOut)
	mux.Handle("GET /evp.js", evp.ScriptHandler())
	mux.Handle("GET /demo.js", page.Static("text/javascript; charset=utf-8", explained.Script))
	page.Handle(mux)
	return s.sessions.LoadAndSave(http.NewCrossOriginProtection().Handler(mux))
}

// The keys of a session.
const (
	keyEmail = "email" // of the user who is signed in
	keyShown = "shown" // when the form was shown, in ns since 1970
	keyAsked = "asked" // the address for which a code was sent
	keyCode  = "code"
)

// member returns the member who is signed in, or nil.
func (s *site) member(r *http.Request) *member {
	m, _ := s.members.Get(s.sessions.GetString(r.Context(), keyEmail))
	return m
}

// front serves the form or, after the sign-in, what has happened.
func (s *site) front(w http.ResponseWriter, r *http.Request) {
	if m := s.member(r); m != nil {
		s.pages.show(w, http.StatusOK, "member.html", &view{Title: "Signed in", Email: m.Email, Member: m})
		return
	}
	nonce, err := s.nonces.Issue(w, r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	form := evp.Form{EmailAttributes: map[string]string{"id": "email", "required": "", "placeholder": "ada@" + mailDomain}}
	fields, err := form.Fields(nonce)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.sessions.Put(r.Context(), keyShown, s.config.Now().UnixNano())
	s.pages.show(w, http.StatusOK, "front.html", &view{Title: "Sign in", Fields: fields, Script: evp.ScriptURL("/evp.js")})
}

// maxForm is the size of the largest form that is read, in bytes.
const maxForm = 64 << 10

// signIn verifies the token of the form. Without one it sends a code.
func (s *site) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	email, token := r.PostFormValue("email"), r.PostFormValue("token")
	nonce, err := s.nonces.Take(w, r, token)
	switch {
	case errors.Is(err, evp.ErrNoToken):
		s.sendCode(w, r, email, nil, nil)
		return
	case err != nil:
		s.sendCode(w, r, email, err, nil)
		return
	}
	sent := s.requests(r)
	expected := evp.Expected{Nonce: nonce, Email: email}
	e := s.own.Explain(r.Context(), token, expected) // first: the verifier has no keys yet
	res, err := s.own.Verify(r.Context(), token, expected)
	if err != nil {
		s.sendCode(w, r, email, err, e.Steps)
		return
	}
	m := &member{Email: res.Email}
	if m.Walkthrough, err = s.newWalkthrough(r.Context(), token, expected, e, sent); err != nil {
		s.fail(w, r, err)
		return
	}
	s.start(w, r, m)
}

// requests returns what the browser has asked since the form was shown.
func (s *site) requests(r *http.Request) []request {
	return s.recorder.since(time.Unix(0, s.sessions.GetInt64(r.Context(), keyShown)))
}

// start starts a session of a member.
func (s *site) start(w http.ResponseWriter, r *http.Request, m *member) {
	if err := s.sessions.RenewToken(r.Context()); err != nil {
		s.fail(w, r, err)
		return
	}
	s.members.Set(m.Email, m, 1)
	s.sessions.Put(r.Context(), keyEmail, m.Email)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// sendCode shows the code that a real site would mail. The error says why the token was
// refused; it is nil if there is none.
func (s *site) sendCode(w http.ResponseWriter, r *http.Request, email string, refused error, steps []assertion.StepReport) {
	number, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	code := fmt.Sprintf("%06d", number)
	s.sessions.Put(r.Context(), keyAsked, email)
	s.sessions.Put(r.Context(), keyCode, code)
	v := &view{Title: "A code", Email: email, Code: code, Checks: explained.Checks(steps), Requests: s.requests(r)}
	if refused != nil {
		v.Title, v.Message = "The token is refused", refused.Error()
	} else {
		v.Why = why(email, v.Requests)
	}
	s.pages.show(w, http.StatusOK, "code.html", v)
}

// useCode signs in with the code. Each code can be tried once.
func (s *site) useCode(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	email, code := s.sessions.PopString(r.Context(), keyAsked), s.sessions.PopString(r.Context(), keyCode)
	if code == "" || r.PostFormValue("code") != code {
		s.pages.show(w, http.StatusForbidden, "problem.html", &view{
			Title: "That is another code", Message: "Each code can be tried once. Start again to get a new one.",
		})
		return
	}
	s.start(w, r, &member{Email: email})
}

// signOut ends the session. It does not show the form, see restart in the templates.
func (s *site) signOut(w http.ResponseWriter, r *http.Request) {
	if err := s.sessions.Destroy(r.Context()); err != nil {
		s.fail(w, r, err)
		return
	}
	s.pages.show(w, http.StatusOK, "problem.html", &view{Title: "Signed out", Message: "The site has forgotten you."})
}

// fail answers a request that failed for no fault of the visitor.
func (s *site) fail(w http.ResponseWriter, r *http.Request, err error) {
	s.config.Logger.ErrorContext(r.Context(), "demo: the request failed", "error", err)
	s.pages.show(w, http.StatusInternalServerError, "problem.html", &view{
		Title: "That did not work", Message: "The terminal in which the demo runs shows why.",
	})
}
