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
// takes them for hostile: HTTPS (TLS 1.2 or later) on port 443, public
// addresses only, checked on the address that is dialled; names are looked up as they
// are, without the system's search list; no redirects, no cookies, no proxy
// from the environment; one deadline; at most 64 KiB of body, packed and
// unpacked, complete by its framing, and 16 KiB of header. Nothing that a host wrote
// gets into an error, but for the name of a host it delegates to in
// LookupError.At.
//
// # Many at once
//
// At most 128 hosts are fetched from at once (Config.MaxFetches); eight times as
// many wait for their turn. Who gets none before its time is over is
// ErrUnavailable; so is, at once, who finds too many waiting. That says nothing about
// the host, so it is not remembered, and a host has its whole time from its turn
// on. Hosts whose document is held go first and are never turned away, so that a
// flood of names takes turns from other names nobody knows, and not from known
// providers.
//
// Hosts that are slow on purpose can still take all turns from those. A service
// should bound how many look-ups wait, and how many one client may cause;
// [WithTrace] tells it when one is about to wait.
//
// # What is kept
//
// Documents are kept as long as Cache-Control: max-age says, from 1 min to
// 24 h (no-store and no-cache: 1 min; silent: 1 h); ErrUnsupported and
// ErrRefused from 1 to 5 min (silent: 1 min); ErrUnavailable for 5 s. A
// document that expired less than 24 h ago goes on counting until its host gives another
// answer over valid TLS: neither an outage nor a lack of time or turns unseats a
// known provider. Callers share one fetch and leave it when their own context
// ends; once begun, it goes on to its end or to Config.Timeout. What is kept is
// bounded, and a document that is dropped for lack of room is lost for that rule
// too.
//
// # What is not checked
//
// No certificate, assertion or trust decision is looked at here, and nothing
// kept depends on one. Whether an authority without usable keys, with weak
// ones or without paths will do is the caller's decision. DNSSEC, certificate
// revocation and transparency logs are not asked. With Config.Proxy, the proxy
// resolves the names and must itself refuse private targets. Documents of a [Static] are
// trusted as they are, however old.
package wellknown
