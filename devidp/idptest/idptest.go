// Package idptest is httptest for BrowserID: identity providers that make any
// assertion, right or wrong, and a server on which their domains answer as they
// should or fail in every way that a verifier must get right. It is for tests,
// of this project and of its users, and for nothing else: its private keys are
// public.
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
// No name is ever looked up and no packet leaves the machine: idp.example is a
// name that only the resolver from [Server.Resolver] or [Server.Config] can reach.
// That resolver is a real one, with a real TLS connection to the server, whose
// own certificate authority it trusts.
//
// # Tokens
//
// [IdP.Certificate] and [IdP.Assertion] give a [Token] that is right, to be
// spoiled: [Token.With] and [Token.Without] replace and remove claims, the
// fields of Token have to do with the header, the signature and the encoding.
// [Backed] puts the result together.
//
//	certificate := idp.Certificate(email, user.Public()).With("exp", 0)
//	assertion := idp.Assertion(audience, user)
//	assertion.Alter = idptest.FlipBit(7)
//	text := idptest.Backed(certificate, assertion)
//
// With a fixed clock ([IdP.At]) the text is always the same, to the byte. A
// change that would leave everything as it was is an error, so that no test
// passes for the wrong reason.
//
// # Faults
//
// [Server.Set] says how a host behaves, by a [Site]: what it answers ([Serve],
// [JSON], [Status], [Redirect], [Delegate], [Handler], …), what is wrong with that
// (Site's methods, from [Site.Header] to [Site.Expired]), or what there is in its
// place ([StallBeforeTLS], [PlainHTTP], [NXDomain], …). Several sites are for
// one connection each, such as a document and then one with other keys.
// [Server.Dials] and [Server.Requests] tell what came.
//
// A fault that lasts, such as a stall, ends when the client gives up, after
// 8 seconds by default; wellknown.Config.Timeout, on what [Server.Config] gives,
// makes that shorter.
//
// # What is simulated
//
// TCP, TLS and HTTP are real, on 127.0.0.1. What happens before is not: a
// function stands in for DNS and for connecting, so that [NXDomain], [ServFail],
// [DNSTimeout], [Refused], [Blackhole] and [PrivateAddress] give the error that
// the real thing would give, and nothing else. A resolver made from
// [Server.Config] therefore does not guard against private addresses.
//
// # What is not checked
//
// Anything: a Token may claim whatever it likes, and an [IdP] certifies addresses
// of any domain. The package panics where a test's author made a mistake, such as
// an unknown test key.
package idptest
