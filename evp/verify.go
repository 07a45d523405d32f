package evp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp/internal/discovery"
	"github.com/vepverify/vepverify/evp/internal/jose"
	"github.com/vepverify/vepverify/internal/strictjson"
)

// verification is one call of Verify or Explain: its arguments, and what each step found
// for the steps after it.
type verification struct {
	*Verifier
	ctx      context.Context
	text     string
	expected Expected
	now      time.Time

	evt, kb           jose.Token
	evtTimes, kbTimes times
	email, domain     string
	issuer            string // the host
	private           bool
	holder            *jose.PublicKey
	audience          string

	keys    *discovery.KeySet
	choice  choice // of the keys
	refresh bool   // the keys were fetched again

	half    *jose.Token  // whose signing input message is; nil before the first signature
	message jose.Message // in the memory of signed

	cnf    strictjson.Object // the members of the claim, for its memory
	signed []byte            // a signing input, for its memory
}

// verifications keeps values of type *verification for the memory of their slices
// (BenchmarkEVP in bench).
var verifications = sync.Pool{New: func() any { return new(verification) }}

// begin returns a verification from the pool. The caller must call its end. The error
// matches assertion.ErrMisuse.
func (v *Verifier) begin(ctx context.Context, token string, expected Expected) (*verification, error) {
	if err := v.checkMade(); err != nil {
		return nil, err
	}
	switch {
	case ctx == nil:
		return nil, misuse("nil context")
	case expected.Nonce == "":
		return nil, misuse("no expected nonce: without one, a token can be presented again by anyone who sees it")
	}
	run := verifications.Get().(*verification)
	run.Verifier, run.ctx, run.text, run.expected, run.now = v, ctx, token, expected, v.config.Now()
	return run, nil
}

// end clears v, except for the memory of its slices, and returns it to the pool.
func (v *verification) end() {
	v.evt.Clear()
	v.kb.Clear()
	clear(v.cnf)
	clear(v.choice.tried[:cap(v.choice.tried)]) // the keys of an earlier choice too
	if cap(v.cnf) > 32 {
		v.cnf = nil
	}
	*v = verification{
		evt: v.evt, kb: v.kb, cnf: v.cnf[:0], signed: v.signed[:0],
		choice: choice{tried: v.choice.tried[:0]},
	}
	verifications.Put(v)
}

// verifies reports whether a key verifies a half.
func (v *verification) verifies(k *jose.PublicKey, half *jose.Token) bool {
	if v.half != half {
		v.signed = append(v.signed[:0], half.SigningInput...)
		v.half, v.message = half, jose.Message{Text: v.signed}
	}
	return k.VerifyMessage(half.Alg, &v.message, half.Signature)
}

// step is one check. describe returns what the check looked at, whether or not it passed.
// It may be nil.
type step struct {
	name     string
	check    func(*verification) error
	describe func(*verification) []assertion.Fact
}

// oneUseStep is the name of the only step with an effect. Explain skips it.
const oneUseStep = "one use"

// steps are in the order of the rules, except that the browser's signature, which costs
// most, is the last of those that need no network (rule 7).
var steps = []step{
	{"size and form", (*verification).parse, (*verification).describeForm},
	{"headers", (*verification).checkHeaders, (*verification).describeHeaders},
	{"claims of the issuer", (*verification).checkIssuerClaims, (*verification).describeIssuerClaims},
	{"binding to site, page and issuer's half", (*verification).checkBinding, (*verification).describeBinding},
	{"times", (*verification).checkTimes, (*verification).describeTimes},
	{"submitted address", (*verification).checkSubmitted, (*verification).describeSubmitted},
	{"allowed issuers and domains", (*verification).checkAllowed, nil},
	{"browser's signature", (*verification).checkHolderSignature, (*verification).describeHolder},
	// From here on, DNS and the issuer are asked.
	{"issuer of the domain", (*verification).checkDomain, (*verification).describeDomain},
	{"keys of the issuer", (*verification).findKeys, (*verification).describeKeys},
	{"issuer's signature", (*verification).checkIssuerSignature, (*verification).describeChoice},
	{oneUseStep, (*verification).checkFirstUse, nil},
}

func (v *verification) parse() error { return parseHalves(v.text, &v.evt, &v.kb) }

// result returns the result of a verification that passed all steps (rule 11).
func (v *verification) result() *Result {
	return &Result{Email: v.email, Audience: v.audience, Issuer: v.issuer, Expires: v.expires(), Private: v.private}
}

// checkHeaders applies rule 2, and what Draft02 says about headers.
func (v *verification) checkHeaders() error {
	if err := checkHeader(nameEVT, typEVT, &v.evt); err != nil {
		return err
	}
	if err := checkHeader(nameKB, typKB, &v.kb); err != nil {
		return err
	}
	if v.config.Profile != Draft02 {
		return nil
	}
	switch {
	case v.evt.Alg == jose.EdDSA:
		return draft02(assertion.ErrAlgorithm, nameEVT+" has alg EdDSA", "alg Ed25519")
	case v.kb.Alg == jose.EdDSA:
		return draft02(assertion.ErrAlgorithm, nameKB+" has alg EdDSA", "alg Ed25519")
	case v.evt.Kid == "":
		return draft02(ErrHeader, nameEVT+" has no kid", "a kid that is not empty")
	}
	return nil
}

func checkHeader(half, typ string, t *jose.Token) error {
	if t.Typ != typ {
		return &Error{
			Kind: ErrHeader, Rule: "2.typ", Reason: "header refused: typ of " + half + " is not " + typ,
			Found: fmt.Sprintf("typ %.16q", t.Typ), Expected: "typ " + typ,
			Advice: "the text is a token of another protocol, or its halves are in the wrong order",
		}
	}
	if !jose.Known(t.Alg) {
		return &Error{
			Kind: assertion.ErrAlgorithm, Rule: "2.alg", Reason: "algorithm refused: alg of " + half + " is unknown",
			Found: fmt.Sprintf("alg %.16q", t.Alg), Expected: "alg Ed25519, EdDSA, ES256 or RS256",
			Advice: "the signer must use one of these algorithms, and write its name so",
		}
	}
	for _, name := range [...]string{"crit", "b64"} {
		if _, found := t.Header.Get(name); found {
			return &Error{
				Kind: ErrHeader, Rule: "2.crit", Reason: "header refused: " + half + " has " + name,
				Found: "a header with " + name, Expected: "a header without it",
				Advice: "such a member changes what the signature means; the signer must leave it out",
			}
		}
	}
	return nil
}

// draft02 returns the error for what only the profile Draft02 refuses.
func draft02(kind error, found, expected string) error {
	return &Error{
		Kind: kind, Rule: "10.draft-02", Reason: "refused by the profile draft-02: " + found,
		Found: found, Expected: expected,
		Advice: "the default profile accepts it", Setting: "Profile",
	}
}

// checkBinding applies rule 4 except for the signature.
func (v *verification) checkBinding() error {
	aud, isText := textOf(v.kb.Claims, "aud")
	if !isText {
		return &Error{
			Kind: assertion.ErrAudience, Rule: "4.aud", Reason: "audience mismatch: aud is absent or not a string",
			Found: "no aud that is a string", Expected: v.acceptedOrigins(), Advice: browserAdvice,
		}
	}
	i := slices.IndexFunc(v.origins, func(accepted string) bool { return string(aud) == accepted })
	if i < 0 {
		return &Error{
			Kind: assertion.ErrAudience, Rule: "4.aud", Reason: "audience mismatch",
			Found: fmt.Sprintf("%.200q", aud), Expected: v.acceptedOrigins(), Setting: "Origins",
			Advice: "the token was made for another site, or the relying party's own origin is misconfigured: " +
				"give it as browsers write it, such as https://rp.example",
		}
	}
	v.audience = v.origins[i]
	nonce, _ := textOf(v.kb.Claims, "nonce")
	if subtle.ConstantTimeCompare(nonce, []byte(v.expected.Nonce)) != 1 {
		return v.wrongNonce()
	}
	return v.checkHash()
}

// browserAdvice is about what a browser does by itself.
const browserAdvice = "no browser makes such a token: the software that made it is at fault"

func (v *verification) acceptedOrigins() string { return fmt.Sprintf("%.200q", v.origins) }

func (v *verification) wrongNonce() error {
	raw, found := v.kb.Claims.Get("nonce")
	e := &Error{
		Kind: ErrNonce, Rule: "4.nonce", Reason: "nonce mismatch", Expected: "the nonce of the form that was submitted",
		Found:  "another nonce",
		Advice: "the form was opened in another session, or submitted twice; show it again with a new nonce",
	}
	switch {
	case !found:
		e.Found, e.Advice = "no nonce", browserAdvice
	case string(raw) == `""`:
		e.Found = "an empty nonce"
		e.Advice = "a Content-Security-Policy empties the attribute before the browser reads it: use the script of evp.FormFields"
	}
	return e
}

// checkHash applies the rule 4.sd-hash.
func (v *verification) checkHash() error {
	kb := strings.IndexByte(v.text, '~') + 1
	v.signed = append(v.signed[:0], v.text[:kb]...)
	sum := sha256.Sum256(v.signed)
	raw, found := v.kb.Claims.Get("sd_hash")
	hash, _ := strictjson.Text(raw)
	v.signed = jose.AppendBase64(v.signed[:0], sum[:])
	if bytes.Equal(hash, v.signed) {
		return nil
	}
	e := &Error{
		Kind: ErrBinding, Rule: "4.sd-hash", Reason: "the halves of the token do not belong together",
		Found: "sd_hash of another text", Expected: "sd_hash: the SHA-256 of the issuer's half and the \"~\"",
		Advice: "the issuer's half was exchanged or changed since the browser signed",
	}
	if !found {
		e.Found = "no sd_hash"
	}
	return e
}

// checkSubmitted applies rule 6.
func (v *verification) checkSubmitted() error {
	submitted := v.expected.Email
	switch {
	case submitted == "" || submitted == v.email:
		return nil
	case discovery.Lower(submitted) != discovery.Lower(v.email):
		return &Error{
			Kind: ErrEmail, Rule: "6.submitted", Reason: "email mismatch: the token is about another address than the submitted one",
			Found: "another address", Expected: "the submitted address",
			Advice: "the address was changed after the browser asked for the token: verify it in another way, by a code in a mail",
		}
	case v.config.Profile == Draft02:
		return draft02(ErrEmail, "the address differs from the submitted one in upper and lower case", "the submitted address, byte for byte")
	}
	return nil
}

// checkAllowed applies Config.Issuers and Config.Domains.
func (v *verification) checkAllowed() error {
	switch {
	case v.config.Issuers != nil && !slices.Contains(v.config.Issuers, v.issuer):
		return &Error{
			Kind: assertion.ErrIssuer, Reason: "untrusted issuer: not among those that are accepted here",
			Found: "issuer " + v.issuer, Expected: fmt.Sprintf("%.200q", v.config.Issuers),
			Advice: "if the issuer should be accepted, add it", Setting: "Issuers",
		}
	case v.config.Domains != nil && !slices.Contains(v.config.Domains, v.domain):
		return &Error{
			Kind: ErrEmail, Reason: "email address refused: its domain is not among those that are accepted here",
			Found: "domain " + v.domain, Expected: fmt.Sprintf("%.200q", v.config.Domains),
			Advice: "if addresses of the domain should be accepted, add it", Setting: "Domains",
		}
	}
	return nil
}

// checkHolderSignature applies the rule 4.signature.
func (v *verification) checkHolderSignature() error {
	if v.verifies(v.holder, &v.kb) {
		return nil
	}
	return &Error{
		Kind: assertion.ErrSignature, Rule: "4.signature", Reason: "invalid signature of the browser's half",
		Found: "not signed by the key in cnf, or changed since", Expected: "a signature by the key in cnf, " + describeKey(v.holder),
		Advice: "the text was changed on its way, or is forged by someone who has the issuer's half only",
	}
}

// describeKey returns the algorithm and the length of a key, such as "RS256 of 2048 bits".
func describeKey(k *jose.PublicKey) string {
	return fmt.Sprintf("%s of %d bits", k.Algorithm(), k.Bits())
}
