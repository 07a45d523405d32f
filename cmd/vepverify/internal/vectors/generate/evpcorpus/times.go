package evpcorpus

// times has the rule of section 5.
func times() []group { return []group{{"5.window", windows()}} }

// issuedIn returns an edit that sets the iat of a part to seconds after now, and the
// expected end.
func issuedIn(p part, seconds int64) edit {
	return func(s *scenario) {
		p.with("iat", now/1000+seconds)(s)
		s.answer.Expires = (min(now/1000+seconds, issued) + 300) * 1000
	}
}

func windows() []vector {
	var table []vector
	for _, p := range parts {
		name := p.name + " iat "
		table = append(table,
			okay(name+"300 s old", "On the edge.", issuedIn(p.edit, -300)),
			failure(name+"301 s old", "One second beyond.", issuedIn(p.edit, -301)),
			failure(name+"300 s old, a millisecond later", "One millisecond beyond.", issuedIn(p.edit, -300), at(1)),
			okay(name+"299 s old, 999 ms later", "One millisecond before the edge.", issuedIn(p.edit, -299), at(999)),
			okay(name+"60 s ahead", "On the edge.", issuedIn(p.edit, 60)),
			failure(name+"61 s ahead", "One second beyond.", issuedIn(p.edit, 61)),
			failure(name+"60 s ahead, a millisecond earlier", "One millisecond beyond.", issuedIn(p.edit, 60), at(-1)),
			okay(name+"61 s ahead, a second later", "On the edge.", issuedIn(p.edit, 61), at(1000)),
			failure(name+"a day old", "Far too old.", issuedIn(p.edit, -86400)),
			failure(name+"a day ahead", "Far too far ahead.", issuedIn(p.edit, 86400)),
			failure(name+"in milliseconds", "A mistake of units.", p.edit.with("iat", now)),
			failure(name+"in minutes", "A mistake of units.", p.edit.with("iat", now/60_000)),
			failure(name+"301 s old, draft-02", "The same under draft-02.", draft02, issuedIn(p.edit, -301)),
			okay(name+"300 s old, draft-02", "The same under draft-02.", draft02, issuedIn(p.edit, -300)))
	}
	both := func(seconds int64) edit {
		return func(s *scenario) {
			issuedIn(evt, seconds)(s)
			issuedIn(kb, seconds)(s)
			s.answer.Expires = (now/1000 + seconds + 300) * 1000
		}
	}
	return append(table,
		okay("both 300 s old", "The answer expires now.", both(-300)),
		okay("both 60 s ahead", "The answer expires in six minutes.", both(60)),
		okay("KB before EVT", "The order of the two does not matter; the older counts.", issuedIn(kb, -200)),
		okay("EVT long before KB", "Four minutes between the two.", issuedIn(evt, -240)),
		failure("both old", "A token of yesterday.", both(-86400)),
		failure("both old, exp ahead", "An exp does not lengthen the window.", both(-301), evtClaim("exp", now/1000+3600)),
		failure("clock of 1970", "A verifier without a clock.", at(-now)),
	)
}

// submitted has the rule of section 6.
func submitted() []group { return []group{{"6.submitted", submissions()}} }

func submissions() []vector {
	table := []vector{
		okay("not given", "The claim is the answer."),
		okay("same", "Byte for byte.", typed(alice)),
		okay("same, draft-02", "Byte for byte.", draft02, typed(alice)),
		okay("capitals submitted", "ASCII case does not matter; the claim is the answer.", typed("ALICE@MAIL.EXAMPLE")),
		okay("capitals in the claim", "ASCII case does not matter; the claim is the answer.", address("Alice@mail.example",
			"mail.example"), typed(alice)),
		okay("capitals in both", "Byte for byte.", draft02, address("Alice@mail.example", "mail.example"),
			typed("Alice@mail.example")),
		failure("capitals submitted, draft-02", "draft-02 compares byte for byte.", draft02, broken("10.draft-02"),
			typed("Alice@mail.example")),
		failure("capitals in the claim, draft-02", "draft-02 compares byte for byte.", draft02, broken("10.draft-02"),
			address("Alice@mail.example", "mail.example"), typed(alice)),
		failure("capitals in the submitted domain, draft-02", "draft-02 compares byte for byte.", draft02,
			broken("10.draft-02"), typed("alice@Mail.example")),
	}
	for _, c := range []struct{ email, comment string }{
		{"bob@mail.example", "Another person."}, {"alice@other.example", "Another domain."},
		{"alice@mail.example.other.example", "A domain that begins alike."},
		{"alice+shop@mail.example", "A tag."}, {"a.lice@mail.example", "A dot."}, {" alice@mail.example", "A space before."},
		{"alice@mail.example ", "A space after."},
		{"alice@mail.example.", "A dot after."}, {"alice", "No domain."}, {"Alice <alice@mail.example>", "A display name."},
		{"\u212alice@mail.example", "A Kelvin sign."},
		{"malice@mail.example", "An address that ends alike."}, {"alice@mail.exampl", "Cut."},
		{"\"alice\"@mail.example", "Quoted."}, {"ALICE@\u00cdAIL.EXAMPLE", "Capitals beyond ASCII."},
	} {
		table = append(table, failure("other "+quoted(c.email), c.comment, typed(c.email)))
	}
	table = append(table,
		failure("k and Kelvin sign", "ASCII case only: the Kelvin sign is not a K.", address("kim@mail.example",
			"mail.example"), typed("\u212aim@mail.example")),
		failure("s and long s", "ASCII case only: ſ is not an s.", address("sam@mail.example", "mail.example"),
			typed("\u017fam@mail.example")),
		failure("[ and {", "Only letters have case.", address("a{b@mail.example", "mail.example"), typed("a[b@mail.example")),
		failure("@ and `", "Only letters have case.", address("a`b@mail.example", "mail.example"), typed("a@b@mail.example")),
		failure("U-label submitted", "Not turned into its A-label.", address("alice@xn--bcher-kva.example",
			"xn--bcher-kva.example"), typed("alice@bücher.example")),
	)
	return append(table,
		failure("of a longer claim", "A prefix of the claim.", address("alice.b@mail.example", "mail.example"),
			typed("alice@mail.example")))
}
