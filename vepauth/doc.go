// Package vepauth signs programs in to web services. A client proves an email address once,
// with a BrowserID assertion, gets short-lived credentials in exchange, and signs its
// requests with them. The protocol is that of repoze.who.plugins.vepauth, which clients such as
// Firefox Sync used. For people in browsers see package login.
//
//	client                                                        server
//	  |  GET /data                                                   |
//	  | -----------------------------------------------------------> |
//	  |         401  WWW-Authenticate: OAuth+VEP url="/request_token"|
//	  | <----------------------------------------------------------- |
//	  |                                                              |
//	  |  POST /request_token                                         |
//	  |  Content-Type: application/x-www-form-urlencoded             |
//	  |  assertion=<backed assertion>                                |
//	  | -----------------------------------------------------------> | verifies the
//	  |                     200  Content-Type: application/json      | assertion
//	  |                     {"oauth_consumer_key": TOKEN,            |
//	  |                      "oauth_consumer_secret": SECRET}        |
//	  | <----------------------------------------------------------- |
//	  |                                                              |
//	  |  GET /data                                                   |
//	  |  Authorization: OAuth oauth_consumer_key="TOKEN",            |
//	  |    oauth_signature_method="HMAC-SHA1", oauth_version="1.0",  |
//	  |    oauth_timestamp="…", oauth_nonce="…", oauth_signature="…" |
//	  | -----------------------------------------------------------> | verifies the
//	  |                                                         200  | signature
//	  | <----------------------------------------------------------- |
//
// # A server
//
//	auth, err := vepauth.New(vepauth.Config{Audiences: []string{"https://rp.example"}})
//	…
//	server := &http.Server{Handler: auth.Handler(mux), ReadHeaderTimeout: …, ReadTimeout: …, …}
//
// [Authenticator.Handler] serves the token endpoint and verifies signed requests; the
// handlers inside get the signer from [FromContext]. [Authenticator.Require] also refuses
// unsigned requests. A request with bad credentials never reaches a handler inside.
//
// A [TokenManager] issues the tokens. [SignedTokens], the default, stores nothing: a token
// contains its identity, application, origin and expiry, and a MAC; its secret is derived
// from it. Another TokenManager can refuse identities, store tokens in a database, or add
// members to the answer.
//
// # Several servers
//
// Servers that share a master secret accept each other's tokens. They must also share a
// store of nonces. Otherwise each accepts a request that was used at another:
//
//	tokens, err := vepauth.NewSignedTokens(vepauth.SignedTokensConfig{Secrets: [][]byte{secret}})
//	…
//	vepauth.Config{Tokens: tokens, Nonces: store, PublicOrigin: "https://rp.example", …}
//
// Here store is a *redisstore.Store. Redis needs "appendonly yes" and "appendfsync always",
// or a crash loses the nonces of up to two seconds (docs/REPLAY.md). A replica that takes over
// may lack the latest nonces; a request could then be accepted twice. While the store is
// full or cannot be reached, signed requests are answered with 503.
//
// # Applications
//
// One server can have several applications with tokens of their own. With the token URL
// /{application}/{version}/token, a token from /sync/1.5/token is valid below /sync/1.5/
// and nowhere else. See [Config.Applications].
//
// # What is signed
//
// With OAuth+VEP, the default: the method, scheme, host, port, path, query and form body,
// with HMAC-SHA1 or HMAC-SHA256, exactly as in RFC 5849, section 3.4. With MAC+BrowserID:
// the method, host, port, path and query, with HMAC-SHA1. The path is signed as the client
// wrote it, so a proxy must not rewrite it. If a proxy changes the scheme or the host, set
// [Config.PublicOrigin] or [Config.TrustForwarded]. Without them, the token endpoint refuses
// an assertion for the origin that clients see, and the log has the cause.
//
// [Config.Logger] gets the cause of every refused request. docs/VEPAUTH.md lists the reasons
// and their usual causes.
//
// The next handler gets exactly what was verified. Requests for which that cannot be
// guaranteed are answered with 401:
//
//   - The request target must be in origin form, such as /data?a=b, or in absolute form with
//     http:// or https:// in lower case, without userinfo. In HTTP/2 it must be in origin form.
//   - CONNECT and methods with lower-case letters are refused.
//   - The URL must be the one that net/http parses from the target, except for a prefix that
//     [http.StripPrefix] removed.
//   - All names of a host in the request must be the same.
//   - A form must not have a Content-Encoding. If an outer handler has parsed it, the values
//     must be those that were signed.
//
// # What a request can cost
//
// The checks go from cheap to expensive: header, timestamp, syntax of the nonce, token, then
// query and form. The form is read after the token was authenticated. These are the limits:
//
//	request target (path and query)                            64 KiB    414
//	Authorization header                                       16 KiB    401
//	parameters of the Authorization header                     32        401
//	nonce, in printable ASCII                                  256 bytes 401
//	parameters of query and form together, with OAuth+VEP      256       400
//	form body of a signed request (Config.MaxForm)             1 MiB     413
//	body of a token request                                    64 KiB    413
//	parameters of a token request                              256       400
//	nonces in memory (Config.Nonces)                           100 000   503
//
// Parameters are counted before they are parsed. The server must bound the size of headers
// and the duration of connections: see MaxHeaderBytes, ReadHeaderTimeout, ReadTimeout,
// WriteTimeout and IdleTimeout of [http.Server].
//
// # A client
//
// [Transport] is an [http.RoundTripper] that answers challenges and signs requests. [Sign]
// signs one request.
//
// # What is not checked
//
//   - Bodies other than forms, multipart forms among them, and all bodies with MAC+BrowserID
//     are not signed. TLS must protect them.
//   - The secret is sent in the answer of the token endpoint. TLS must protect it.
//   - Answers are not signed.
//   - OAuth signs the set of parameters. It does not sign whether a parameter was in the query
//     or in the form, nor the order of several parameters with one name.
//   - Of the headers only Authorization and Host are signed.
//   - A token is valid until it expires, even if its owner loses the email address before.
//   - An assertion can be exchanged for tokens until it expires, unless the Verifier has a
//     one-use guard.
//   - A client with a token can fill the store of nonces. The rate of requests is not limited
//     here.
package vepauth
