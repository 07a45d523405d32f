package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/keys"
)

const (
	issuer   = "idp.example"
	audience = "https://rp.example"
	perUser  = 10 // assertions
)

var now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// crowd is the assertions of many users of one issuer.
type crowd struct {
	documents string   // the file with the issuer's support document
	together  []string // a user's in a row
	spread    []string // every user's first, then every user's second, …
}

func newCrowd(assertions int, documents string) (*crowd, error) {
	idp := idptest.New(issuer, idptest.Key("RS256")).At(now)
	bundle, err := json.Marshal(map[string]any{issuer: idp.Document()})
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(documents, bundle, 0o600); err != nil {
		return nil, err
	}
	users := assertions / perUser
	c := &crowd{documents: documents, together: make([]string, users*perUser)}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for user := range users {
		group.Go(func() error { return mint(idp, user, c.together[user*perUser:][:perUser]) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for turn := range perUser {
		for user := range users {
			c.spread = append(c.spread, c.together[user*perUser+turn])
		}
	}
	return c, nil
}

// mint makes assertions of a new user: each expires a millisecond later.
func mint(idp *idptest.IdP, user int, into []string) error {
	key, err := keys.Generate("DS128")
	if err != nil {
		return err
	}
	certificate, err := idp.Certificate(fmt.Sprintf("user%d@%s", user, issuer), key.Public()).Encode()
	if err != nil {
		return err
	}
	for i := range into {
		expires := now.Add(idptest.AssertionLife + time.Duration(i)*time.Millisecond)
		into[i], err = assertion.Sign(assertion.Claim{Audience: audience, Expires: expires}, key, certificate)
		if err != nil {
			return err
		}
	}
	return nil
}

// appendLine appends the line for an assertion.
func appendLine(to []byte, id int64, text string) []byte {
	to = strconv.AppendInt(append(to, `{"id":`...), id, 10)
	to = append(append(to, `,"assertion":"`...), text...)
	return append(to, `","audience":"`+audience+"\"}\n"...)
}

// command is the command measured, about to answer lines about the crowd.
func (c *crowd) command(ctx context.Context, program string, more ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, append([]string{
		"batch", "--quiet", "--keys", c.documents, "--now", strconv.FormatInt(now.UnixMilli(), 10),
	}, more...)...)
	cmd.Stderr = os.Stderr
	return cmd
}
