package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/certchain"
)

const assertHelp = `Makes a backed assertion, certificate~assertion, with which the owner of an identity file
signs in at one site. Whoever has it can use it there until it expires.

Example:
  vepverify assert --identity ada.json --audience https://rp.example > assertion.txt

Exit status:
  0 done   2 usage, an identity that cannot be read or has expired`

// signing is the command assert.
type signing struct {
	*process
	identity string
	audience string
	duration span
	now      instant
	weakKeys bool
}

func assertCommand(p *process) *cli.Command {
	s := &signing{process: p, duration: span(2 * time.Minute)}
	return &cli.Command{
		Name: "assert", Usage: "make an assertion, as a browser does",
		Description: assertHelp, Action: s.run,
		Flags: []cli.Flag{
			textFlag(&s.identity, "identity", "the identity, a `FILE` of certify (needed)"),
			textFlag(&s.audience, "audience", "the site's `ORIGIN`, such as https://rp.example (needed)"),
			valueFlag(&s.duration, "duration", "how long the assertion is valid, a `TIME`"),
			valueFlag(&s.now, "now", "sign as of `TIME`: 2026-01-31T12:00:00Z or milliseconds"),
			switchFlag(&s.weakKeys, "insecure-weak-keys", "allow keys that anyone can break (RS64)"),
		},
	}
}

func (s *signing) run(c *cli.Context) error {
	missing := missingFlag(c, "identity", "audience")
	switch {
	case c.NArg() > 0:
		return usageError(c, "assert takes flags only; the identity is named by --identity")
	case missing != "":
		return usageError(c, "--%s is missing", missing)
	case s.duration == 0:
		return usageError(c, "--duration 0: the assertion would never be valid")
	}
	id, err := s.readIdentity(c.Context, s.identity, s.weakKeys)
	if err != nil {
		return err
	}
	at := s.now.clock(s.process.now)()
	if err := id.usable(at); err != nil {
		return fmt.Errorf("%s: %w", nameOf(s.identity), err)
	}
	text, err := assertion.Sign(assertion.Template{
		Audience: s.audience, Expires: at.Add(time.Duration(s.duration)),
	}, id.PrivateKey, id.Certificate)
	if err != nil {
		return usageError(c, "%w", err)
	}
	fmt.Fprintln(s.out, text)
	return nil
}

// usable errs when no assertion made with the identity could hold.
func (id *identity) usable(at time.Time) error {
	certificate, err := certchain.ParseCertificate(id.Certificate)
	if err != nil {
		return fmt.Errorf("its certificate: %w", err)
	}
	key, err := certificate.PublicKey(true) // weakness has been judged with the private half
	if err != nil {
		return err
	}
	if !key.Equal(id.PrivateKey.Public()) {
		return errors.New("its certificate is about another key than the one in it")
	}
	if err := certificate.Validity.Check(at, 0); err != nil {
		return fmt.Errorf("its certificate is not valid now (%w): make a new one with vepverify certify", err)
	}
	return nil
}
