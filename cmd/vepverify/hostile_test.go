package main

import (
	"context"
	"os"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/identity"
)

// hostileText has control sequences for terminals: colors, a title, C1 controls,
// the writing direction, a bell.
const hostileText = "\x1b[31mred\x1b]0;title\a \u009b2J \u202e\x7f end"

// hostile writes an assertion of the fixtures' issuer with hostileText in its claims. It
// is valid at https://rp.example on 2026-01-01.
func hostile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: hostile FILE")
	}
	p := new(cli.Process)
	issuer, err := identity.ReadPrivateKey(context.Background(), p, ts.MkAbs("issuer.key"), false)
	ts.Check(err)
	user, err := identity.Read(context.Background(), p, ts.MkAbs("ada.json"), false)
	ts.Check(err)
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	extra := map[string]any{"name": hostileText, "na\x1b[2Jme\n2": []string{hostileText}}
	certificate, err := certchain.Issue(certchain.Template{
		Issuer: "idp.example", Email: user.Email, PublicKey: user.PrivateKey.Public(),
		IssuedAt: at, Expires: at.Add(time.Hour), Extra: extra,
	}, issuer)
	ts.Check(err)
	text, err := assertion.Sign(assertion.Template{
		Audience: "https://rp.example", Expires: at.Add(time.Hour), Extra: extra,
	}, user.PrivateKey, certificate)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}
