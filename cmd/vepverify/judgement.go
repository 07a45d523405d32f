package main

import (
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vepverify/vepverify/assertion"
)

// judgement is by which rules assertions are judged, in the commands that
// verify.
type judgement struct {
	fallback          string
	trusted           list
	leeway            span
	maxChain          count
	weakKeys          bool
	unavailableIsDead bool
}

func newJudgement() judgement {
	return judgement{leeway: span(30 * time.Second), maxChain: count{1, 1, assertion.MaxChainLimit}}
}

func (j *judgement) flags() []cli.Flag {
	return []cli.Flag{
		valueFlag(&j.leeway, "leeway", "`TIME` by which clocks may differ, at most 5m"),
		valueFlag(&j.maxChain, "max-chain", "`NUMBER` of certificates to accept"),
		textFlag(&j.fallback, "fallback", "`DOMAIN` that speaks for domains without BrowserID"),
		valueFlag(&j.trusted, "trusted-issuer", "`DOMAIN` to believe for any email address (repeatable)"),
	}
}

func (j *judgement) insecureFlags() []cli.Flag {
	return []cli.Flag{
		switchFlag(&j.weakKeys, "insecure-weak-keys", "accept RSA keys that anyone can break, for archives"),
		switchFlag(&j.unavailableIsDead, "insecure-fallback-on-unavailable", "let the fallback speak for domains out of reach"),
	}
}

// verifier makes a verifier by these rules. The configuration given says the
// rest: keys, clock, one-use guard.
func (j *judgement) verifier(c *cli.Context, config assertion.Config) (*assertion.Verifier, error) {
	if j.unavailableIsDead && j.fallback == "" {
		return nil, usageError(c, "--insecure-fallback-on-unavailable needs --fallback")
	}
	config.Leeway = time.Duration(j.leeway)
	if config.Leeway == 0 {
		config.Leeway = -1 // none; the library's 0 is its default
	}
	config.MaxChain, config.Fallback, config.TrustedIssuers = j.maxChain.value, j.fallback, j.trusted
	config.InsecureWeakKeys, config.InsecureFallbackOnUnavailable = j.weakKeys, j.unavailableIsDead
	v, err := assertion.NewVerifier(config)
	if err != nil {
		return nil, usageError(c, "%w", unprefixed{err})
	}
	return v, nil
}
