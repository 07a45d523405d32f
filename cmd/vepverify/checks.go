package main

import (
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/vepverify/vepverify/assertion"
)

// checks are the flags of the commands that verify what they are given: where
// keys come from, by which rules, and as of when.
type checks struct {
	network
	judgement
	now instant
}

func newChecks() checks {
	return checks{network: newNetwork(), judgement: newJudgement()}
}

func (k *checks) flags() []cli.Flag {
	own := []cli.Flag{
		valueFlag(&k.now, "now", "verify as of `TIME`: 2026-01-31T12:00:00Z or milliseconds since 1970"),
	}
	return slices.Concat(own, k.judgement.flags(), k.network.flags(), k.judgement.insecureFlags())
}

// verifier makes what the flags describe.
func (k *checks) verifier(c *cli.Context, p *process) (*assertion.Verifier, error) {
	keys, err := k.source(c, p)
	if err != nil {
		return nil, err
	}
	return k.judgement.verifier(c, assertion.Config{Keys: keys, Now: k.now.clock(p.now)})
}
