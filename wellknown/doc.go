// Package wellknown looks up the authority for a domain in BrowserID, and its keys. It
// parses support documents (/.well-known/browserid, PROTOCOL §3), follows the delegations
// in them, and distinguishes the reasons why there may be no authority (PROTOCOL §4).
//
// # Getting started
//
// A [Resolver] looks up domains over the network; the zero [Config] is the safe one. A
// [Static] answers from documents that are known beforehand; [Resolver.Save] writes them to
// a file. Both have the method
//
//	Authority(ctx, host, emailDomain) (*Authority, error)
//
// The host is the domain that is asked. The emailDomain is the domain of the user's email
// address. It is sent to the hosts, because their documents may depend on it.
// [ParseDocument] parses a single document.
//
// # Outcomes
//
// A lookup returns an [Authority] if host supports BrowserID, by itself or by delegation
// to another host. Otherwise it returns a [*LookupError] that matches exactly one of three
// errors:
//
//   - [ErrUnsupported]: the host does not support BrowserID: its answer says so, it does not exist,
//     or it does not speak TLS. A verifier may ask its fallback.
//   - [ErrUnavailable]: the answer is not known now. A verifier must not ask its fallback, because
//     a party that can stall a host could take over its users.
//   - [ErrRefused]: a failure, such as a delegation that ends nowhere, a body over the limit, or an
//     address, port or host that must not be contacted. A verifier must not ask its fallback.
//
// Every cause that is not known to mean one of the other two is ErrUnavailable: what the
// domain did not say itself, such as a body that cannot be decoded, or an answer of a proxy.
// PROTOCOL §8 has a table of all causes. The error's Reason names the cause, its Advice tells
// what to do, and its Setting is the field of [Config] that may help.
//
// The error of a document that lacks only authentication or provisioning wraps an
// [*IncompleteError], because a fallback's document may lack them.
//
// # Fetching
//
// The sender of an assertion chooses the hosts that are contacted, so they may be hostile:
//
//	scheme and port       HTTPS on port 443
//	addresses             public ones; the address that is dialled is checked
//	names                 without the system's search list
//	TLS                   1.2 or later; at most 10 certificates, with RSA keys of at
//	                      most 4096 bits and exponents up to 65537
//	redirects, cookies    not followed, not kept
//	proxy                 only Config.Proxy; the environment is ignored
//	time                  one deadline (Config.Timeout)
//	header                16 KiB
//	body                  64 KiB, or 2 KiB in gzip, complete by its framing
//	content coding        none is requested; gzip is decoded, others are ErrUnavailable
//	document              1000 members, 16 entries of keys, 4 DSA keys;
//	                      4096 bytes if it delegates
//
// No error contains anything that a host or a proxy sent, except that LookupError.At may be the
// name of a host from a delegation.
//
// Verifying TLS certificates and parsing documents takes CPU time. [Hooks] can limit it;
// without Hooks.Load, a resolver does at most GOMAXPROCS/2 of these at once, at least 1.
//
// # Limits
//
// The host and the email domain come from an assertion that is not verified yet. So every
// resource of lookups is limited by host and by registrable domain (the public suffix and
// one more label): a party uses up its own share only. M is Config.MaxFetches, 128 by
// default.
//
//	fetches in progress                                   M
//	  of one registrable domain                           M/16, at least 1
//	  of hosts that did not answer in the last 10 min     M/4, at least 1
//	  of hosts whose document is cached                   7/8 M, rounded down
//	  of all others, while any document is cached         7/8 M, rounded down
//	queued fetches of hosts without a cached document     8 M
//	  of one registrable domain                           2 M, at least 8
//	queued fetches for certificates that cached keys
//	  verify                                              8 M
//	  of one registrable domain                           4 M
//	renewals of ErrUnsupported, and fetches of hosts
//	that did not answer last time                         queued only behind fewer than 2 M
//	callers that wait for the first fetch of a host       32 M
//	  of one registrable domain                           8 M
//	fetches of one host for other email domains           64 at once, then 1/s
//	  for its own emails, and if cached keys verify
//	  the certificate                                     1024 at once, then 32/s
//	fetches of the fallback for certificates that cached
//	keys of another issuer verify                         1024 at once, then 32/s
//	  of one registrable domain's issuers                 64 at once, then 1/s
//	fetches of hosts without a cached document, below
//	  one registrable domain, except the fallback and
//	  the host to which it delegates                      512 at once, then 4/s
//	cache entries of one host, for different email
//	  domains                                             512
//	cache entries of one registrable domain               1024, and a quarter of
//	                                                      Config.MaxEntries and MaxBytes
//
// A lookup over a limit returns ErrUnavailable at once. That says nothing about the host,
// so it is not cached. The rates use Config.Now.
//
// The fallback is asked about certificates of every issuer, because it may delegate to it. If
// the rate for such lookups is used up and no key of the issuer is cached, the issuer's own
// document is fetched first: forgers cannot use up the rate for certificates that an issuer
// signed.
//
// # Order of fetches
//
// Queued fetches start in this order; each of the three queues is first in, first out:
//
//  1. hosts whose document is cached;
//  2. lookups for a certificate that cached keys of the same host, of the fallback, or of the
//     fallback's delegate for these emails verify (see [Resolver.AuthorityFor]);
//  3. all others.
//
// If no key of a host is cached and several of its email domains are asked for, one fetch
// is made first, and the keys that it brings are tried for the other certificates. Cached
// keys decide only the order: the answer for one email domain is never used for another.
//
// A host's own keys give no priority to lookups for the host's own emails. An attacker
// also has a domain with valid keys, and its certificates could vouch for any name. The
// keys of the fallback do give priority, because it certifies only addresses that it
// checked. If its cached document for an email domain delegates, the delegate's keys give
// priority to lookups for that domain in place of its own.
//
// The time of a fetch starts with its slot, not when it is queued. Hosts of many
// registrable domains that stall for the first time can occupy 7/8 of the slots for one
// Config.Timeout; meanwhile, known hosts are answered from the cache. Afterwards these
// hosts share a quarter of the slots. A service should limit how many lookups wait, and
// how many of them one client may cause; [Hooks] call it before a lookup waits.
//
// # Caching
//
//	documents                   Cache-Control: max-age, from 1 min to 24 h;
//	                            1 min for no-store and no-cache; 1 h without it
//	ErrUnsupported, ErrRefused  the same, from 1 to 5 min; 1 min without it
//	ErrUnavailable              5 s
//
// A document that is used in the last quarter of its life is renewed in the background.
//
// A document that expired less than 24 h ago still counts until its host sends another
// answer over valid TLS: neither an outage nor a lack of time or slots makes a known
// provider unknown. The document is used after 50 ms if the fetch is queued then, or after
// a second if there is no answer; the fetch goes on.
//
// An ErrUnsupported is renewed in the same way, but only by lookups for the host's own emails
// with a certificate of the fallback, or of its delegate for these emails, that cached keys
// verify. It counts until it expires, also if the renewal is ErrUnavailable, and never longer.
//
// Callers with the same question share a fetch. A caller leaves when its own context ends.
// A fetch in progress goes on until it ends or times out.
//
// Documents and outcomes without a document are limited separately. A host or registrable
// domain with too many entries evicts its own. If the cache is full, it evicts an entry of
// the registrable domain that uses most. Sizes are compared by powers of two; one entry of
// up to 8 KiB is the smallest, and of such entries those whose keys verified nothing are
// evicted first. Within a registrable domain, entries whose keys verified a certificate
// ([Authority.MarkVerified]) are evicted last, and a host's entry for its own emails before
// them. A document that was evicted does not count any more.
//
// # What is not checked
//
//   - Certificates, assertions and trust are not examined here, and no answer depends on them. The
//     caller decides whether an authority with weak keys, without usable keys or without paths is
//     good enough.
//   - DNSSEC, revocation of TLS certificates, and certificate transparency are not used.
//   - With Config.Proxy, the proxy resolves names and must itself reject private targets.
//   - The documents of a [Static] are trusted as they are, however old.
package wellknown
