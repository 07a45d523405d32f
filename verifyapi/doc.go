// Package verifyapi serves the verification of BrowserID assertions over HTTP: the
// interface that Mozilla's browserid-verifier defined and that token servers,
// PyBrowserID and others call. docs/API.md describes it for those who call it.
//
// # Where to start
//
// [New] makes a [Handler] from a [Config], for any Go server:
//
//	h, err := verifyapi.New(verifyapi.Config{Verifier: verifier})
//	mux.Handle("/verifier/", http.StripPrefix("/verifier", h))
//
// [Handler.Server] gives a server for the handler alone, with the limits that only
// a server can set. [NewMetrics] counts for Prometheus. The command
// vepverify serve is this package with flags.
//
// # Requests
//
//	POST /v2                  JSON {"assertion","audience","trustedIssuers":[…]?}
//	POST / and /verify (v1)   the same two as JSON, as a form or in the query;
//	                          experimental_forceIssuer, experimental_allowUnverified
//	GET  /status              OK
//	GET  /__heartbeat__, /__lbheartbeat__, /__version__
//
// JSON is read strictly: one object, UTF-8, no name twice. Members that mean
// nothing here are ignored, and null is as good as absent. In v1 the query wins
// over the body, and a name that stands twice in a form or a query is refused.
//
// # Answers
//
// An assertion that was judged is answered with status 200, whether it holds or not
// ("status":"okay" or "failure"); one that could not be judged for now has
// "undecided":true as well, and status 503 if Config.UndecidedStatus says so. The
// audience is the caller's own text. A request that is wrong in itself has a 4xx
// status, and too much to do or a fault of the service 503, all of them with
// {"status":"failure","reason":…}. Every answer has the security headers and an
// X-Request-Id: the one that came with the request, when it is at most 64 letters,
// digits, '-', '_' and '.', else a new one.
//
// # Overload
//
// A request is read and parsed first. A slow client delays no other request, and
// costs a connection and at most MaxBody until ReadTimeout. Then the request takes
// one of InFlight places, or waits in a queue for at most QueueTimeout. It is
// refused with "too busy" after that time, or at once if the queue is full.
//
// While a look-up waits for the network, the place is free for others and the
// request counts among Lookups. If those are all taken, or a fixed share of them
// by one registrable domain, only requests that need such a look-up are refused.
// A document that was fetched is loaded in one of the InFlight places too. The
// three queues for places (new requests, requests whose look-up has ended, loads)
// are served in turn.
//
// # Logs and metrics
//
// A line for each verification: request id, version of the interface, status,
// result and class (of a fixed few), duration, the first 16 hex digits of
// the assertion's SHA-256, and the reason that was answered. Requests that were
// sent away and clients that left are logged at level Debug. No line holds an
// assertion, nor an address unless Config.LogEmails is set. Panics are answered
// and logged with the stack, but without the value that was thrown. No
// metric has a label that a client can choose.
//
// # What is not checked
//
// Who calls: anybody who reaches the handler can have assertions verified, name
// issuers to trust for their own request, and make the service look up domains.
// Keep it among your own machines, or put authentication in front. The audience
// is whatever the caller says; a caller that lets its users choose it gains nothing
// by asking. Neither CORS nor browsers are served. net/http itself refuses what is no
// HTTP, without the headers above.
package verifyapi
