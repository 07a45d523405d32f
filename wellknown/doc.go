// Package wellknown finds out who speaks for a domain in BrowserID, and by
// which keys: it reads support documents (/.well-known/browserid, PROTOCOL §3), follows
// the delegations in them, and tells apart the ways in which there
// may be no answer (PROTOCOL §4).
//
// # Where to start
//
// [NewResolver] looks up over the network; the zero [Config] is the safe one.
// [LoadStatic], [ParseStatic] and [NewStatic] answer from documents at hand, and
// [Save] writes such a file. Both kinds have the method
//
//	Authority(ctx, host, emailDomain) (*Authority, error)
//
// in which host is the domain asked about and emailDomain the one of the email
// at issue, which hosts are told because their documents may depend on it.
// [ParseDocument] reads a single document.
//
// # Outcomes
//
// An [Authority]: host supports BrowserID, by itself or through another host.
// Otherwise a [*LookupError] that matches exactly one of
//
//   - [ErrUnsupported]: it does not, as its answer, its absence or its refusal
//     to speak TLS says. A verifier may ask its fallback.
//   - [ErrUnavailable]: not knowable now. Never the fallback: else whoever can
//     stall a host takes over its users.
//   - [ErrRefused]: a failure: a delegation that ends nowhere, a body over the
//     limit, an address, port or host that must not be contacted.
//
// What is not known to mean one of the other two is ErrUnavailable. A document
// that lacks only its authentication or provisioning is an error with an
// [*IncompleteError] inside, because a configured fallback may lack them.
//
// # Fetching
//
// Whoever sends an assertion chooses the hosts that are contacted, so fetching
// takes them for hostile: HTTPS (TLS 1.2 or later, at most 10 certificates, RSA
// keys of at most 4096 bits) on port 443, public addresses only, checked on the address that is dialled; names are looked up as they
// are, without the system's search list; no redirects, no cookies, no
// proxy from the environment; one deadline; at most 64 KiB of body, or 2 KiB in
// gzip, complete by its framing, and 16 KiB of header. The request asks for no
// content coding; a coding other than gzip is ErrUnavailable. Nothing that a host wrote
// gets into an error, but for the name of a host it delegates to in
// LookupError.At.
//
// Reading a document is bounded too: it has at most 1000 members, 4096 bytes if
// it delegates, 16 entries of keys and 4 DSA keys. A [Hooks] can count this work;
// without one, a resolver reads half as many documents at once as GOMAXPROCS says.
//
// # Limits
//
// The host that is asked, and the email domain, come out of an assertion that
// is not verified yet. So whatever a look-up can use up is limited by host
// and by registrable domain (the public suffix and one label more): a party
// takes from its own share. M is Config.MaxFetches, 128 by default.
//
//	fetches under way                                     M
//	  of one registrable domain                           M/16, at least 1
//	  of hosts that did not answer in the last 10 min     M/4, at least 1
//	  of hosts whose document is held                     7/8 M, rounded down
//	  of all others, while any document is held           the same
//	fetches that wait for a turn, of unknown hosts        8 M
//	  of one registrable domain                           2 M, at least 8
//	  the same, of certificates verified by held keys     8 M, of one registrable domain 4 M
//	  of these, renewals of ErrUnsupported                while fewer than 2 M wait
//	callers that wait for the first fetch of a host       32 M, of one registrable domain 8 M
//	fetches of one host for other email domains           64 at once, then 1/s
//	  if keys held verify the certificate, and for its
//	  own emails                                          1024 at once, then 32/s
//	fetches of unknown names below a registrable domain   512 at once, then 4/s
//	entries of one host, which differ in the email domain 512
//	  of one registrable domain                           1024
//	  the same, of Config.MaxEntries and MaxBytes         a quarter
//
// A look-up beyond a limit is ErrUnavailable at once. That says nothing about the
// host, so it is not remembered. Rates go by Config.Now.
//
// # Order
//
// Fetches of hosts whose document is held go first. Next are those whose
// certificate is verified by keys that are held of the same host, or of the
// fallback (see [WithSignatureCheck]); then all others. Each of the three is
// first in, first out. If no key of a host is held, one fetch for another email
// domain than its own goes first, and the certificates of all others are tried
// with what it brings. Keys that are held decide only the order: the answer for
// one email domain is never used for another.
//
// Look-ups for a domain's own emails get no priority by its certificates: an
// attacker has a domain with good keys too. Its certificates would vouch for any
// name. Those of the fallback do, because it certifies addresses that it checked.
//
// A host has its whole time from its turn on. Hosts of many registrable domains
// that stall for the first time can take 7/8 of the turns for one Config.Timeout,
// in turn; known hosts are answered from what is held meanwhile. After that they
// share a quarter. A service should bound how many look-ups wait, and how many one
// client may cause; [WithHooks] tells it when one is about to wait.
//
// # What is kept
//
// Documents are kept as long as Cache-Control: max-age says, from 1 min to
// 24 h (no-store and no-cache: 1 min; silent: 1 h); ErrUnsupported and
// ErrRefused from 1 to 5 min (silent: 1 min); ErrUnavailable for 5 s.
//
// A document that is used in the last quarter of its life is renewed in the
// background. A document that expired less than 24 h ago goes on counting until
// its host sends another answer over valid TLS: neither an outage nor a lack of time
// or turns unseats a known provider. Its host is asked first; if there is no turn within
// 50 ms, or no answer within a second, the document answers. The fetch stays
// queued, or goes on.
//
// ErrUnsupported that is used in the last quarter of its life is renewed too, but
// only by look-ups for the host's own emails whose certificate is verified by
// keys that are held of the fallback. A renewal that is ErrUnavailable leaves it
// until it expires. It never counts longer.
//
// Callers share one fetch and leave it when their own context ends; once begun, it
// goes on to its end or to Config.Timeout.
//
// What is kept is bounded, documents and outcomes without one apart. A host and a
// registrable domain that have too many entries evict their own. If the cache is
// full, an entry of the registrable domain that holds most is evicted (sizes are
// compared by powers of two; one entry of up to 8 KiB is the least, and of those the
// ones whose keys verified nothing go first). Within a domain, entries whose keys verified a certificate ([Authority.MarkVerified]) are
// evicted last, and a host's entry for its own emails before them. A document that
// is evicted is lost for the rule above too.
//
// # What is not checked
//
// No certificate, assertion or trust decision is looked at here, and no answer
// depends on one. Whether an authority without usable keys, with weak
// ones or without paths will do is the caller's decision. DNSSEC, certificate
// revocation and transparency logs are not asked. With Config.Proxy, the proxy
// resolves the names and must itself refuse private targets. Documents of a [Static] are
// trusted as they are, however old.
package wellknown
