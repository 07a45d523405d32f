package evp

import (
	"strings"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp/internal/discovery"
	"github.com/vepverify/vepverify/evp/internal/jose"
	"github.com/vepverify/vepverify/internal/strictjson"
)

// checkIssuerClaims reads the claims of the issuer's half (rule 3). The times are compared
// with the clock later.
func (v *verification) checkIssuerClaims() (err error) {
	if v.evtTimes, err = readTimes(&v.evt, nameEVT); err != nil {
		return err
	}
	if err := v.readIssuer(); err != nil {
		return err
	}
	if err := v.readEmail(); err != nil {
		return err
	}
	return v.readHolder()
}

// badClaim returns the error for a claim that is absent or not what it must be.
func badClaim(rule, found, expected string) error {
	return &Error{
		Kind: ErrClaims, Rule: rule, Reason: "claims refused: " + found, Found: found, Expected: expected,
		Advice: "the software that made this half must write the claim so",
	}
}

// readIssuer reads the claim iss. Rule 8.iss compares it, so that here it is only a URL of
// a host.
func (v *verification) readIssuer() error {
	iss, ok := text(v.evt.Claims, "iss")
	host, https := strings.CutPrefix(iss, "https://")
	if !ok || !https || !discovery.IsHost(host) {
		return badClaim("3.iss", "iss is not https:// and a host name", "iss: https:// and a host name in lower case, without port and path")
	}
	v.issuer = host
	return nil
}

// readEmail reads the claims email, email_verified and is_private_email.
func (v *verification) readEmail() error {
	email, ok := text(v.evt.Claims, "email")
	if !ok {
		return badClaim("3.email", "email is absent or not a string", "email: an email address")
	}
	if v.domain, ok = discovery.EmailDomain(email); !ok {
		return &Error{
			Kind: ErrEmail, Rule: "3.email", Reason: "email address refused: not an address of this protocol",
			Found: "an email that is not such an address",
			Expected: "an address as in a field of HTML, of at most 254 bytes, with a domain in lower case " +
				"of at least two labels that is not an IP address",
			Advice: "the issuer must write the address so; verify others in another way, by a code in a mail",
		}
	}
	v.email = email
	if verified, _ := v.evt.Claims.Get("email_verified"); string(verified) != "true" {
		return badClaim("3.email-verified", "email_verified is not true", "email_verified: true")
	}
	private, found := v.evt.Claims.Get("is_private_email")
	if v.private = string(private) == "true"; found && !v.private && string(private) != "false" {
		return badClaim("3.private", "is_private_email is not a boolean", "is_private_email: true or false, or absent")
	}
	return nil
}

// readHolder reads the browser's key (rule 3.holder-key).
func (v *verification) readHolder() (err error) {
	const expected = "cnf: {\"jwk\": a public key of Ed25519, P-256, or RSA of 2048 to 4096 bits}"
	raw, _ := v.evt.Claims.Get("cnf")
	if v.cnf, err = strictjson.AppendObject(v.cnf[:0], raw); err != nil {
		return holderRefused("cnf is not an object", expected, nil)
	}
	jwk, found := v.cnf.Get("jwk")
	if !found {
		return holderRefused("cnf has no jwk", expected, nil)
	}
	if v.holder, err = jose.ParsePublicKey(jwk); err != nil {
		return holderRefused("cnf.jwk: "+err.Error(), expected, err)
	}
	if !v.holder.Fits(v.kb.Alg) {
		e := holderRefused("cnf.jwk is not for the alg of "+nameKB, "a key of "+v.kb.Alg+", with this alg or none", nil)
		e.Kind = assertion.ErrAlgorithm
		return e
	}
	if v.config.Profile != Draft02 {
		return nil
	}
	switch v.holder.Alg() {
	case "":
		return draft02(assertion.ErrKey, "cnf.jwk has no alg", "cnf.jwk with an alg")
	case jose.EdDSA:
		return draft02(assertion.ErrAlgorithm, "cnf.jwk has alg EdDSA", "alg Ed25519")
	}
	return nil
}

func holderRefused(found, expected string, cause error) *Error {
	return &Error{
		Kind: assertion.ErrKey, Rule: "3.holder-key", Reason: "the browser's key is refused: " + found, cause: cause,
		Found: found, Expected: expected,
		Advice: "the issuer must copy the public key from the browser's request, without private members",
	}
}
