package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/vepverify/vepverify/evp/evptest"
)

// mint writes a token for alice@mail.example and https://rp.example with the nonce "nonce", which is
// valid now, and what its issuer example.com publishes: in dns for $DNS, and in site for $IDP.
func mint(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mint ALGORITHM FILE")
	}
	issuer := evptest.NewIssuer("example.com", []string{"mail.example"}, evptest.TestKey(args[0]))
	world := evptest.New(issuer).At(time.Now())
	token := world.Token(evptest.Request{Email: "alice@mail.example", Origin: "https://rp.example", Nonce: "nonce"})
	write := func(name string, data []byte) {
		name = ts.MkAbs(name)
		ts.Check(os.MkdirAll(filepath.Dir(name), 0o700))
		ts.Check(os.WriteFile(name, data, 0o600))
	}
	writeJSON := func(name string, document any) {
		data, err := json.Marshal(document)
		ts.Check(err)
		write(name, data)
	}
	write(args[1], []byte(token+"\n"))
	write("dns/_email-verification.mail.example", []byte(issuer.Record()+"\n"))
	writeJSON("site/.well-known/email-verification", issuer.Metadata())
	writeJSON("site/jwks", issuer.JWKS())
}
