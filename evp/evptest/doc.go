// Package evptest is to the Email Verification Protocol what net/http/httptest is to HTTP:
// issuers, DNS and a browser in memory, which make any token and any answer, right or
// wrong. It is for tests of relying parties and of verifiers only: its private keys are
// public.
//
// The protocol is a draft, and this package is experimental like package evp.
//
// # A relying party's test
//
// A [World] has issuers, by default accounts.issuer.example for addresses at mail.example.
// It is the DNS, the network and the clock of a verifier:
//
//	world := evptest.New()
//	site := newSite(world.Verifier("https://rp.example"))
//	browser := evptest.NewBrowser(world, site, "https://rp.example")
//	page, err := browser.SignIn("/login", "alice@mail.example")
//
// [Browser.SignIn] opens the page, finds the form by its autocomplete attributes, reads the
// nonce, asks the issuer for a token and posts the form. [Browser.SignInWithout] is a
// browser without the protocol: a site must work for it too. No name is looked up, no packet
// leaves the machine, and there is nothing to close.
//
// # Tokens
//
// [World.Token] returns the token for a [Request]: address, origin and nonce. [World.Pair]
// returns its recipe, a [Pair], whose methods change any part: [JWS.With] a claim,
// [JWS.WithHeader] a member of the header, [Pair.SignedBy] the issuer's key,
// [Pair.HeldBy] the browser's. With a fixed clock ([World.At]) the text is always the same,
// to the byte.
//
//	token := world.Pair(request).EditEVT(func(evt evptest.JWS) evptest.JWS {
//		return evt.With("email_verified", false)
//	}).String()
//
// [TestKey] has keys of all algorithms. [Default] and [NewIssuer] make issuers with them,
// with any kid ([Key.WithID]), and [Gmail] one that differs from the draft as Gmail does.
//
// # Faults
//
// A [TokenFault] is a way in which a token is wrong, and a [NetworkFault] a way in which DNS
// or an issuer's host is:
//
//	token := world.Token(request, evptest.NonceOther) // evp.ErrNonce
//	world.Set(evptest.MetadataError503)               // assertion.ErrUndecided
//	world.Restore()
//
// The documentation of each says which rule of docs/EVP.md is about it, and what the error
// of evp.Verify matches. [TokenFaults] and [NetworkFaults] list them with their
// [Expectation], for tests of all. Faults that a verifier must accept are among them.
//
// [World.SetTXT] and [World.SetURL] set other answers, one after the other if there are
// several: a timeout and then a record, for instance. [World.Rotate] changes an issuer's
// keys. [World.Advance] lets caches expire. [World.Asked] returns the questions, of which
// there must be none for a token that is refused offline.
//
// # Real issuers
//
// [World.SetHandler] lets a handler answer for a host, such as one of package evp/issuer. A
// [Browser] then asks it for tokens, with the signed request of Chromium and the cookies of
// Browser.Session. [Key.IssuanceRequest] and [Key.Bind] are the two steps of that, for tests
// of issuers.
//
// # Real TLS
//
// In memory, a verifier does not connect, and so does not check addresses and
// certificates. [World.Serve] serves a world over real TLS, on the simulated network of
// package idptest, which also has the faults of connections.
//
// # What is not checked
//
// Almost everything. An [Issuer] issues for any address, a [Pair] may have any claims, and
// a [Browser] posts a token without asking DNS or the user, and does not read the issuer's
// key set and accounts. It runs no script and has no cross-origin frames. The package
// panics on mistakes in a test's source, such as the name of a test key that does not
// exist.
package evptest
