package verifyapi_test

import (
	"encoding/json"
	"testing"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/verifyapi"
)

// TestOkayText: the answer is what json.Marshal makes of it, whatever the strings
// hold.
func TestOkayText(t *testing.T) {
	texts := []string{"", email, "a&b@idp.example", "<>", `"`, `\`, "\x00", "\n", "\x7f", "\u00e9", "\u2028", "\xff", "~", " "}
	for _, address := range texts {
		for _, audience := range texts {
			for _, claims := range []map[string]json.RawMessage{nil, {}, {"a": json.RawMessage("1")}} {
				sent, want := verifyapi.OkayTexts(audience, &assertion.Result{Email: address, Issuer: audience, Expires: now, IDPClaims: claims})
				if string(sent) != string(want) {
					t.Errorf("%s, not %s", sent, want)
				}
			}
		}
	}
}
