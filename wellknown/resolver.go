package wellknown

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/vepverify/vepverify/internal/domain"
	"github.com/vepverify/vepverify/internal/fetch"
	"github.com/vepverify/vepverify/keys"
)

// Resolver looks up authorities over the network and caches what it learns. NewResolver returns
// one. It is safe for concurrent use. The methods of a nil or zero Resolver, and those that get
// a nil context, return errors that match ErrUnavailable.
type Resolver struct {
	client  *fetch.Client
	work    semaphore
	fetcher *fetch.Fetcher[answer]
	now     func() time.Time
}

// NewResolver returns a resolver. It returns an error if a field of c is out of bounds or
// contradicts another, or if the CA file cannot be read.
func NewResolver(c Config) (*Resolver, error) {
	return newResolver(c, 443)
}

// newResolver is NewResolver for hosts on these ports.
func newResolver(c Config, ports ...uint16) (*Resolver, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	work := semaphore{fetch.NewWork()}
	client, err := fetch.NewClient(c.client(work, ports))
	if err != nil {
		return nil, fmt.Errorf("wellknown: %w", err)
	}
	r := &Resolver{client: client, work: work, now: c.Now}
	r.fetcher = fetch.NewFetcher(c.limits(), r.fetch)
	return r, nil
}

// question is what is asked: Host for its support document, for emails of the domain For.
// Both names are valid and in lower case.
type question = fetch.Question

// parseQuestion returns the question to host for emails of emailDomain. It returns false if
// one of the names is not a domain.
func parseQuestion(host, emailDomain string) (question, bool) {
	host, hostOK := domain.Parse(host)
	if emailDomain, emailOK := domain.Parse(emailDomain); hostOK && emailOK {
		return question{Host: host, For: emailDomain}, true
	}
	return question{}, false
}

// entry is the answer to a question: a document, or the fault in place of one. Entries of a
// [Resolver] are cached and expire; those of a [Static] do not expire.
type entry = fetch.Entry[answer]

// answer is a document, and the answer to a lookup if the document alone determines it, else
// nil.
type answer struct {
	*Document
	authority *Authority
}

// Authority returns the authority for host and for emails of emailDomain. If there is no
// email, emailDomain is the host.
//
// The error is a [*LookupError]. If ctx ended before there was an answer, it matches
// ErrUnavailable and the context's error. If an older document still counts, Authority
// waits for a newer one for at most a second, and for at most 50 ms while its fetch is
// queued.
func (r *Resolver) Authority(ctx context.Context, host, emailDomain string) (*Authority, error) {
	return r.lookUp(ctx, host, emailDomain, nil, false)
}

// SignatureCheck verifies a certificate with cached keys, for [Resolver.AuthorityFor]. If
// they verify it, the lookup has a higher priority and a larger allowance of fetches.
// Nothing else depends on the check: the answer for one email domain is never used for
// another.
type SignatureCheck struct {
	// Verifies reports whether one of the keys verifies the certificate. It should try only
	// a few of them. It is called before the lookup waits for a fetch, and before a cached
	// ErrUnsupported is renewed in the background; always in the caller's goroutine, and
	// never between [Hooks.Wait] and Waited. Nil means that no key verifies it.
	Verifies func(cached []keys.PublicKey) bool

	// Fallback is the verifier's fallback, in lower case. If nothing is cached about the email
	// domain, the cached keys of the certificate's issuer are tried for its first lookup. The
	// issuer must be the fallback, or the host to which the fallback's cached document for the
	// email domain delegates. Fallback must not be a host that the sender of the certificate
	// chose. Empty means none.
	Fallback string

	// Issuer is the host that issued the certificate, in lower case. Empty means Fallback. If
	// Fallback is asked, the cached keys of another issuer give no priority, but an allowance of
	// their own. Its document may be fetched for that.
	Issuer string
}

// verified reports whether the keys of e verify the certificate. Both c and e may be nil.
// The fallback's keys are not tried for a certificate of another issuer: they cannot verify
// it, and Verifies tries only a few keys.
func (c *SignatureCheck) verified(e *entry) bool {
	switch {
	case c == nil || e == nil || c.Verifies == nil:
		return false
	case e.Host == c.Fallback && c.issuer() != c.Fallback:
		return false
	}
	return c.Verifies(e.Document.usable)
}

// issuer returns the host that issued the certificate.
func (c *SignatureCheck) issuer() string {
	if c.Issuer == "" {
		return c.Fallback
	}
	return c.Issuer
}

// asksForDelegate reports whether q asks the fallback about a certificate of another
// issuer. The receiver may be nil.
func (c *SignatureCheck) asksForDelegate(q question) bool {
	return c != nil && q.Host == c.Fallback && c.issuer() != c.Fallback
}

// AuthorityFor is Authority for the certificate of check. If cached keys verify the
// certificate, the lookup has a higher priority. A nil check means that there is no
// certificate. AuthorityFor does not use the check after it has returned.
func (r *Resolver) AuthorityFor(ctx context.Context, host, emailDomain string, check *SignatureCheck) (*Authority, error) {
	return r.lookUp(ctx, host, emailDomain, check, false)
}

// Refresh is Authority with cache entries that are at most a minute old. It is for a
// certificate that no key of the authority verifies: the domain may have new keys. If a fetch
// fails, Refresh returns what Authority would. If there was no time for a fetch or it could
// not start, Refresh returns ErrUnavailable, because it is not known whether there are
// newer keys.
func (r *Resolver) Refresh(ctx context.Context, host, emailDomain string) (*Authority, error) {
	return r.lookUp(ctx, host, emailDomain, nil, true)
}

// lookUp makes a lookup. The first return is for most of them: the cached document of the
// host alone determines the answer.
func (r *Resolver) lookUp(ctx context.Context, host, emailDomain string, check *SignatureCheck, refresh bool) (*Authority, error) {
	hooks := hooksOf(ctx)
	q, ok := parseQuestion(host, emailDomain)
	if !ok {
		err := notDomain()
		hooks.done(true, err)
		return nil, err
	}
	if err := r.checkCall(ctx, q.Host); err != nil {
		hooks.done(true, err)
		return nil, err
	}
	now := r.now()
	e := r.fetcher.Cached(q, now, refresh)
	if e != nil && e.Document.authority != nil {
		r.renewIfDue(ctx, e, check, now)
		hooks.done(true, nil)
		return e.Document.authority.clone(), nil
	}
	ctx, cancel := r.fetcher.WithTimeout(ctx)
	defer cancel()
	l := &lookup{Resolver: r, now: now, check: check, refresh: refresh, hooks: hooks}
	a, err := follow(ctx, l, q, l.use(ctx, q, e), now)
	hooks.done(!l.waited, err)
	return a, err
}

// checkCall returns an error of a lookup of host if NewResolver has not made r, or if there is
// no context.
func (r *Resolver) checkCall(ctx context.Context, host string) error {
	switch {
	case r == nil || r.fetcher == nil:
		return notMade("Resolver", "NewResolver", host)
	case ctx == nil:
		return nilContext(host)
	}
	return nil
}

// lookup is one lookup of a Resolver. It is a [source].
type lookup struct {
	*Resolver
	now     time.Time // when the lookup began
	check   *SignatureCheck
	refresh bool
	hooks   *Hooks
	waited  bool // for the network
}

// entry implements source.
func (l *lookup) entry(ctx context.Context, q question) *entry {
	return l.use(ctx, q, l.fetcher.Cached(q, l.now, l.refresh))
}

// use returns the cache entry e, or the result of a fetch if e is nil.
func (l *lookup) use(ctx context.Context, q question, e *entry) *entry {
	if e != nil {
		l.renewIfDue(ctx, e, l.check, l.now)
		return e
	}
	if f := l.client.CheckHost(q.Host); f != nil {
		return &entry{Question: q, Fault: f}
	}
	e = l.fetcher.Fetch(ctx, q, l.now, l.options(q))
	if e.OverRate() && l.fetchIssuer(ctx, q) {
		e = l.fetcher.Fetch(ctx, q, l.now, l.options(q))
	}
	return e
}

// options returns the options of a fetch for the answer to q.
func (l *lookup) options(q question) fetch.Options {
	return fetch.Options{
		Refresh: l.refresh, Wait: l.wait, Waited: l.hooks.waited,
		Sender: func() fetch.Sender { return l.sender(q, l.check, l.now) },
	}
}

// wait is called before the lookup waits for the network.
func (l *lookup) wait(ctx context.Context) error {
	l.waited = true
	return l.hooks.wait(ctx)
}

// fetchIssuer fetches the keys of the certificate's issuer, if q asks the fallback and none
// of them is cached. It reports whether they verify the certificate, so that another rate
// limits the fetch.
func (l *lookup) fetchIssuer(ctx context.Context, q question) bool {
	if !l.check.asksForDelegate(q) || l.fetcher.KeysOf(l.check.Issuer) != nil {
		return false
	}
	issuer, ok := parseQuestion(l.check.Issuer, l.check.Issuer)
	return ok && l.entry(ctx, issuer).HasKeys() && l.check.verified(l.fetcher.KeysOf(issuer.Host))
}

// sender returns what cached keys tell about the certificate's sender, who asks q.
func (r *Resolver) sender(q question, check *SignatureCheck, now time.Time) fetch.Sender {
	switch {
	case check == nil:
		return fetch.Sender{}
	case check.verified(r.fetcher.KeysOf(q.Host)), r.verifiedByFallback(check, q, now):
		return fetch.Sender{Verified: true}
	case check.asksForDelegate(q) && check.verified(r.fetcher.KeysOf(check.Issuer)):
		return fetch.Sender{Issuer: check.Issuer}
	}
	return fetch.Sender{Configured: r.authorityHost(q.To(check.Fallback), now) == q.Host}
}

// authorityHost returns the host to which the cached documents for q delegate, in the end.
// It is q's own host if none is cached.
func (r *Resolver) authorityHost(q question, now time.Time) string {
	for range maxDelegations {
		e := r.fetcher.Document(q, now)
		if e == nil || e.Document.Authority == "" {
			break
		}
		q = q.To(e.Document.Authority)
	}
	return q.Host
}

// verifiedByFallback reports whether a question is about the host's own emails, no key of
// the host is cached, and the certificate is verified by cached keys of the fallback or, if
// its cached document for these emails delegates, of its delegate.
//
// A delegate vouches only for email domains that the fallback is known to delegate to it.
func (r *Resolver) verifiedByFallback(check *SignatureCheck, q question, now time.Time) bool {
	if !q.Own() || check == nil || check.Fallback == "" || r.fetcher.KeysOf(q.Host) != nil {
		return false
	}
	host := r.authorityHost(q.To(check.Fallback), now)
	return host == check.issuer() && check.verified(r.fetcher.KeysOf(host))
}

// renewIfDue starts a fetch in the background if e is in the last quarter of its life. An
// ErrUnsupported is renewed only if the fallback's keys verify the certificate.
func (r *Resolver) renewIfDue(ctx context.Context, e *entry, check *SignatureCheck, now time.Time) {
	if !e.Renewable(now) || e.Fault != nil && !r.verifiedByFallback(check, e.Question, now) {
		return
	}
	r.fetcher.Renew(ctx, e, now, fetch.Options{
		Sender: func() fetch.Sender { return r.sender(e.Question, check, now) },
	})
}

// fetch fetches the document that q asks for.
func (r *Resolver) fetch(ctx context.Context, q question) fetch.Result[answer] {
	got, f := r.client.Get(ctx, &url.URL{
		Scheme: "https", Host: q.Host, Path: "/.well-known/browserid",
		RawQuery: url.Values{"domain": {q.For}}.Encode(),
	})
	result := fetch.Result[answer]{Fault: f}
	if f == nil {
		result = r.read(ctx, got)
	}
	result.Life = fetch.Lifetime(result.Fault, got.CacheControl)
	return result
}

// read parses an answer.
func (r *Resolver) read(ctx context.Context, got fetch.Answer) fetch.Result[answer] {
	release, err := r.work.acquire(ctx)
	if err != nil {
		return fetch.Result[answer]{Fault: fetch.LocalFault("no room to read the document", err).Advise("try again later", "")}
	}
	defer release()
	text, f := got.Text()
	if f != nil {
		return fetch.Result[answer]{Fault: f}
	}
	d, err := ParseDocument(text)
	if f := documentFault(d, err, got); f != nil {
		return fetch.Result[answer]{Fault: f, Size: len(text)}
	}
	return fetch.Result[answer]{
		Document: answer{Document: d}, Size: len(text), HasKeys: len(d.usable) > 0, Complete: complete,
	}
}

// complete completes the answer of an entry: it replaces keys by equal ones of an earlier
// document of the host, which may be nil.
func complete(e, known *entry) {
	d := e.Document.Document
	if known != nil {
		d.reuseKeys(known.Document.Document)
	}
	if a := d.soleAuthority(e.Host, e.Fetched, e.Expires); a != nil {
		a.sources = &sources{[]*entry{e}}
		e.Document.authority = a
	}
}

const adviceDocument = "the host should correct its support document"

// documentFault returns the fault of a body that was parsed as d, or with an error. It
// returns nil if d is a document that can be used.
func documentFault(d *Document, err error, got fetch.Answer) *fetch.Fault {
	switch {
	case err == nil && d.Authority != "" && got.Gzip:
		// Otherwise one lookup could decompress six bodies.
		return fetch.Refused.FaultByHost("a delegation in gzip").Advise("the host should send it without a content coding", "")
	case errors.Is(err, errLimit):
		return fetch.Refused.FaultByHost(err.Error()).Advise("the host should serve a smaller document", "")
	case err != nil && got.EndUnknown:
		return fetch.Unavailable.Fault("answer cut off, or malformed", nil).Advise(adviceDocument, "")
	case err != nil:
		return fetch.Unsupported.FaultByHost(err.Error()).Advise(adviceDocument, "")
	case d.Disabled:
		return fetch.Unsupported.FaultByHost("disabled")
	}
	return nil
}
