package verifyapi

import "github.com/vepverify/vepverify/assertion"

// BuiltVersion is builtVersion, for tests.
var BuiltVersion = builtVersion

// OkayTexts returns the answer for a result as it is sent, and as json.Marshal
// encodes it.
func OkayTexts(audience string, res *assertion.Result) (sent, marshalled []byte) {
	p := &params{audience: audience}
	return okayText(p, res), marshalOkay(p, res)
}
