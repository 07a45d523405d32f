package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"

	"github.com/vepverify/vepverify/bench/internal/workload"
)

const (
	issuer  = "idp.example"
	perUser = 10 // assertions of a user
)

// inputs are the assertions of many users of one issuer.
type inputs struct {
	documents string   // the file with the issuer's support document
	together  []string // all assertions of a user in a row
	spread    []string // the first of every user, then the second of every user, …
}

func newInputs(assertions int, documents string) (*inputs, error) {
	users := assertions / perUser
	returning, err := workload.NewReturningUsers(issuer, users, workload.Now)
	if err != nil {
		return nil, err
	}
	document, err := returning.Document()
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(documents, fmt.Appendf(nil, `{%q:%s}`, issuer, document), 0o600); err != nil {
		return nil, err
	}
	c := &inputs{documents: documents}
	if c.spread, err = returning.Assertions(users*perUser, perUser); err != nil {
		return nil, err
	}
	for user := range users {
		for turn := range perUser {
			c.together = append(c.together, c.spread[turn*users+user])
		}
	}
	return c, nil
}

// appendLine appends the line for an assertion.
func appendLine(to []byte, id int64, text string) []byte {
	to = strconv.AppendInt(append(to, `{"id":`...), id, 10)
	to = append(append(to, `,"assertion":"`...), text...)
	return append(to, `","audience":"`+workload.Audience+"\"}\n"...)
}

// command returns the measured command, not started.
func (c *inputs) command(ctx context.Context, program string, more ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, append([]string{
		"batch", "--quiet", "--keys", c.documents, "--now", strconv.FormatInt(workload.Now.UnixMilli(), 10),
	}, more...)...)
	cmd.Stderr = os.Stderr
	return cmd
}
