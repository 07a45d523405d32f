package wellknown

import (
	"context"

	"github.com/vepverify/vepverify/keys"
)

// Hooks is a set of functions, each of which may be nil, that a [Resolver] and a
// [Static] call in the course of a look-up, all but Load in the caller's goroutine: as in
// net/http/httptrace, but without a parent's trace being told too.
//
// A service uses it to let go of what it holds while a look-up waits for the
// network, so that slow hosts do not keep those waiting who need no host, and
// to count look-ups.
type Hooks struct {
	// Wait is called before a look-up waits for the network, because what
	// it needs is not held: once for each host on the way, if need be, and again
	// each time that it waited for the first fetch of a host on behalf of another
	// email domain. Renewals in the background do not call it. Its ctx
	// ends with the look-up's time. When it errs the look-up waits no more: it
	// ends as ErrUnavailable with that error as its cause, which errors.Is
	// finds, unless it is Authority and a document still counts that
	// expired less than 24 h ago.
	Wait func(ctx context.Context) error

	// Waited is called after each Wait that did not err, when the wait is
	// over, however it ended.
	Waited func()

	// Load is called before the TLS certificates of a host are verified, and before
	// a document that was fetched is read: its JSON is parsed and its keys are
	// checked. Each takes up to some milliseconds of one processor. It returns when that may begin; release is called when it
	// is over, and must not be nil without an error. A service uses it to count
	// this work among what it does at once.
	//
	// It differs from the other functions. It is called in the goroutine of the
	// fetch, not in the caller's, at any time until that fetch's deadline: also
	// while the caller is in Wait, and after the caller's look-up has returned.
	// A fetch serves all look-ups that wait for it, and calls the Load of the one
	// that started it; renewals in the background call it too. So Load must not
	// depend on the caller, must be safe for concurrent use, and should have a
	// low priority. Its ctx is the fetch's: it has the values of the caller's
	// context, but ends with the fetch and not with the caller. If Load returns
	// an error, the fetch ends as ErrUnavailable with that error as its cause,
	// and nothing is remembered.
	//
	// If Load is nil, a [Resolver] does at most half as much of this at once as
	// GOMAXPROCS says, at least 1.
	Load func(ctx context.Context) (release func(), err error)

	// Done is called at the end of each call of Authority or Refresh: held says
	// whether it was answered without waiting, err is what it gave, nil or
	// a *LookupError.
	Done func(held bool, err error)
}

type hooksKey struct{}

// WithHooks gives a context whose look-ups tell t what they do, and no other
// trace; t may be used by several at once, as far as its functions may.
func WithHooks(ctx context.Context, h *Hooks) context.Context {
	return context.WithValue(ctx, hooksKey{}, h)
}

// hooksOf gives nil when there is none. The methods take that.
func hooksOf(ctx context.Context) *Hooks {
	h, _ := ctx.Value(hooksKey{}).(*Hooks)
	return h
}

func (h *Hooks) wait(ctx context.Context) error {
	if h == nil || h.Wait == nil {
		return nil
	}
	return h.Wait(ctx)
}

func (h *Hooks) waited() {
	if h != nil && h.Waited != nil {
		h.Waited()
	}
}

func (h *Hooks) done(held bool, err error) {
	if h != nil && h.Done != nil {
		h.Done(held, err)
	}
}

// SignatureCheck lets a [Resolver] try the certificate at issue with keys that
// it holds, before a look-up waits for a fetch, and before an ErrUnsupported that
// is held is renewed in the background. A certificate that they verify
// goes before those that they do not, and takes from a larger allowance. Nothing
// else depends on it: the answer for one email domain is never used for another.
type SignatureCheck struct {
	// Verifies reports whether one of the keys verifies the certificate. It
	// should try a small number of them. It is called in the caller's goroutine,
	// never between [Hooks.Wait] and Waited. Nil means that there is no
	// certificate, or that it is not verified.
	Verifies func(held []keys.PublicKey) bool

	// Fallback is the host that issued the certificate, if that is the
	// verifier's fallback: the keys held of it are tried for the first look-up of
	// an email domain of which nothing is held. It must not be set to a host
	// that the certificate's sender chose. Empty means none.
	Fallback string
}

type checkKey struct{}

// WithSignatureCheck returns a context whose look-ups use c.
func WithSignatureCheck(ctx context.Context, c *SignatureCheck) context.Context {
	return context.WithValue(ctx, checkKey{}, c)
}

func signatureCheckOf(ctx context.Context) *SignatureCheck {
	c, _ := ctx.Value(checkKey{}).(*SignatureCheck)
	return c
}

// verified reports whether the keys of e, which may be nil, verify the certificate.
func (c *SignatureCheck) verified(e *entry) bool {
	return c != nil && e != nil && c.Verifies != nil && c.Verifies(e.document.usable)
}
