// Package issuer issues email verification tokens (the Email Verification Protocol,
// draft-hardt-email-verification-02) for a domain of email addresses. An [Issuer] is an
// http.Handler. The application signs people in, and says which addresses a session
// controls.
//
// The package is experimental. The draft may change, and this package with it.
//
//	keys, err := issuer.LoadKeys("/etc/issuer/keys.json")
//	…
//	i, err := issuer.New(issuer.Config{
//		Issuer:   "https://accounts.issuer.example",
//		Keys:     keys,
//		LoginURL: "/login",
//		Accounts: func(r *http.Request) ([]issuer.Account, error) {
//			user := sessions.User(r) // by a cookie
//			if user == nil {
//				return nil, nil
//			}
//			return []issuer.Account{{ID: user.ID, Name: user.Name, Email: user.Email}}, nil
//		},
//	})
//	…
//	for _, path := range i.Paths() {
//		mux.Handle(path, i)
//	}
//
// # Set up a domain
//
//  1. DNS. Each domain of addresses has exactly one TXT record, see [Issuer.Record]:
//
//     _email-verification.mail.example.  TXT  "iss=accounts.issuer.example"
//
//  2. Hosts. The host of the issuer serves [Issuer.Paths] over HTTPS on port 443. Browsers
//     fetch one file, /.well-known/web-identity, from the registrable domain of that host
//     (issuer.example): see [Issuer.WebIdentityURL]. Mount the Issuer there too, or copy
//     the file. It may have members for FedCM besides.
//
//  3. Cookies. Browsers send the requests from the pages of other sites. So the cookie of the
//     session must be SameSite=None; Secure. HttpOnly and a name that begins with __Host-
//     are good practice.
//
//  4. Sign-in. The page that signs people in calls [LoggedIn], the one that signs them out
//     [LoggedOut]. A browser that was told "logged-out" requests no token until it is told
//     "logged-in". A browser that was told neither requests tokens.
//
//  5. Keys. [GenerateKeys] makes them and [Keys.PrivateJWKS] stores them.
//     [Keys.Rotate] replaces the signing key, weeks apart.
//
// The served paths are:
//
//	/.well-known/email-verification   metadata, for browsers and relying parties
//	Config.JWKSPath                   the public keys, for the same
//	/.well-known/web-identity         where the accounts are, for browsers
//	Config.AccountsPath               the accounts of the session, for browsers
//	Config.IssuancePath               POST: the tokens, for browsers
//
// Metadata, keys and web-identity may be cached for Config.MaxAge; the others are
// no-store. No path has CORS headers.
//
// Browsers read metadata and keys for each token. Relying parties cache them. Both fail if
// the host redirects, or answers with another type than JSON.
//
// # Checks of an issuance request
//
// The checks are made in this order; the first that fails determines the answer:
//
//	POST                                              405 invalid_request
//	one Content-Type, application/json                415 invalid_request
//	one Sec-Fetch-Dest, email-verification            400 invalid_request
//	body up to Config.MaxBody                         413 invalid_request
//	body a JSON object with a valid email             400 invalid_request
//	Host is the issuer's (but see Config.AnyHost)     400 invalid_signature
//	Content-Digest matches the body                   400 invalid_signature
//	Signature-Input, Signature, Signature-Key         400 invalid_signature
//	private address wanted, Config.PrivateEmail nil   400 private_email_not_supported
//	Config.Accounts returns no error                  500 server_error
//	an account has the address                        401 authentication_required
//	Config.PrivateEmail accepts directed_email        400 invalid_directed_email
//	Config.PrivateEmail returns no other error        500 server_error
//
// Bodies of errors are {"error","error_description"}, and Signature-Error has the class of
// a bad signature. The answer 401 is the same whether no user is signed in or the address is
// another's, so that no page can find out addresses. The log tells the causes apart, at
// level debug. Up to the session, a request costs the hash of its body and one verification
// of a signature.
//
// The body is strict JSON without duplicate names. Its members are email, private_email
// (a boolean) and directed_email (a string), the last two not together. Others are ignored.
// The email has the form that HTML accepts and at most 254 bytes. Its domain is in lower
// case, has two labels or more, and is not an IP address.
//
// No page can send such a request with a script: browsers do not let scripts set
// Sec-Fetch-Dest. This protects issuance and accounts against forgery from other sites.
//
// # The signature
//
// It is one signature of RFC 9421 with the label sig. Each of the four fields is one line of
// at most 2048 bytes in canonical form (RFC 9651), apart from white space. So nothing can
// be repeated, and no two parsers can disagree.
//
//   - Content-Digest (RFC 9530) has sha-256, sha-512 or both. All that it has of them must
//     match. Other algorithms are ignored.
//   - Signature-Key is hwk with a key of Ed25519, P-256, or RSA of 2048 to 4096 bits with the
//     exponent 65537. Its parameters are alg, kty, and those of the key; all are required, and
//     no others may be there. The alg is Ed25519, EdDSA, ES256 or RS256 and fits the key.
//   - Signature-Input covers @method, @authority, @path, content-digest and signature-key,
//     in any order. It may cover @query and fields of the request too. Components
//     have no parameters.
//   - created is required and at most 300 s from Config.Now. expires must not have passed.
//     alg, if present, is the name in RFC 9421. keyid, nonce and tag are ignored; other
//     parameters are refused.
//
// The @authority that must be signed is the host of Config.Issuer. X-Forwarded-Host and
// Forwarded are never read. The @path is that of the request; a proxy must not change it.
//
// # Tokens
//
// The header has the alg and kid of the signing key and typ evt+jwt. The claims are iss,
// iat, cnf with the key of the request, email, email_verified and, for a private address,
// is_private_email. The email is the address of the request byte for byte: browsers discard
// a token with any other. It is compared with the addresses of the accounts without regard
// to the case of ASCII letters, unless Config.ExactAddresses is set.
//
// A token has no expiry. Browsers and relying parties accept it for 300 s after iat.
//
// Ed25519 tokens name their alg "Ed25519", as draft-02 wants. A key whose JWK has the alg
// "EdDSA" makes tokens with that name, for older browsers and libraries.
//
// The metadata lists the alg of each key, the current one first, and Ed25519. Chromium 156
// makes its own key for the first in the list. Keys of browsers are accepted whatever is
// listed.
//
// # What is not checked
//
//   - How many tokens a session gets. Config.Accounts and the server should limit it.
//   - That a request was not sent before. A copy of one, with its cookies, is answered again
//     for 300 s. The token is of use only to the browser that has the key.
//   - Which site asks. The protocol hides it from the issuer.
//   - That the person is present, or has agreed. The browser asks.
//   - That the account can read mail for the address now. The application decides that.
//   - DNS: that the records of the domains name this issuer. Without them, browsers and
//     relying parties refuse its tokens.
package issuer
