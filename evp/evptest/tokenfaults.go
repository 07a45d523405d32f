package evptest

import (
	"fmt"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
)

// The faults of tokens. Each says which rule of docs/EVP.md is about it, and what the error
// of evp.Verify matches (errors.Is). A fault that is accepted is a variation that real
// browsers and issuers make.
var (

	// Form.

	// TooLong has more than 16 KiB. Rule 1.size: assertion.ErrMalformed.
	TooLong = breaks("too-long", "1.size", assertion.ErrMalformed, tooLong)
	// Empty is an empty text: the form came without a token. Rule 1.form:
	// assertion.ErrMalformed.
	Empty = breaks("empty", "1.form", assertion.ErrMalformed,
		rewrite(func(string) string { return "" }))
	// EVTAlone is the EVT without tilde and KB-JWT. Rule 1.form: assertion.ErrMalformed.
	EVTAlone = breaks("evt-alone", "1.form", assertion.ErrMalformed,
		rewrite(func(s string) string { evt, _ := Split(s); return evt }))
	// AsIssued is the EVT and the tilde, as the issuer sent it to the browser. Rule
	// 1.form: assertion.ErrMalformed.
	AsIssued = breaks("as-issued", "1.form", assertion.ErrMalformed,
		rewrite(func(s string) string { evt, _ := Split(s); return evt + "~" }))
	// TildeAfter has a second tilde at the end. Rule 1.form: assertion.ErrMalformed.
	TildeAfter = breaks("tilde-after", "1.form", assertion.ErrMalformed,
		rewrite(func(s string) string { return s + "~" }))
	// Disclosure has a disclosure of SD-JWT between EVT and KB-JWT, which browsers let
	// through. Rule 1.form: assertion.ErrMalformed.
	Disclosure = breaks("disclosure", "1.form", assertion.ErrMalformed, disclosure)
	// LineBreakAfter has a line break at the end. Rule 1.base64: assertion.ErrMalformed.
	LineBreakAfter = breaks("line-break-after", "1.base64", assertion.ErrMalformed,
		rewrite(func(s string) string { return s + "\n" }))
	// NotASCII has a letter beyond ASCII in a signature. Rule 1.base64:
	// assertion.ErrMalformed.
	NotASCII = breaks("not-ascii", "1.base64", assertion.ErrMalformed,
		rewrite(func(s string) string { return s[:len(s)-1] + "é" }))
	// FourParts has an EVT of four parts. Rule 1.form: assertion.ErrMalformed.
	FourParts = breaks("four-parts", "1.form", assertion.ErrMalformed, Pair.fourParts)
	// Unsigned has an EVT whose signature is empty. Rule 1.form: assertion.ErrMalformed.
	Unsigned = breaks("unsigned", "1.form", assertion.ErrMalformed, signEVT(nil))
	// Padded has an EVT whose claims have the padding of base64. Rule 1.base64:
	// assertion.ErrMalformed.
	Padded = breaks("padded", "1.base64", assertion.ErrMalformed, Pair.padded)
	// StandardAlphabet has a KB-JWT signature in base64 with + or /, in place of
	// base64url. Rule 1.base64: assertion.ErrMalformed.
	StandardAlphabet = breaks("standard-alphabet", "1.base64", assertion.ErrMalformed,
		Pair.standardAlphabet)
	// LooseBits has an EVT signature whose last character has unused bits that are not
	// zero. Rule 1.base64: assertion.ErrMalformed.
	LooseBits = breaks("loose-bits", "1.base64", assertion.ErrMalformed, Pair.looseBits)
	// DuplicateEmail has the claim email twice. Browsers take the last. Rule 1.json:
	// assertion.ErrMalformed.
	DuplicateEmail = breaks("duplicate-email", "1.json", assertion.ErrMalformed,
		duplicate("email", evtOf))
	// DuplicateNonce has the claim nonce twice. Rule 1.json: assertion.ErrMalformed.
	DuplicateNonce = breaks("duplicate-nonce", "1.json", assertion.ErrMalformed,
		duplicate("nonce", kbOf))
	// ClaimsNull has null in place of the EVT's claims. Rule 1.json:
	// assertion.ErrMalformed.
	ClaimsNull = breaks("claims-null", "1.json", assertion.ErrMalformed,
		editEVT(func(j JWS) JWS { j.Claims = Raw("null"); return j }))
	// InvalidUTF8 has a byte that is not UTF-8 in the EVT's claims. Rule 1.json:
	// assertion.ErrMalformed.
	InvalidUTF8 = breaks("invalid-utf8", "1.json", assertion.ErrMalformed, Pair.invalidUTF8)

	// Headers.

	// EVTTypeOther has the typ "kb+jwt" in the EVT. Rule 2.typ: evp.ErrHeader.
	EVTTypeOther = breaks("evt-type-other", "2.typ", evp.ErrHeader, evtHeader("typ", "kb+jwt"))
	// EVTTypeAbsent has no typ in the EVT. Rule 2.typ: evp.ErrHeader.
	EVTTypeAbsent = breaks("evt-type-absent", "2.typ", evp.ErrHeader,
		editEVT(func(j JWS) JWS { return j.WithoutHeader("typ") }))
	// KBTypeOther has the typ "KB+JWT" in the KB-JWT. Capitals are not ignored. Rule
	// 2.typ: evp.ErrHeader.
	KBTypeOther = breaks("kb-type-other", "2.typ", evp.ErrHeader, kbHeader("typ", "KB+JWT"))
	// AlgNone has the alg "none" in the EVT, and no other change. Rule 2.alg:
	// assertion.ErrAlgorithm.
	AlgNone = breaks("alg-none", "2.alg", assertion.ErrAlgorithm, evtHeader("alg", "none"))
	// AlgHS256 has the alg "HS256" in the KB-JWT. Rule 2.alg: assertion.ErrAlgorithm.
	AlgHS256 = breaks("alg-hs256", "2.alg", assertion.ErrAlgorithm, kbHeader("alg", "HS256"))
	// AlgES384 has the alg "ES384" in the EVT. Rule 2.alg: assertion.ErrAlgorithm.
	AlgES384 = breaks("alg-es384", "2.alg", assertion.ErrAlgorithm, evtHeader("alg", "ES384"))
	// AlgEdDSA has an EVT of an Ed25519 key whose alg is "EdDSA". It needs an issuer
	// whose first key is Ed25519. Rule 2.alg: accepted by the default profile;
	// assertion.ErrAlgorithm under Draft02.
	AlgEdDSA = admitted("alg-ed-dsa", "2.alg", assertion.ErrAlgorithm, evtHeader("alg", "EdDSA"))
	// Critical has the header member crit in the EVT. Browsers ignore it. Rule 2.crit:
	// evp.ErrHeader.
	Critical = breaks("critical", "2.crit", evp.ErrHeader, evtHeader("crit", []string{"exp"}))
	// B64 has the header member b64 in the KB-JWT. Rule 2.crit: evp.ErrHeader.
	B64 = breaks("b64", "2.crit", evp.ErrHeader, kbHeader("b64", true))
	// KidNumber has a kid that is a number, which browsers accept. Rule 2.kid:
	// evp.ErrHeader.
	KidNumber = breaks("kid-number", "2.kid", evp.ErrHeader, evtHeader("kid", 1))
	// KidEmpty has an empty kid, as Gmail's had in July 2026. All keys that fit are
	// tried. Rule 2.kid: accepted by the default profile; evp.ErrHeader under Draft02.
	KidEmpty = admitted("kid-empty", "2.kid", evp.ErrHeader, evtHeader("kid", ""))
	// KidAbsent has no kid, as Gmail's in August 2026. All keys that fit are tried. Rule
	// 2.kid: accepted by the default profile; evp.ErrHeader under Draft02.
	KidAbsent = admitted("kid-absent", "2.kid", evp.ErrHeader,
		editEVT(func(j JWS) JWS { return j.WithoutHeader("kid") }))
	// HeaderOthers has other members in both headers. They are ignored. Rule 2.typ:
	// accepted.
	HeaderOthers = accepted("header-others", "2.typ", Pair.otherHeaders)

	// Claims of the EVT.

	// IssuedAtAbsent has no iat in the EVT. Rule 3.iat: evp.ErrClaims.
	IssuedAtAbsent = breaks("issued-at-absent", "3.iat", evp.ErrClaims, withoutEVT("iat"))
	// IssuedAtFraction has an iat with a fraction in the EVT. Rule 3.iat: evp.ErrClaims.
	IssuedAtFraction = breaks("issued-at-fraction", "3.iat", evp.ErrClaims, Pair.issuedAtFraction)
	// IssuedAtString has an iat that is a string in the KB-JWT. Rule 3.iat:
	// evp.ErrClaims.
	IssuedAtString = breaks("issued-at-string", "3.iat", evp.ErrClaims,
		kbClaim("iat", "1767225600"))
	// IssuerAbsent has no iss. Rule 3.iss: evp.ErrClaims.
	IssuerAbsent = breaks("issuer-absent", "3.iss", evp.ErrClaims, withoutEVT("iss"))
	// IssuerHTTP has an iss that begins with "http://". Rule 3.iss: evp.ErrClaims.
	IssuerHTTP = breaks("issuer-http", "3.iss", evp.ErrClaims,
		evtClaim("iss", "http://"+DefaultHost))
	// EmailAbsent has no email. Rule 3.email: evp.ErrClaims.
	EmailAbsent = breaks("email-absent", "3.email", evp.ErrClaims, withoutEVT("email"))
	// EmailDisplayName has an email with a display name. Rule 3.email: evp.ErrEmail.
	EmailDisplayName = breaks("email-display-name", "3.email", evp.ErrEmail,
		evtClaim("email", "Alice <alice@mail.example>"))
	// EmailOneLabel has an email whose domain has one label. Rule 3.email: evp.ErrEmail.
	EmailOneLabel = breaks("email-one-label", "3.email", evp.ErrEmail,
		evtClaim("email", "alice@localhost"))
	// EmailIPAddress has an email whose domain is an IP address. Rule 3.email:
	// evp.ErrEmail.
	EmailIPAddress = breaks("email-ip-address", "3.email", evp.ErrEmail,
		evtClaim("email", "alice@192.0.2.1"))
	// EmailDomainCapitals has an email whose domain has capitals. Rule 3.email:
	// evp.ErrEmail.
	EmailDomainCapitals = breaks("email-domain-capitals", "3.email", evp.ErrEmail,
		Pair.domainCapitals)
	// EmailTooLong has an email of 255 bytes. Rule 3.email: evp.ErrEmail.
	EmailTooLong = breaks("email-too-long", "3.email", evp.ErrEmail, Pair.emailTooLong)
	// EmailNotVerified has the email_verified false. Rule 3.email-verified:
	// evp.ErrClaims.
	EmailNotVerified = breaks("email-not-verified", "3.email-verified", evp.ErrClaims,
		evtClaim("email_verified", false))
	// EmailVerifiedString has the email_verified "true", a string. Rule 3.email-verified:
	// evp.ErrClaims.
	EmailVerifiedString = breaks("email-verified-string", "3.email-verified", evp.ErrClaims,
		evtClaim("email_verified", "true"))
	// EmailVerifiedAbsent has no email_verified. Rule 3.email-verified: evp.ErrClaims.
	EmailVerifiedAbsent = breaks("email-verified-absent", "3.email-verified", evp.ErrClaims,
		withoutEVT("email_verified"))
	// PrivateString has the is_private_email "true", a string. Rule 3.private:
	// evp.ErrClaims.
	PrivateString = breaks("private-string", "3.private", evp.ErrClaims,
		evtClaim("is_private_email", "true"))
	// ClaimsOthers has other claims in EVT and KB-JWT. They are ignored. Rule 3.iss:
	// accepted.
	ClaimsOthers = accepted("claims-others", "3.iss", Pair.otherClaims)
	// HolderAbsent has no cnf. Rule 3.holder-key: assertion.ErrKey.
	HolderAbsent = breaks("holder-absent", "3.holder-key", assertion.ErrKey, withoutEVT("cnf"))
	// HolderPrivate has a cnf.jwk with the private member d. Rule 3.holder-key:
	// assertion.ErrKey.
	HolderPrivate = breaks("holder-private", "3.holder-key", assertion.ErrKey, jwk("d", "AA"))
	// HolderForEncryption has a cnf.jwk whose use is "enc". Rule 3.holder-key:
	// assertion.ErrKey.
	HolderForEncryption = breaks("holder-for-encryption", "3.holder-key", assertion.ErrKey,
		jwk("use", "enc"))
	// HolderAlgOther has a cnf.jwk whose alg is not that of the KB-JWT. Rule
	// 3.holder-key: assertion.ErrAlgorithm.
	HolderAlgOther = breaks("holder-alg-other", "3.holder-key", assertion.ErrAlgorithm,
		jwk("alg", "ES384"))
	// HolderAlgAbsent has a cnf.jwk without alg. Rule 10.draft-02: accepted by the
	// default profile; assertion.ErrKey under Draft02.
	HolderAlgAbsent = admitted("holder-alg-absent", "10.draft-02", assertion.ErrKey,
		editJWK(func(o Object) Object { return o.Without("alg") }))
	// HolderCurve has a cnf.jwk on another curve. Rule 3.holder-key: assertion.ErrKey.
	HolderCurve = breaks("holder-curve", "3.holder-key", assertion.ErrKey, jwk("crv", "X25519"))
	// Expired has an exp two minutes ago in the EVT. Rule 3.exp-nbf:
	// assertion.ErrExpired.
	Expired = breaks("expired", "3.exp-nbf", assertion.ErrExpired, after("exp", -2*time.Minute))
	// NotBefore has an nbf two minutes ahead in the EVT. Rule 3.exp-nbf:
	// assertion.ErrNotYetValid.
	NotBefore = breaks("not-before", "3.exp-nbf", assertion.ErrNotYetValid,
		after("nbf", 2*time.Minute))
	// ExpiresSoon has an exp one minute ahead. Result.Expires is then that time. Rule
	// 3.exp-nbf: accepted.
	ExpiresSoon = accepted("expires-soon", "3.exp-nbf", after("exp", time.Minute))

	// Claims of the KB-JWT.

	// AudienceOther is for the origin of another relying party. Rule 4.aud:
	// assertion.ErrAudience.
	AudienceOther = breaks("audience-other", "4.aud", assertion.ErrAudience,
		kbClaim("aud", "https://other.example"))
	// AudienceSlash has a slash after the origin. Rule 4.aud: assertion.ErrAudience.
	AudienceSlash = breaks("audience-slash", "4.aud", assertion.ErrAudience,
		editKB(func(j JWS) JWS { return j.With("aud", fmt.Sprint(j.Claim("aud"), "/")) }))
	// AudienceArray has an array with the right origin. Rule 4.aud:
	// assertion.ErrAudience.
	AudienceArray = breaks("audience-array", "4.aud", assertion.ErrAudience,
		editKB(func(j JWS) JWS { return j.With("aud", []any{j.Claim("aud")}) }))
	// AudienceAbsent has no aud. Rule 4.aud: assertion.ErrAudience.
	AudienceAbsent = breaks("audience-absent", "4.aud", assertion.ErrAudience, withoutKB("aud"))
	// NonceOther has the nonce of another form. Rule 4.nonce: evp.ErrNonce.
	NonceOther = breaks("nonce-other", "4.nonce", evp.ErrNonce,
		kbClaim("nonce", "bm9uY2Ugb2YgYW5vdGhlciBmb3Jt"))
	// NonceAbsent has no nonce. Rule 4.nonce: evp.ErrNonce.
	NonceAbsent = breaks("nonce-absent", "4.nonce", evp.ErrNonce, withoutKB("nonce"))
	// HashOther has the sd_hash of another EVT: the KB-JWT is not about this one. Rule
	// 4.sd-hash: evp.ErrBinding.
	HashOther = breaks("hash-other", "4.sd-hash", evp.ErrBinding,
		kbClaim("sd_hash", hashOf("another")))
	// HashAbsent has no sd_hash. Rule 4.sd-hash: evp.ErrBinding.
	HashAbsent = breaks("hash-absent", "4.sd-hash", evp.ErrBinding, withoutKB("sd_hash"))
	// KBByThief has a KB-JWT that another key than cnf.jwk signed: a stolen EVT. Rule
	// 4.signature: assertion.ErrSignature.
	KBByThief = breaks("kb-by-thief", "4.signature", assertion.ErrSignature,
		signKB(TestKey("Ed25519-3").Sign))
	// KBTampered has a KB-JWT with one flipped bit in the signature. Rule 4.signature:
	// assertion.ErrSignature.
	KBTampered = breaks("kb-tampered", "4.signature", assertion.ErrSignature,
		editKB(func(j JWS) JWS { j.Alter = flip; return j }))

	// Times.

	// EVTOld has an EVT of six minutes ago: the user left the page open. Rule 5.window:
	// assertion.ErrExpired.
	EVTOld = breaks("evt-old", "5.window", assertion.ErrExpired, shift(evtOf, -6*time.Minute))
	// EVTAhead has an EVT two minutes ahead. Rule 5.window: assertion.ErrNotYetValid.
	EVTAhead = breaks("evt-ahead", "5.window", assertion.ErrNotYetValid,
		shift(evtOf, 2*time.Minute))
	// KBOld has a KB-JWT of six minutes ago. Rule 5.window: assertion.ErrExpired.
	KBOld = breaks("kb-old", "5.window", assertion.ErrExpired, shift(kbOf, -6*time.Minute))
	// KBAhead has a KB-JWT two minutes ahead. Rule 5.window: assertion.ErrNotYetValid.
	KBAhead = breaks("kb-ahead", "5.window", assertion.ErrNotYetValid, shift(kbOf, 2*time.Minute))
	// FourMinutesOld is four minutes old. Rule 5.window: accepted.
	FourMinutesOld = accepted("four-minutes-old", "5.window", fourMinutesOld)

	// The submitted address. A relying party that sets no Expected.Email accepts these.

	// EmailOfAnother is for another address of the same domain than was submitted. Rule
	// 6.submitted: evp.ErrEmail.
	EmailOfAnother = breaks("email-of-another", "6.submitted", evp.ErrEmail, Pair.ofAnother)
	// EmailOtherCase has the submitted address in capitals before the @. Rule
	// 6.submitted: accepted by the default profile; evp.ErrEmail under Draft02.
	EmailOtherCase = admitted("email-other-case", "6.submitted", evp.ErrEmail, Pair.otherCase)

	// Issuer and its signature.

	// IssuerOther has the iss of a host that the domain does not name. Rule 8.iss:
	// assertion.ErrIssuer.
	IssuerOther = breaks("issuer-other", "8.iss", assertion.ErrIssuer,
		evtClaim("iss", "https://other.example"))
	// EVTByOther has an EVT that a key signed which is not in the key set. Rule
	// 10.signature: assertion.ErrSignature.
	EVTByOther = breaks("evt-by-other", "10.signature", assertion.ErrSignature,
		signEVT(TestKey("Ed25519-3").Sign))
	// EVTTampered has an EVT with one flipped bit in the signature. Rule 10.signature:
	// assertion.ErrSignature.
	EVTTampered = breaks("evt-tampered", "10.signature", assertion.ErrSignature,
		editEVT(func(j JWS) JWS { j.Alter = flip; return j }))
	// EVTByHolder has an EVT that the key of cnf.jwk signed. Rule 10.signature:
	// assertion.ErrSignature.
	EVTByHolder = breaks("evt-by-holder", "10.signature", assertion.ErrSignature,
		func(p Pair) Pair { p.EVT.Sign = p.KB.Sign; return p })
	// KidUnknown has a kid that is not in the key set. Rule 10.kid:
	// assertion.ErrSignature.
	KidUnknown = breaks("kid-unknown", "10.kid", assertion.ErrSignature,
		evtHeader("kid", "unknown"))
	// Malleated has another valid signature of the same KB-JWT. The holder's key becomes
	// the test key "ES256-2". With a guard (Config.OneUse) it is refused after a token of
	// that holder without the fault: they are one use. Rule 12.one-use: accepted.
	Malleated = accepted("malleated", "12.one-use", Pair.malleated)
)

// TokenFaults returns all faults of tokens.
func TokenFaults() []TokenFault {
	return []TokenFault{
		TooLong, Empty, EVTAlone, AsIssued, TildeAfter, Disclosure, LineBreakAfter,
		NotASCII, FourParts, Unsigned, Padded, StandardAlphabet, LooseBits,
		DuplicateEmail, DuplicateNonce, ClaimsNull, InvalidUTF8, EVTTypeOther,
		EVTTypeAbsent, KBTypeOther, AlgNone, AlgHS256, AlgES384, AlgEdDSA, Critical,
		B64, KidNumber, KidEmpty, KidAbsent, HeaderOthers, IssuedAtAbsent,
		IssuedAtFraction, IssuedAtString, IssuerAbsent, IssuerHTTP, EmailAbsent,
		EmailDisplayName, EmailOneLabel, EmailIPAddress, EmailDomainCapitals,
		EmailTooLong, EmailNotVerified, EmailVerifiedString, EmailVerifiedAbsent,
		PrivateString, ClaimsOthers, HolderAbsent, HolderPrivate, HolderForEncryption,
		HolderAlgOther, HolderAlgAbsent, HolderCurve, Expired, NotBefore, ExpiresSoon,
		AudienceOther, AudienceSlash, AudienceArray, AudienceAbsent, NonceOther,
		NonceAbsent, HashOther, HashAbsent, KBByThief, KBTampered, EVTOld, EVTAhead,
		KBOld, KBAhead, FourMinutesOld, EmailOfAnother, EmailOtherCase, IssuerOther,
		EVTByOther, EVTTampered, EVTByHolder, KidUnknown, Malleated,
	}
}
