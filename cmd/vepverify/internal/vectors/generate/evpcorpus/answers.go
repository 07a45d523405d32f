package evpcorpus

import "github.com/vepverify/vepverify/evp/evptest"

// answers has the rules of sections 11 and 12.
func answers() []group {
	return []group{{"11.answer", answer()}, {"11.expires", expirations()}, {"11.private", privacy()}, {"12.one-use", oneUse()}}
}

func answer() []vector {
	return []vector{
		okay("good", "Address, origin, end and host."),
		okay("claim, not submission", "The claim is the answer.", address("aLiCe@mail.example", "mail.example"), typed(alice)),
		okay("host, not URL", "The issuer without https://.", host("issuer.example")),
		okay("second origin", "The origin that was signed.", accepting("https://a.example", rp)),
		okay("nothing else", "Claims beyond these are not in the answer.", evtClaim("name", "Alice"), evtClaim("sub", "1"),
			kbClaim("x", 1)),
	}
}

func expirations() []vector {
	const sec = now / 1000
	return []vector{
		okay("300 s after both", "Both iat are equal."),
		okay("300 s after the EVT", "The EVT is earlier.", issuedIn(evt, -100)),
		okay("300 s after the KB", "The KB-JWT is earlier.", issuedIn(kb, -100)),
		okay("exp earlier", "exp is before the end of the window.", evtClaim("exp", sec+10), expires(15)),
		okay("exp of the KB earlier", "That of the KB-JWT counts, too.", kbClaim("exp", sec+10), expires(15)),
		okay("exp later", "exp is after the end of the window.", evtClaim("exp", sec+1000)),
		okay("exp past", "Within the leeway: the answer has expired.", evtClaim("exp", sec-30), expires(-25)),
		okay("clock between seconds", "expires is whole seconds after iat.", at(499)),
	}
}

func privacy() []vector {
	return []vector{
		okay("true", "private is true.", evtClaim("is_private_email", true), isPrivate),
		okay("false", "private is absent.", evtClaim("is_private_email", false)),
		okay("absent", "private is absent."),
		okay("of the KB-JWT", "The browser's claim does not count.", kbClaim("is_private_email", true)),
	}
}

// oneUse has tokens that each are valid alone. With a one-use guard that is kept from one
// case to the next, only the first is accepted: their KB-JWTs have one signing input, or
// are one token.
func oneUse() []vector {
	es256 := holder(evptest.TestKey("ES256-2"))
	const comment = " Valid alone; with a guard, only the first of the group is accepted."
	return []vector{
		okay("first", "Low s."+comment, es256, part(kb).alter(scalars(lowS))),
		okay("again", "The same token."+comment, es256, part(kb).alter(scalars(lowS))),
		okay("other signature", "High s: the same signed text, another signature."+comment, es256,
			part(kb).alter(scalars(highS))),
	}
}
