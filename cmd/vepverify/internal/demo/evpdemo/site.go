package evpdemo

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/demo/explained"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/demo/posted"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/internal/bounded"
	"github.com/vepverify/vepverify/internal/page"
	"github.com/vepverify/vepverify/login"
)

// maxMembers is the number of members that the site remembers. Each has a walkthrough, of
// about 30 KiB. The least recently seen one beyond that is signed out.
const maxMembers = 100

// member is a user who has signed in.
type member struct {
	Email       string
	Walkthrough *walkthrough // nil if the user has signed in with a code
}

func (m *member) id() string { return m.Email }

// site is the relying party.
type site struct {
	demo      *Demo
	pages     *pages
	verifiers verifiers
	auth      *login.Login[*member]
	members   *bounded.Cache[string, *member] // by address
	codes     *codes
}

func newSite(d *Demo, p *pages) (s *site, err error) {
	s = &site{demo: d, pages: p, members: bounded.New[string, *member](maxMembers, maxMembers), codes: newCodes()}
	if s.verifiers, err = newVerifiers(d); err != nil {
		return nil, err
	}
	s.auth, err = login.New(login.Config[*member]{
		Audiences: []string{siteOrigin}, FindOrCreate: s.findOrCreate, UserID: (*member).id, FindByID: s.findByID,
		ErrorPage: s.problem, Logger: d.config.Logger, Now: d.config.Now,
		EVP: &login.EVP{
			Verifier: s.verifiers.own, Fallback: s.sendCode,
			Form: evp.Form{EmailAttributes: map[string]string{"id": "email", "required": "", "placeholder": "ada@" + mailDomain}},
		},
	})
	return s, err
}

// verifiers are the verifiers of the site. They find issuers as all verifiers do, by DNS and
// https, except that the hosts are those of the demo.
type verifiers struct {
	config evp.Config
	own    *evp.Verifier // accepts each token once
	bank   *evp.Verifier // is another site
	later  *evp.Verifier // has a clock that is ten minutes ahead
}

func newVerifiers(d *Demo) (v verifiers, err error) {
	now := d.config.Now
	v.config = evp.Config{
		Origins: []string{siteOrigin}, Now: now, OneUse: assertion.NewMemoryOneUse(10_000, now),
		Resolver: d.network, RootCAs: d.identity.pool, InsecureAllowPrivate: true,
		InsecureDialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", d.config.Address)
		},
	}
	if v.own, err = evp.NewVerifier(v.config); err != nil {
		return v, err
	}
	if v.bank, err = v.own.WithOrigins("https://bank.example"); err != nil {
		return v, err
	}
	later := v.config
	later.Now = func() time.Time { return now().Add(10 * time.Minute) }
	v.later, err = evp.NewVerifier(later)
	return v, err
}

// explain explains a token with a verifier that has no keys yet, so that the explanation shows
// all work.
func (v verifiers) explain(ctx context.Context, token string, expected evp.Expected) *evp.Explanation {
	fresh, err := evp.NewVerifier(v.config)
	if err != nil {
		return &evp.Explanation{Err: err}
	}
	return fresh.Explain(ctx, token, expected)
}

// routes returns the handler of the site's host.
func (s *site) routes() http.Handler {
	mux := http.NewServeMux()
	s.auth.Routes(posted.Mux{ServeMux: mux})
	mux.Handle("GET /{$}", s.auth.WithUser(http.HandlerFunc(s.front)))
	mux.HandleFunc("POST /code", s.useCode)
	mux.Handle("GET /demo.js", page.Static("text/javascript; charset=utf-8", explained.Script))
	page.Handle(mux)
	return http.NewCrossOriginProtection().Handler(mux)
}

// front serves the form or, after the sign-in, what has happened.
func (s *site) front(w http.ResponseWriter, r *http.Request) {
	if m, signedIn := s.auth.User(r.Context()); signedIn {
		s.pages.show(w, http.StatusOK, "member.html", &view{Title: "Signed in", Email: m.Email, Member: m})
		return
	}
	s.demo.network.recorder.forget()
	s.pages.show(w, http.StatusOK, "front.html", &view{
		Title: "Sign in", Fields: s.auth.FormFields(w, r), Script: s.auth.ScriptURL(),
	})
}

// findOrCreate adds a member, for package login. Every user with a verified address may sign
// in.
func (s *site) findOrCreate(ctx context.Context, res *assertion.Result) (*member, error) {
	m := &member{Email: res.Email}
	if form := posted.Form(ctx); form.Get("token") != "" {
		var err error
		if m.Walkthrough, err = s.newWalkthrough(ctx, form.Get("token"), form.Get("email")); err != nil {
			return nil, err
		}
	}
	s.members.Set(m.Email, m, 1)
	return m, nil
}

// findByID finds a member, for package login.
func (s *site) findByID(_ context.Context, email string) (*member, error) {
	if m, found := s.members.Get(email); found {
		return m, nil
	}
	return nil, login.ErrNoUser
}

// sendCode is the fallback: it shows the code that a real site would mail, and why there is no
// token, or why it is refused.
func (s *site) sendCode(w http.ResponseWriter, r *http.Request, email string) {
	v := &view{Title: "A code", Email: email, Code: s.codes.issue(w, email), Requests: s.demo.network.recorder.list()}
	switch err := login.TokenError(r.Context()); {
	case errors.Is(err, evp.ErrNoToken):
		v.Why = why(email, v.Requests)
	default:
		v.Message, v.Checks = err.Error(), s.explainRefused(r.Context(), r.PostFormValue("token"), email, err)
	}
	s.pages.show(w, http.StatusOK, "code.html", v)
}

// explainRefused returns the steps of the verification of a token that was refused with err.
func (s *site) explainRefused(ctx context.Context, token, email string, err error) []explained.Check {
	parsed, parseErr := evp.Parse(token)
	if parseErr != nil || parsed.Nonce == "" {
		return nil
	}
	expected := evp.Expected{Nonce: parsed.Nonce, Email: email}
	if errors.Is(err, evp.ErrNonce) {
		expected.Nonce = anotherNonce
	}
	return explained.Checks(s.verifiers.explain(ctx, token, expected).Steps)
}

// anotherNonce is not the nonce of any token.
const anotherNonce = "another"

// useCode signs in with the code. Each code can be tried once.
func (s *site) useCode(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	email, ok := s.codes.take(r, r.PostFormValue("code"))
	if !ok {
		s.problem(w, r, http.StatusForbidden, "That is another code. Each code can be tried once.")
		return
	}
	s.auth.SignIn(w, r, email)
}

// problem is the error page, also of package login.
func (s *site) problem(w http.ResponseWriter, _ *http.Request, status int, message string) {
	s.pages.show(w, status, "problem.html", &view{Title: "That did not work", Message: message})
}
