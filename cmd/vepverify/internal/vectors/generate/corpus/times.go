package corpus

import (
	"fmt"

	"github.com/vepverify/vepverify/devidp/idptest"
)

func times() []vector {
	table := append(timeForms(), timeRange()...)
	table = append(table, validity()...)
	return append(table, withLeeway()...)
}

// later is a time at which all tokens are valid.
const later = now + minute // 1767225660000

func timeForms() []vector {
	valid := func(name, rules, comment, exp string, reads int64) vector {
		return okay("form-"+name, rules, comment, assertionClaim("exp", idptest.Raw(exp)), answer("expires", reads))
	}
	bad := func(name, rules, comment, exp string) vector {
		return failure("form-"+name, rules, comment, anyReason, assertionClaim("exp", idptest.Raw(exp)))
	}
	iat := func(name, rules, comment, iat string) vector {
		return failure("form-iat-"+name, rules, comment, anyReason, assertionClaim("iat", idptest.Raw(iat)))
	}
	return []vector{
		valid("integer", "1.time-number", "A whole number.", "1767225660000", later),
		valid("fraction", "1.time-number", "A fraction is cut off.", "1767225660000.9", later),
		valid("zero-fraction", "1.time-number", "So is one of zero.", "1767225660000.000", later),
		valid("exponent", "1.time-number", "A number with an exponent.", "1.76722566e12", later),
		valid("capital-exponent", "1.time-number", "An exponent with a capital and a sign.", "17672256600.0E+2", later),
		valid("negative-exponent", "1.time-number", "A negative exponent.", "1767225660000123e-3", later),
		valid("long-fraction", "1.time-number", "A fraction of 50 digits.", "1767225660000.99999999999999999999999999999999999999999999999999", later),
		valid("long-mantissa", "1.time-number", "Many digits, most of them after the point.", "17672256600009999999999999999999e-19", later),
		okay("form-iat-tiny", "1.time-number", "1e-400 is 0 after the cut.", assertionClaim("iat", idptest.Raw("1e-400"))),
		okay("form-iat-minus-zero", "1.time-number", "-0 is 0, and so is -0.9 after the cut.",
			assertionClaim("iat", idptest.Raw("-0")), assertionClaim("nbf", idptest.Raw("-0.9"))),
		okay("form-iat-zero-exponent", "1.time-number", "0 with a huge exponent is 0.", assertionClaim("iat", idptest.Raw("0e999999999999"))),
		failure("form-fraction-before-now", "1.time-number 1.expired", "The fraction is cut, not rounded: a millisecond too old.", expired,
			assertionClaim("exp", idptest.Raw("1767225599999.9"))),
		okay("form-iat-fraction-after-now", "1.time-number 1.not-yet", "The fraction is cut: this is now.",
			assertionClaim("iat", idptest.Raw("1767225600000.9"))),

		valid("string", "1.time-string", "A string of digits.", `"1767225660000"`, later),
		valid("string-leading-zero", "1.time-string", "A leading zero makes 14 digits.", `"01767225660000"`, later),
		valid("string-16-digits", "1.time-string", "16 digits, three of them leading zeros.", `"0001767225660000"`, later),
		valid("string-escaped", "1.time-string", "A digit of the string in an escape.", `"\u0031767225660000"`, later),
		okay("form-iat-string", "1.time-string", "iat and nbf as strings.", assertionClaim("iat", "1767225600000"), assertionClaim("nbf", "0")),
		okay("form-certificate-strings", "1.time-string", "The certificate's times as strings.",
			certificateClaim("iat", "1767225540000"), certificateClaim("exp", "1767229200000")),
		bad("string-17-digits", "1.time-string", "17 digits.", `"00001767225660000"`),
		bad("string-empty", "1.time-string", "An empty string.", `""`),
		bad("string-plus", "1.time-string", "A plus sign.", `"+1767225660000"`),
		bad("string-minus", "1.time-string", "A minus sign.", `"-1"`),
		bad("string-space-before", "1.time-string", "A space before the digits.", `" 1767225660000"`),
		bad("string-space-behind", "1.time-string", "A space after them.", `"1767225660000 "`),
		bad("string-line-feed", "1.time-string", "A line feed after them.", `"1767225660000\n"`),
		bad("string-point", "1.time-string", "A point and a zero.", `"1767225660000.0"`),
		bad("string-exponent", "1.time-string", "An exponent.", `"1.76722566e12"`),
		bad("string-hexadecimal", "1.time-string", "Hexadecimal digits.", `"0x19b774ffee0"`),
		bad("string-underscore", "1.time-string", "Digits with an underscore.", `"1767225_660000"`),
		bad("string-other-digits", "1.time-string", "Digits of another script.", `"١٧٦٧٢٢٥٦٦٠٠٠٠"`),
		bad("string-wide-digits", "1.time-string", "Full-width digits.", `"１767225660000"`),
		bad("string-date", "1.time-string", "A date.", `"2026-01-01T00:01:00Z"`),
		iat("string-plus", "1.time-string", "A plus sign in iat.", `"+5"`),
		iat("string-point", "1.time-string", "A fraction in iat's string.", `"5.0"`),

		bad("null", "1.time-type", "exp is null.", "null"),
		bad("true", "1.time-type", "exp is true.", "true"),
		bad("array", "1.time-type", "exp is an array.", "[1767225660000]"),
		bad("object", "1.time-type", "exp is an object.", `{"$date":1767225660000}`),
		iat("null", "1.time-type", "iat is null.", "null"),
		iat("false", "1.time-type", "iat is false.", "false"),
		failure("form-nbf-null", "1.time-type", "nbf is null.", anyReason, assertionClaim("nbf", nil)),
		failure("form-nbf-object", "1.time-type", "nbf is an object.", anyReason, assertionClaim("nbf", idptest.Object{})),
		failure("form-certificate-exp-null", "1.time-type", "The certificate's exp is null.", anyReason, certificateClaim("exp", nil)),
		failure("form-certificate-nbf-array", "1.time-type", "The certificate's nbf is an array.", anyReason, certificateClaim("nbf", []int{1})),
		failure("form-type-offline", "1.time-type 7.offline-first", "exp is null, and the issuer does not answer.", anyReason,
			assertionClaim("exp", nil), silent(idp)),

		failure("exp-missing", "1.exp-required", "An assertion without exp.", anyReason, withoutAssertionClaims("exp")),
		failure("certificate-exp-missing", "1.exp-required", "A certificate without exp.", anyReason, withoutCertificateClaims("exp")),
		failure("exp-missing-with-iat", "1.exp-required", "iat does not replace exp.", anyReason, withoutAssertionClaims("exp"), assertionClaim("iat", now)),
		okay("iat-and-nbf-missing", "1.exp-required", "No iat and no nbf anywhere.", withoutCertificateClaims("iat")),
		okay("all-times", "1.exp-required", "All three in both tokens.", certificateClaim("nbf", now-minute), assertionClaim("iat", now-1), assertionClaim("nbf", now-1)),
	}
}

func timeRange() []vector {
	const max int64 = 1 << 53
	number := func(n int64) idptest.Raw { return idptest.Raw(fmt.Sprint(n)) }
	bad := func(name, comment string, exp string) vector {
		return failure("range-"+name, "1.time-range", comment, anyReason, assertionClaim("exp", idptest.Raw(exp)))
	}
	iat := func(name, comment string, iat string) vector {
		return failure("range-iat-"+name, "1.time-range", comment, anyReason, assertionClaim("iat", idptest.Raw(iat)))
	}
	return []vector{
		okay("range-exp-largest", "1.time-range", "exp is 2^53.", expires(max)),
		okay("range-exp-largest-fraction", "1.time-range 1.time-number", "2^53 and a fraction, which is cut off.",
			assertionClaim("exp", idptest.Raw("9007199254740992.9")), answer("expires", max)),
		okay("range-exp-largest-string", "1.time-range", "2^53 as a string.", assertionClaim("exp", "9007199254740992"), answer("expires", max)),
		bad("exp-too-large", "exp is 2^53 + 1.", "9007199254740993"),
		bad("exp-too-large-string", "2^53 + 1 as a string, of 16 digits.", `"9007199254740993"`),
		bad("exp-2-63", "exp is 2^63, which does not fit into an int64.", "9223372036854775808"),
		bad("exp-2-64-more", "exp is 2^64 and a good time, which an overflow would leave.", "18446745840935211616"),
		bad("exp-exponent", "exp is 1e400, beyond floating point.", "1e400"),
		bad("exp-huge-exponent", "An exponent out of any range.", "1e99999999999999999999"),
		bad("exp-many-digits", "A hundred digits.", "1767225660000"+fmt.Sprintf("%087d", 0)),
		failure("range-exp-smallest", "1.time-range 1.expired", "exp is -2^53, a time long past.", expired, assertionClaim("exp", number(-max))),
		bad("exp-too-small", "exp is -2^53 - 1.", "-9007199254740993"),
		okay("range-iat-smallest", "1.time-range", "iat is -2^53.", assertionClaim("iat", number(-max))),
		okay("range-iat-smallest-fraction", "1.time-range", "-2^53 and a fraction, which is cut off.",
			assertionClaim("iat", idptest.Raw("-9007199254740992.9"))),
		iat("too-small", "iat is -2^53 - 1.", "-9007199254740993"),
		iat("huge", "iat is -1e400.", "-1e400"),
		failure("range-iat-largest", "1.time-range 1.not-yet", "iat is 2^53, a time in the future.", notYet, assertionClaim("iat", number(max))),
		failure("range-certificate-exp", "1.time-range", "The certificate's exp is 2^53 + 1.", anyReason,
			certificateClaim("exp", idptest.Raw("9007199254740993"))),
		failure("range-certificate-nbf", "1.time-range", "The certificate's nbf is -1e17.", anyReason, certificateClaim("nbf", idptest.Raw("-1e17"))),
	}
}

func validity() []vector {
	late := func(name, comment string, edits ...edit) vector {
		return failure(name, "1.expired 6.reasons", comment, expired, edits...)
	}
	early := func(name, comment string, edits ...edit) vector {
		return failure(name, "1.not-yet 6.reasons", comment, notYet, edits...)
	}
	return []vector{
		okay("exp-is-now", "1.expired", "exp of the assertion is now.", expires(now)),
		okay("certificate-exp-is-now", "1.expired", "exp of the certificate is now.", certificateClaim("exp", now)),
		late("exp-past", "exp of the assertion was a millisecond ago: there is no leeway by default.", assertionClaim("exp", now-1)),
		late("certificate-exp-past", "exp of the certificate was a millisecond ago.", certificateClaim("exp", now-1)),
		late("exp-zero", "exp is 0.", assertionClaim("exp", 0)),
		late("exp-negative", "exp is before the epoch.", assertionClaim("exp", -1)),
		late("exp-in-seconds", "exp in seconds, which JWT would want, is long past.", assertionClaim("exp", now/1000+60)),
		late("exp-in-seconds-certificate", "The same in the certificate.", certificateClaim("exp", now/1000+3600)),
		failure("expired-offline", "1.expired 7.offline-first", "An expired assertion, and an issuer that does not answer.", expired,
			assertionClaim("exp", now-1), silent(idp)),

		okay("iat-is-now", "1.not-yet", "iat of the assertion is now.", assertionClaim("iat", now)),
		okay("nbf-is-now", "1.not-yet", "nbf of the assertion is now.", assertionClaim("nbf", now)),
		okay("certificate-iat-is-now", "1.not-yet", "iat of the certificate is now.", certificateClaim("iat", now)),
		okay("certificate-nbf-is-now", "1.not-yet", "nbf of the certificate is now.", certificateClaim("nbf", now)),
		early("iat-future", "iat of the assertion is a millisecond ahead.", assertionClaim("iat", now+1)),
		early("nbf-future", "nbf of the assertion is a millisecond ahead.", assertionClaim("nbf", now+1)),
		early("certificate-iat-future", "iat of the certificate is a millisecond ahead.", certificateClaim("iat", now+1)),
		early("certificate-nbf-future", "nbf of the certificate is a millisecond ahead.", certificateClaim("nbf", now+1)),
		early("nbf-future-iat-past", "nbf counts although iat has passed.", assertionClaim("iat", now-minute), assertionClaim("nbf", now+1)),
		failure("not-yet-offline", "1.not-yet 7.offline-first", "iat ahead, and an issuer that does not answer.", notYet,
			assertionClaim("iat", now+1), silent(idp)),

		failure("order-iat-before-exp", "1.time-order", "Both iat and exp of a token are wrong: iat comes first.", notYet,
			assertionClaim("iat", now+1), assertionClaim("exp", now-1)),
		failure("order-nbf-before-exp", "1.time-order", "nbf comes before exp too.", notYet, certificateClaim("nbf", now+1), certificateClaim("exp", now-1)),
		failure("order-certificate-first", "1.time-order", "An expired certificate comes before an assertion of the future.", expired,
			certificateClaim("exp", now-1), assertionClaim("iat", now+1)),
		failure("order-certificate-first-nbf", "1.time-order", "A certificate of the future comes before an expired assertion.", notYet,
			certificateClaim("nbf", now+1), assertionClaim("exp", now-1)),
	}
}

// withLeeway has times at the limits of a leeway of 30 seconds.
func withLeeway() []vector {
	const most = 30_000
	var table []vector
	for _, by := range []int64{most - 1, most} {
		table = append(table,
			okay(fmt.Sprintf("leeway-exp-%d", by), "1.expired", fmt.Sprintf("exp was %d ms ago, with a leeway of 30000.", by), withLeewayOf(most), expires(now-by)),
			okay(fmt.Sprintf("leeway-iat-%d", by), "1.not-yet", fmt.Sprintf("iat is %d ms ahead, with a leeway of 30000.", by), withLeewayOf(most), assertionClaim("iat", now+by)),
			okay(fmt.Sprintf("leeway-nbf-%d", by), "1.not-yet", fmt.Sprintf("The certificate's nbf is %d ms ahead, with a leeway of 30000.", by),
				withLeewayOf(most), certificateClaim("nbf", now+by)))
	}
	const beyond = most + 1
	return append(table,
		failure("leeway-exp-30001", "1.expired", "exp was 30001 ms ago, with a leeway of 30000.", expired, withLeewayOf(most), assertionClaim("exp", now-beyond)),
		failure("leeway-certificate-exp-30001", "1.expired", "So was the certificate's.", expired, withLeewayOf(most), certificateClaim("exp", now-beyond)),
		failure("leeway-iat-30001", "1.not-yet", "iat is 30001 ms ahead, with a leeway of 30000.", notYet, withLeewayOf(most), assertionClaim("iat", now+beyond)),
		failure("leeway-nbf-30001", "1.not-yet", "The certificate's nbf is 30001 ms ahead.", notYet, withLeewayOf(most), certificateClaim("nbf", now+beyond)),
		okay("leeway-of-1", "1.expired", "exp was 1 ms ago, with a leeway of 1.", withLeewayOf(1), expires(now-1)),
		okay("leeway-exp-before-iat", "1.time-order", "Each time has the leeway to itself: exp is before iat.", withLeewayOf(most), expires(now-most), assertionClaim("iat", now+most)),
	)
}
