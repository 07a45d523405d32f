package vepauth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/internal/humantime"
	"github.com/vepverify/vepverify/internal/loglimit"
	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/internal/refusal"
	"github.com/vepverify/vepverify/vepauth/internal/signature"
)

// This file logs why requests are refused, for the operator of the server.

// causes logs causes. Each is logged once a minute.
type causes struct {
	*loglimit.Logger
	diagnoses *loglimit.Limiter // of bad signatures
	now       func() time.Time
	last      atomic.Int64 // when the last signed request was accepted, in seconds since 1970
}

// newCauses returns causes that are logged to a logger.
func newCauses(to *slog.Logger, now func() time.Time) *causes {
	return &causes{Logger: loglimit.NewLogger(to), diagnoses: loglimit.New(quiet), now: now}
}

// quiet is how long no signed request must have been accepted before refusals are suspected
// to be the server's fault.
const quiet = time.Minute

// accepted records that a signed request was accepted.
func (c *causes) accepted() { c.last.Store(c.now().Unix()) }

// isQuiet reports whether no signed request was accepted in the last minute. After the clock
// was set back, the last one is in the future.
func (c *causes) isQuiet() bool {
	return c.now().Sub(time.Unix(c.last.Load(), 0)).Abs() > quiet
}

// fault is a cause of a refusal that the operator of the server can perhaps remove. It has
// no secret, no email address and no text of the client except origins.
type fault struct {
	text, advice string
	// certain means that the client is not at fault. Otherwise it probably is, unless no
	// signed request is accepted.
	certain bool
	// diagnosed means that it was found once a minute, and is logged without another limit.
	// skipped is the number of requests since then for which it was not.
	diagnosed bool
	skipped   int64
}

// Error implements error.
func (f *fault) Error() string { return f.text }

// logRefusal logs why a request was refused. That a request has no credentials is not
// logged: it is how clients begin. Nor is that a client has disconnected.
func (a *Authenticator) logRefusal(r *http.Request, t requestTarget, e refusal.Refusal) {
	var f *fault
	var failed *assertion.Error
	ctx := r.Context()
	if e.Reason == reasonNoCredentials && e.Cause == nil || ctx.Err() != nil && errors.Is(e.Cause, context.Canceled) {
		return
	}
	url := slog.String("url", a.shownURL(r, t))
	switch {
	case e.Status >= http.StatusInternalServerError:
		level, message := slog.LevelWarn, "vepauth: "+e.Reason
		if e.Status == http.StatusInternalServerError {
			level = slog.LevelError
		}
		if errors.As(e.Cause, &failed) { // the reason names a domain
			message = "vepauth: undecided"
		}
		a.causes.LogCause(ctx, level, message, e.Cause, url)
	case errors.As(e.Cause, &f):
		a.logFault(ctx, e.Reason, f, url)
	case errors.Is(e.Cause, errNotDiagnosed): // the line about the last one has the number
	case e.Cause != nil:
		a.causes.LogCause(ctx, slog.LevelInfo, "vepauth: assertion refused", refusedAssertion{e.Cause})
	default:
		a.causes.Log(ctx, slog.LevelInfo, e.Reason, "vepauth: "+e.Reason, slog.Int("status", e.Status), url)
	}
	a.config.Logger.LogAttrs(ctx, slog.LevelDebug, "vepauth: request refused", slog.Int("status", e.Status), slog.String("reason", e.Reason), url)
}

// logFault logs a fault. It is a warning if the operator should look at it.
func (a *Authenticator) logFault(ctx context.Context, reason string, f *fault, url slog.Attr) {
	level := slog.LevelInfo
	if f.certain || a.causes.isQuiet() {
		level = slog.LevelWarn
	}
	message := "vepauth: " + reason
	attrs := []slog.Attr{slog.String("error", f.text), slog.String("advice", f.advice), url}
	if f.skipped > 0 {
		attrs = append(attrs, slog.Int64("skipped", f.skipped))
	}
	if f.diagnosed {
		a.config.Logger.LogAttrs(ctx, level, message, attrs...)
		return
	}
	// A fault that is certain has a key of its own, so that others do not hide it.
	a.causes.Log(ctx, level, fmt.Sprint(level, f.certain, reason), message, attrs...)
}

// refusedAssertion is the cause of a refused assertion, with its class for the log.
type refusedAssertion struct{ error }

// Unwrap returns the cause.
func (c refusedAssertion) Unwrap() error { return c.error }

// LogValue implements [slog.LogValuer].
func (c refusedAssertion) LogValue() slog.Value { return slog.AnyValue(c.error) }

// LogClass implements [loglimit.Classified].
func (c refusedAssertion) LogClass() (class, name string) {
	var e *assertion.Error
	if errors.As(c.error, &e) {
		return e.Kind.Error(), e.Reason
	}
	return "", c.Error()
}

// Limits of a path in the log, in bytes.
const (
	maxShownPath    = 200
	maxShownSegment = 24 // a longer segment may be a secret
)

// shownURL returns the URL of a request as this server verifies it, without the query and
// without segments of the path that could be a secret or an email address.
func (a *Authenticator) shownURL(r *http.Request, t requestTarget) string {
	path := t.Path()
	if len(path) > maxShownPath {
		path = path[:strings.LastIndexByte(path[:maxShownPath], '/')+1] + "…"
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if hidesSegment(segment) {
			segments[i] = "…"
		}
	}
	o, _ := a.origin(r) // its text is empty if it is not known
	return shown(o.String()) + strings.Join(segments, "/")
}

// hidesSegment reports whether a segment of a path must not be in the log: a long one, and
// one with other characters than letters, digits and "/-._~" once decoded, such as an email
// address or ";jsessionid=…".
func hidesSegment(s string) bool {
	decoded, err := signature.Unescape(s)
	return err != nil || len(s) > maxShownSegment || !isPlainPath(decoded)
}

// wrongOrigin returns the fault of a client and a server that disagree about the origin of
// the server. The text before the client's origin says what proves it. That origin is one of
// the Audiences, or was one when the token was issued: no client chooses what the advice is.
func (a *Authenticator) wrongOrigin(r *http.Request, own origin.Origin, proof, other string) *fault {
	f := &fault{
		text:    proof + " " + shown(other) + ", but this server's origin is " + shown(own.String()),
		certain: a.isMistaken(r, own, other),
	}
	switch {
	case a.config.TrustForwarded:
		f.text += forwardedText(r)
		f.advice = "let the proxy set X-Forwarded-Proto and X-Forwarded-Host to what its clients see (Config.TrustForwarded)"
	case a.config.PublicOrigin != "":
		f.advice = "correct Config.PublicOrigin, or set Config.TrustForwarded instead if the server has several origins"
	default:
		if text := forwardedText(r); text != "" {
			f.text += text + ", but Config.TrustForwarded is not set"
		}
		f.advice = "set Config.PublicOrigin to " + shown(other) + ", or Config.TrustForwarded if a proxy sets X-Forwarded-Proto and X-Forwarded-Host"
	}
	if !a.isServed(own) {
		f.advice += "; if clients do send requests to " + shown(own.String()) + ", add it to Config.Audiences"
	}
	return f
}

// forwardedText describes the origin that the headers of a proxy name, "" if they name none.
func forwardedText(r *http.Request) string {
	claimed, ok := claimedOrigin(r)
	if !ok {
		return ""
	}
	var named []string
	if lastValue(r, forwardedProto) != "" {
		named = append(named, forwardedProto+": "+claimed.Scheme())
	}
	if lastValue(r, forwardedHost) != "" {
		named = append(named, forwardedHost+": "+shown(strings.TrimPrefix(claimed.String(), claimed.Scheme()+"://")))
	}
	if named == nil {
		named = []string{"Forwarded for " + shown(claimed.String())}
	}
	return "; the request has " + strings.Join(named, " and ")
}

// unknownOrigin returns the refusal of a request that names no origin, or two.
func (a *Authenticator) unknownOrigin(r *http.Request, status int) error {
	e := &refusal.Refusal{Status: status, Reason: reasonUnknownOrigin}
	_, known := a.origin(r)
	switch {
	case known:
	case a.config.TrustForwarded:
		e.Cause = &fault{
			text:   "X-Forwarded-Proto and X-Forwarded-Host, or Host, name no origin",
			advice: "let the proxy set X-Forwarded-Proto to https or http, and X-Forwarded-Host to a host (Config.TrustForwarded)",
		}
	default:
		e.Cause = &fault{
			text:   "Host is not a domain or an IP address, perhaps with a port",
			advice: "let the proxy pass on the header Host, or set Config.PublicOrigin",
		}
	}
	return e
}

// explainRefusal adds a fault to the refusal of an assertion, if the server could be the
// reason: no assertion for its origin can be accepted, or its clock is wrong.
func (a *Authenticator) explainRefusal(r *http.Request, own origin.Origin, e *refusal.Refusal) error {
	claimed, forwarded := claimedOrigin(r)
	isAudience := errors.Is(e.Cause, assertion.ErrAudience)
	switch {
	case isAudience && !a.isServed(own):
		e.Cause = &fault{
			text:   "this server's origin, " + shown(own.String()) + ", is not one of Config.Audiences",
			advice: "behind a proxy, set Config.PublicOrigin or Config.TrustForwarded; if clients do use this origin, add it to Config.Audiences",
		}
	case isAudience && forwarded && !a.isServed(claimed):
		e.Cause = &fault{
			text:   "the assertion is for an origin that is not one of Config.Audiences" + forwardedText(r),
			advice: "if a proxy sets this header, and clients do use that origin, add it to Config.Audiences, and set Config.PublicOrigin or Config.TrustForwarded",
		}
	case errors.Is(e.Cause, assertion.ErrExpired), errors.Is(e.Cause, assertion.ErrNotYetValid):
		e.Cause = &fault{text: foundBy(e.Cause), advice: adviceClock}
	}
	return e
}

// foundBy returns what an *assertion.Error found: here the times of a token.
func foundBy(err error) string {
	var e *assertion.Error
	if errors.As(err, &e) && e.Found != "" {
		return e.Found
	}
	return err.Error()
}

const adviceClock = "if all clients are refused, correct this server's clock (NTP); otherwise the client's"

// refuseToken returns the refusal of a token that a TokenManager refused.
func refuseToken(err error) error {
	e := unauthorized(reasonToken)
	if errors.Is(err, errForeignToken) {
		e.Cause = &fault{
			text:   "the token was not signed with a secret of this server",
			advice: "set SignedTokensConfig.Secrets, the same on all machines: without it, tokens are lost at a restart; keep an old secret until its tokens have expired",
		}
	}
	return e
}

// refuseScope returns the refusal of a token for another origin or application.
func (a *Authenticator) refuseScope(r *http.Request, own origin.Origin, s Scope) error {
	e := unauthorized(reasonScope)
	switch {
	case s.Origin == "":
		e.Cause = &fault{
			text:    "Config.Tokens returned an identity without the scope of its token",
			advice:  "let ParseToken return Grant.Scope, which MakeToken got",
			certain: true,
		}
	case s.Origin != own.String():
		e.Cause = a.wrongOrigin(r, own, "the token is for", s.Origin)
	default:
		e.Cause = &fault{
			text:   fmt.Sprintf("the token is for application %q, version %q, and the request is not", s.Application, s.Version),
			advice: "request a token for each application; if all clients are refused, correct Config.Applications, Config.TokenURL or Config.ApplicationOf",
		}
	}
	return e
}

// outOfRange returns the refusal of a timestamp that differs too much from the clock.
func outOfRange(now, at time.Time) error {
	e := unauthorized(reasonOutOfRange)
	difference, direction := now.Sub(at), "behind"
	if difference < 0 {
		difference, direction = -difference, "ahead of"
	}
	e.Cause = &fault{
		text:   "the request's clock is " + humantime.Duration(difference) + " " + direction + " this server's",
		advice: adviceClock,
	}
	return e
}

// errNotDiagnosed is the cause of a bad signature that was not diagnosed.
var errNotDiagnosed = errors.New("not diagnosed")

// badSignature returns the refusal of a signature that is not valid. Once a minute it finds
// the cause.
func (a *Authenticator) badSignature(r *http.Request, t requestTarget, own origin.Origin, auth *signature.Authorization, secret, form string) error {
	e := unauthorized(signature.ErrSignature.Error())
	skipped, ok := a.causes.diagnoses.Allow(e.Reason)
	if !ok {
		e.Cause = errNotDiagnosed
		return e
	}
	f := a.diagnose(r, t, own, auth, secret, form)
	f.diagnosed, f.skipped = true, skipped
	e.Cause = f
	return e
}

// diagnose tries whether a bad signature is valid for another URL, which a proxy could have
// changed.
func (a *Authenticator) diagnose(r *http.Request, t requestTarget, own origin.Origin, auth *signature.Authorization, secret, form string) *fault {
	for _, o := range a.otherOrigins(r, own) {
		if a.scheme.Verify(auth, secret, message(r.Method, o, t, form)) == nil {
			f := a.wrongOrigin(r, own, "the request was signed for", o.String())
			f.certain = true
			return f
		}
	}
	prefix := strings.TrimSuffix(lastValue(r, "X-Forwarded-Prefix"), "/")
	original := parseTarget(prefix + t.Text)
	if prefix != "" && original.err == nil && a.scheme.Verify(auth, secret, message(r.Method, own, original, form)) == nil {
		return &fault{
			text:    "a proxy removes a prefix of the path, which X-Forwarded-Prefix names and the client signed",
			advice:  "let the proxy pass the path on unchanged",
			certain: true,
		}
	}
	return &fault{
		text:   "the client signed something else than this server received",
		advice: "if all clients are refused, a proxy changes the path, the query or the form of requests; otherwise compare the client's base string with docs/VEPAUTH.md",
	}
}

// maxOtherOrigins is the number of audiences that are tried for a bad signature.
const maxOtherOrigins = 8

// otherOrigins returns the origins for which a client could have signed a request instead.
// Each is one of the Audiences: a client must not choose an origin for the log.
func (a *Authenticator) otherOrigins(r *http.Request, own origin.Origin) (others []origin.Origin) {
	claimed, _ := claimedOrigin(r) // the zero Origin is not served
	candidates := []origin.Origin{claimed}
	for _, scheme := range []string{"https", "http"} {
		byHost, _ := origin.FromHost(scheme, r.Host)
		defaultPort, _ := origin.FromHost(scheme, own.Host())
		candidates = append(candidates, byHost, defaultPort)
	}
	for _, audience := range a.config.Audiences[:min(len(a.config.Audiences), maxOtherOrigins)] {
		o, _ := origin.Parse(strings.TrimSuffix(audience, "/"))
		candidates = append(candidates, o)
	}
	for _, o := range candidates {
		if o != own && a.isServed(o) && !slices.Contains(others, o) {
			others = append(others, o)
		}
	}
	return others
}

const reasonNoCredentials = "authentication required"

// noCredentials returns the refusal of a request without credentials of the scheme. It
// tells a client that sent others why they were not accepted.
func (a *Authenticator) noCredentials(r *http.Request) error {
	headers := r.Header["Authorization"]
	switch {
	case strings.TrimSpace(strings.Join(headers, "")) != "":
		return unauthorized("the Authorization header does not have the scheme " + a.scheme.AuthScheme())
	case r.URL != nil && a.scheme.CoversForm() && strings.Contains(r.URL.RawQuery, "oauth_signature="):
		return unauthorized(signature.ErrMisplaced.Error())
	}
	e := unauthorized(reasonNoCredentials)
	if a.isTokenRequestElsewhere(r) {
		e.Cause = &fault{
			text:   "a request to a path that ends as Config.TokenURL does, but is another",
			advice: "if this was a token request, a proxy changes the path: let it pass the path on unchanged, and set Config.TokenURL to the path that clients see",
		}
	}
	return e
}

// isTokenRequestElsewhere reports whether a request was perhaps meant for the token endpoint
// but has another path.
func (a *Authenticator) isTokenRequestElsewhere(r *http.Request) bool {
	end := a.config.TokenURL[strings.LastIndexByte(a.config.TokenURL, '/')+1:]
	return r.Method == http.MethodPost && end != "" && !a.config.DisableTokenEndpoint && strings.HasSuffix(incomingTarget(r).Path(), "/"+end)
}
