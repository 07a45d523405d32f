// Package verifyapi serves the verification of BrowserID assertions over HTTP, and of tokens
// of the Email Verification Protocol. The interface for assertions is the one that Mozilla's
// browserid-verifier defined, and that token servers, PyBrowserID and others call.
// docs/API.md describes it for callers.
//
// # Where to start
//
// [New] returns a [Handler] for a [Config], for any Go server:
//
//	h, err := verifyapi.New(verifyapi.Config{Verifier: verifier})
//	mux.Handle("/verifier/", http.StripPrefix("/verifier", h))
//
// [Handler.Server] returns a server for the handler alone, with the limits that only
// a server can set. [NewMetrics] counts requests for Prometheus. The command
// vepverify serve is this package with flags.
//
// # Requests
//
//	POST /v2                  JSON {"assertion","audience","trustedIssuers":[…]?}
//	POST / and /verify (v1)   the same two as JSON, as a form or in the query;
//	                          experimental_forceIssuer, experimental_allowUnverified
//	POST /evp                 {"token","audience","nonce","email"?} as JSON or as a form
//	GET  /status              OK
//	GET  /__heartbeat__, /__lbheartbeat__, /__version__
//	GET  /healthz             200 while the process serves
//	GET  /readyz              200, or 503 while a required one of Config.Components does not work
//
// POST /evp is for tokens of the Email Verification Protocol, and experimental. It exists if
// Config.Tokens is set. The nonce is the one that the page gave to the browser, and email the
// address that the user submitted, if it is known. The query is ignored. A nonce must be accepted
// once only, which is the task of the caller, or of the one-use guard of Config.Tokens.
//
// JSON is parsed strictly: one object, UTF-8, no duplicate names. Unknown members
// are ignored, and null means absent. In v1 the query takes precedence over the
// body, and a duplicate name in a form or a query is an error. A trusted issuer that is
// not a domain, and an unknown name that is almost that of an absent parameter, are
// errors too, because they would be ignored in silence.
//
// # Responses
//
// An assertion or a token that was verified is answered with status 200, whether it was
// accepted or not ("status":"okay" or "failure"). If it could not be verified now,
// the response has "undecided":true as well, and status 503 if
// Config.UndecidedStatus says so. The audience is the caller's own text. A request
// that is wrong in itself has a 4xx status. Overload and faults of the service have
// status 503. Both have {"status":"failure","reason":…}.
//
// Every response has the security headers and an X-Request-Id. The ID is the one
// that came with the request, if it has at most 64 letters, digits, '-', '_' and
// '.', else a new one.
//
// # Overload
//
// A request is read and parsed first, so a slow client delays no other request. It
// occupies a connection, and at most MaxBody bytes of memory, until ReadTimeout. Then
// the request takes one of InFlight places, or waits in a queue for at most
// QueueTimeout. It is refused with "too busy" after that time, or at once if the queue
// is full.
//
// While a lookup waits for the network, the place is free for others and the
// request counts against Lookups. If all lookups are taken, only requests that need
// one are refused. If one registrable domain has taken its share of them, only
// requests that need a lookup of that domain are refused.
// A fetched document is loaded in one of the InFlight places too. The three queues
// for places (new requests, requests whose lookup has ended, loads) are served in
// turn.
//
// # Logs and metrics
//
// Each verification is logged at level Info with
//
//	request              the request ID
//	api                  the version of the interface: v1, v2 or evp
//	status               the HTTP status
//	result, class        of a fixed set, the same as in metrics
//	took_ms              the duration in milliseconds
//	assertion or token   the first 16 hex digits of its SHA-256
//	reason               that of the answer
//
// Requests refused as "too busy" and clients that disconnected are logged at level Debug.
//
// If the question was not answered, the cause is logged too, with what to do: an
// undecided outcome and overload at level Warn, a fault at level Error, a panic with its
// stack but without the value. Each cause is logged once a minute, with the number of
// those that were skipped. Clients can add 8 lines to that for each class of cause, by
// naming domains.
//
// No assertion, token or nonce is logged, and no address unless Config.LogEmails is set. No
// metric has a label that a client can choose.
//
// # What is not checked
//
// The caller. Every client of the handler can have assertions verified, name
// issuers to trust for its own request, and make the service look up domains.
// Serve it in your own network, or require authentication before it. The audience
// is whatever the caller says. If a caller lets its users choose the audience, the
// verification is useless. CORS and browsers are not supported.
// net/http itself refuses what is not HTTP, without the headers above.
package verifyapi
