package bundlename_test

import (
	"testing"

	"github.com/vepverify/vepverify/internal/bundlename"
	"github.com/vepverify/vepverify/internal/strictjson"
)

func TestForTokens(t *testing.T) {
	for entry, want := range map[string]struct{ name, entry bool }{
		`"_email-verification.mail.example":["iss=issuer.example"]`: {true, true},
		`"_email-verification.mail.example":null`:                   {true, true},
		`"_email-verification.mail.example":{"disabled":true}`:      {true, false},
		`"https://issuer.example/jwks":{"keys":[]}`:                 {true, true},
		`"https://issuer.example":null`:                             {true, true},
		`"http://issuer.example/jwks":null`:                         {false, false},
		`"HTTPS://issuer.example/jwks":null`:                        {false, false},
		`"_Email-Verification.mail.example":null`:                   {false, false},
		`"mail.example":null`:                                       {false, false},
		`"":{}`:                                                     {false, false},
	} {
		o, err := strictjson.ParseObject([]byte("{" + entry + "}"))
		if err != nil {
			t.Fatal(err)
		}
		if bundlename.ForTokens(o[0].Name) != want.name || bundlename.EntryForTokens(o[0]) != want.entry {
			t.Errorf("%s: want %v", entry, want)
		}
	}
}
