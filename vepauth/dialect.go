package vepauth

import "fmt"

// dialect is what the two schemes differ in.
type dialect interface {
	scheme() Scheme
	// authScheme begins the header Authorization of signed requests.
	authScheme() string
	// read fills in a proof from that header's parameters. It errs with a refusal.
	read(p *proof, params []parameter) error
	// present makes the proof of a client, header the header's text for it.
	present(c Credentials, timestamp, nonce string) *proof
	header(p *proof, signature string) string
	// mac signs what the proof and the message say.
	mac(p *proof, secret string, m message) ([]byte, error)
	// signsForms says whether mac covers form bodies.
	signsForms() bool
	// knows says whether Credentials.Method may be that.
	knows(method string) bool
	// answer is what a token endpoint answers.
	answer(t Token) map[string]any
}

func dialectOf(s Scheme) (dialect, error) {
	switch s {
	case "", OAuthVEP:
		return oauth{}, nil
	case MACBrowserID:
		return mac{}, nil
	}
	return nil, fmt.Errorf("the scheme %q is neither %s nor %s", s, OAuthVEP, MACBrowserID)
}

// proof is what a signed request says of itself in its header Authorization.
type proof struct {
	token, timestamp, nonce string
	signature               string      // in base64
	method                  string      // OAuth: the signature method
	signed                  []parameter // OAuth: those of the header
	foreign                 bool        // OAuth: one of them is not a protocol parameter
	ext                     string      // MAC

	// Room for the header's parameters and for signed: one allocation for all.
	header, room [8]parameter
}

// complete errs unless everything is there that both schemes want.
func (p *proof) complete() error {
	switch {
	case p.token == "":
		return unauthorized("no token in the header Authorization")
	case p.timestamp == "":
		return unauthorized("no timestamp in the header Authorization")
	case p.nonce == "":
		return unauthorized("no nonce in the header Authorization")
	case p.signature == "":
		return unauthorized("no signature in the header Authorization")
	}
	return nil
}
