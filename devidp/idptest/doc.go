// Package idptest is to BrowserID what net/http/httptest is to HTTP: identity
// providers that make any assertion, right or wrong, and a server on which their
// domains answer correctly or fail. It is for tests of relying parties and of
// identity providers only: its private keys are public.
//
// # A relying party's test
//
//	idp := idptest.New("idp.example")
//	server := idptest.NewServer(idp)
//	t.Cleanup(server.Close)
//	v, err := assertion.NewVerifier(assertion.Config{Keys: server.Resolver()})
//	…
//	signIn(idp.Backed("alice@idp.example", idptest.Key("DS128"), "https://rp.example"))
//
// No name is looked up and no packet leaves the machine. Only the resolver from
// [Server.Resolver] or [Server.Config] can reach idp.example. It is a real
// resolver with a real TLS connection to the server, and trusts the server's own
// certificate authority.
//
// # Tokens
//
// [IdP.Certificate] and [IdP.Assertion] return a [Token] that is valid. Tests
// change it: [Token.With] and [Token.Without] replace and remove claims, and the
// fields of Token set the header, the key and the signature. [Backed] joins the
// tokens to a backed assertion.
//
//	certificate := idp.Certificate(email, user.Public()).With("exp", 0)
//	text := idptest.Backed(certificate, idp.Assertion(audience, user))
//
// With a fixed clock ([IdP.At]) the text is always the same, to the byte.
//
// # Faults
//
// [Server.Set] sets the behaviour of a host, a [Site]. Each of these sites leads
// to one of the three answers of PROTOCOL §6:
//
//   - [Serve]: the domain supports BrowserID.
//   - [NXDomain], [Disabled], and [Status] with 404: the domain does not support
//     BrowserID. Without a fallback that is a failure.
//   - [StallAfterTLS], [Site.Expired], and [Status] with 503: the answer is
//     undecided.
//   - [PrivateAddress]: failure.
//
// [JSON], [Handler], [Site.Header] and [Site.Status] make others. If a host has
// several sites, each is for one connection: a document, and then one with other
// keys, for instance. [Server.Dials] and [Server.Requests] return what the host
// received.
//
// A stall ends when the client times out, after 8 seconds by default.
// wellknown.Config.Timeout, in the result of [Server.Config], makes that shorter.
//
// # What is simulated
//
// TCP, TLS and HTTP are real, on 127.0.0.1. DNS and connecting are not: a
// function replaces them, and [NXDomain] and [PrivateAddress] return the error
// that Go's resolver or a guarded dialer returns. A resolver made from
// [Server.Config] therefore does not guard against private addresses.
//
// # What is not checked
//
// Everything. A [Token] may have any claims, and an [IdP] certifies addresses of any
// domain. The package panics on mistakes in a test's source, such as the name of a
// test key that does not exist.
package idptest
