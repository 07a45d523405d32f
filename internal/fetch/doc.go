// Package fetch gets documents from hosts that may be hostile, and keeps them. The sender of
// an assertion or of a token chooses the hosts before anything is verified, so the package
// limits what one party can make this process and other hosts do. Only this package makes
// the connections that package assertion needs.
//
// # Getting started
//
// A [Client] makes one guarded request, and a [Fetcher] decides when that is necessary:
//
//	client, err := fetch.NewClient(fetch.Config{Rules: rules})
//	fetcher := fetch.NewFetcher(limits, func(ctx context.Context, q fetch.Question) fetch.Result[*Document] {
//		answer, fault := client.Get(ctx, urlOf(q))
//		…
//	})
//	entry := fetcher.Lookup(ctx, fetch.Own("idp.example"), fetch.Options{})
//
// The Fetcher knows nothing of the Client: a fetch is a function of the caller, which may
// make two requests, or look up a name in DNS. It runs in one slot under one deadline. The
// documents are of any type, and are not interpreted here.
//
// # Outcomes
//
// Where there is no document there is a [*Fault], with one of three outcomes. Unavailable
// means that the answer is not known now; every cause that is not known to mean something
// else is Unavailable. What other causes mean depends on the protocol: [Rules]. A fault
// contains nothing that a remote host sent.
//
// # Requests
//
// [Client.CheckHost] rejects hosts by their names, and [Client.Get] makes one request. The
// limits are:
//
//	scheme, port            HTTPS on the allowed ports
//	addresses               public ones; the address that is dialled is checked
//	                        at most 8 of one host are tried
//	DNS answers over TCP    4 KiB
//	TLS                     1.2 or later
//	certificates of a host  10; RSA keys of 4096 bits, with exponents up to 65537
//	redirects, cookies      not followed, not kept
//	time                    one deadline for all, from name resolution to the last byte
//	header                  16 KiB
//	body                    64 KiB; 2 KiB if it is in gzip
//	all bytes read          192 KiB, with TLS and framing
//
// Verifying TLS certificates and parsing documents takes CPU time, which a [Work] limits.
//
// # What senders cannot use up
//
// Each resource of a Fetcher is limited by host, and by registrable domain (the public suffix
// and one more label): a party uses up its own share only. M is Limits.MaxFetches. A host is
// known while a document of it is cached that expired less than 24 h ago.
//
//	fetches in progress                                   M
//	  of one registrable domain                           M/16, at least 1
//	  of hosts that did not answer in the last 10 min     M/4, at least 1
//	  of known hosts                                      7/8 M, rounded down
//	  of all others, while any document is cached         7/8 M, rounded down
//	queued fetches of hosts that are not known            8 M
//	  of one registrable domain                           2 M, at least 8
//	queued fetches for verified senders                   8 M
//	  of one registrable domain                           4 M
//	renewals of Unsupported, and fetches of hosts that
//	did not answer last time                              queued only behind fewer than 2 M
//	callers that wait for the first fetch of a host       32 M
//	  of one registrable domain                           8 M
//	fetches of one host on behalf of other domains        64 at once, then 1/s
//	  about its own, and for verified senders             1024 at once, then 32/s
//	fetches of one host for senders with an issuer        1024 at once, then 32/s
//	  of one registrable domain's issuers                 64 at once, then 1/s
//	fetches of hosts that are not known, below one
//	registrable domain, except configured hosts           512 at once, then 4/s
//	cached entries of one host                            512
//	cached entries of one registrable domain              1024, and a quarter of
//	                                                      Limits.MaxEntries and MaxBytes
//
// A lookup over a limit is Unavailable at once. That says nothing about the host, so it is
// not cached. The rates use Limits.Now. [Sender] describes verified senders, issuers and
// configured hosts.
//
// Queued fetches start in this order; each of the three queues is first in, first out: known
// hosts, verified senders, all others. So a flood of hosts that were not asked for before delays
// neither known hosts nor verified senders. Only a fetch in progress has a goroutine.
//
// Documents and faults are cached separately, so that questions about hosts that do not
// exist never evict a document. A host or registrable domain with too many entries evicts
// its own. If the cache is full, it evicts an entry of the registrable domain that uses most.
//
// # What senders can use up
//
//   - The time of a fetch starts with its slot. Hosts of many registrable domains that stall for
//     the first time can occupy 7/8 of the slots for one Limits.Timeout. Meanwhile other hosts
//     that are not known are Unavailable. Afterwards the stalling hosts share a quarter of the
//     slots.
//   - A third party receives the requests of a fetch function that contacts hosts other than
//     that of its question. The limits count those for the question's host.
//   - A Fetcher does not limit how many callers share a fetch. A service limits its requests;
//     Options.Wait is called before a lookup waits.
//
// # Life of entries
//
// The caller decides how long a result is used. [Lifetime] is the rule for Cache-Control. A
// document that is used in the last quarter of its life is renewed in the background. A
// fault that only this side caused is not cached (Fault.Local).
//
// If Limits.Stale is set, a document that expired less than 24 h ago still counts until the
// host itself answers otherwise (Fault.ByHost): neither an outage nor a lack of time or slots
// makes a known host unknown. The document is used after 50 ms if the fetch is queued then,
// or after a second if there is no answer; the fetch goes on. Without Limits.Stale, an expired
// document only makes its host a known one.
//
// Callers with the same question share a fetch. A caller leaves when its own context ends.
// A fetch in progress goes on until it ends or times out.
//
// # What is not checked
//
//   - With Config.Proxy, the proxy resolves names and must itself reject private targets.
//   - DNSSEC, revocation of TLS certificates, and certificate transparency are not used.
//   - A fetch function that does not return at its deadline keeps its slot. It must not panic.
package fetch
