// Package vepauth is sign-in for programs: a client proves an email address by a
// BrowserID assertion once, gets short-lived credentials for it, and signs its
// requests with them. It is the protocol of repoze.who.plugins.vepauth, which
// clients such as Firefox Sync spoke. For people in browsers it is of no use.
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
//	  | -----------------------------------------------------------> | verifies it
//	  |                     200  Content-Type: application/json      |
//	  |                     {"oauth_consumer_key": TOKEN,            |
//	  |                      "oauth_consumer_secret": SECRET}        |
//	  | <----------------------------------------------------------- |
//	  |                                                              |
//	  |  GET /data                                                   |
//	  |  Authorization: OAuth oauth_consumer_key="TOKEN",            |
//	  |    oauth_signature_method="HMAC-SHA1", oauth_version="1.0",  |
//	  |    oauth_timestamp="…", oauth_nonce="…", oauth_signature="…" |
//	  | -----------------------------------------------------------> | knows whom
//	  |                                                         200  |
//	  | <----------------------------------------------------------- |
//
// # A server
//
//	auth, err := vepauth.New(vepauth.Config{Audiences: []string{"https://rp.example"}})
//	…
//	server := &http.Server{Handler: auth.Handler(mux), ReadHeaderTimeout: …, ReadTimeout: …, …}
//
// [Authenticator.Handler] serves the token endpoint and tells the handlers inside
// who signed, by [FromContext]; [Authenticator.Require] lets only signers in.
// Requests with bad credentials never get inside. [Config] has the rest; what it
// cannot mean is an error of [New].
//
// Tokens are a [TokenManager]'s. [SignedTokens], the default, keeps nothing: the
// token says whose it is, for which application and origin, until when, and
// bears a MAC; its secret is derived from it. Another one can refuse identities,
// keep tokens in a database, or add members to the answer.
//
// # Several servers
//
// Servers that share a master secret accept each other's tokens. They must share
// a store of nonces as well, else each would accept what was used at another:
//
//	tokens, err := vepauth.NewSignedTokens(vepauth.SignedTokensConfig{Secrets: [][]byte{secret}})
//	…
//	vepauth.Config{Tokens: tokens, Nonces: store, PublicOrigin: "https://rp.example", …}
//
// where store is a *redisstore.Store. Redis needs "appendonly yes" and
// "appendfsync always", else it forgets the nonces of the last second when it
// crashes (docs/REPLAY.md). When a replica takes over it may lack the latest
// ones, and a request could pass twice then. While the store cannot be reached,
// or is full, signed requests are answered by 503; none is let through.
//
// # Applications
//
// One server may have several applications with tokens of their own: with the
// token URL /{application}/{version}/token a token made at /sync/1.5/token is
// good below /sync/1.5/ and nowhere else. See Config.Applications.
//
// # What is signed
//
// With OAuth+VEP, the default: method, scheme, host, port, path, query and form
// body, by HMAC-SHA1 or HMAC-SHA256, exactly as RFC 5849, section 3.4 has it.
// With MAC+BrowserID: method, host, port, path and query, by HMAC-SHA1. The path
// is taken as the client wrote it, so that a proxy in front must not rewrite it;
// that it changes scheme or host is told by Config.PublicOrigin or
// Config.TrustForwarded.
//
// What is verified is what the next handler gets. The request target must be in
// origin form, such as /data?a=b, or in absolute form with http:// or https:// in
// small letters; CONNECT, HTTP/2's :path in absolute form, userinfo and methods
// with small letters are refused. The URL must be the one that net/http parses
// from that target, except for a prefix that [http.StripPrefix] removed. Every
// name of a host must be the same one. A form must be without Content-Encoding,
// and what a handler outside parsed of it must be what was signed. Disagreement
// is answered by 401.
//
// # What a request can cost
//
// The checks go from cheap to expensive: header, timestamp, nonce, token, then
// query and form. A form is read after the token was authenticated; parameters
// are counted while it is read. [MaxParameters], [MaxTarget], [MaxNonce],
// [DefaultMaxForm] and [MaxAssertionBody] are the limits. The server must bound
// the size of headers and the time of connections: see the fields MaxHeaderBytes,
// ReadHeaderTimeout, ReadTimeout, WriteTimeout and IdleTimeout of [http.Server].
//
// # A client
//
// [Transport] is an http.RoundTripper that does all of this by itself; [Sign] signs
// one request, [Credentials] are what the token endpoint answered.
//
// # What is not checked
//
// Bodies other than forms, multipart forms among them, and all bodies with
// MAC+BrowserID, are not signed: TLS must protect them, as it must the answer of
// the token endpoint, in which the secret is sent. Answers are not signed. OAuth
// signs the set of parameters: not whether one was in the query or in the form,
// nor the order of several with one name. Of the headers only Authorization and
// Host are signed. That whoever has a token still has the
// address is not asked again: a token is good until it expires. An
// assertion can be exchanged for tokens as long as it holds, unless the Verifier
// has a one-use guard. Whoever has a token can fill the store of nonces, so
// limit requests elsewhere.
package vepauth
