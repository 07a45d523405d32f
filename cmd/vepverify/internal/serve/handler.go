package serve

import (
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/verifyapi"
)

// handler returns the API.
func (s *command) handler(c *cli.Call, files *files, guard guard, health *health) (*verifyapi.Handler, error) {
	keys, err := s.issuers(c, files)
	if err != nil {
		return nil, err
	}
	config := assertion.Config{Keys: keys, Now: c.Now}
	if guard.store != nil {
		if err := s.checkMaxLife(c, guard.store); err != nil {
			return nil, err
		}
		config.OneUse, config.MaxLife = guard.store, time.Duration(s.maxLife)
	}
	v, err := s.Trust.Verifier(c, config)
	if err != nil {
		return nil, err
	}
	tokens, err := s.tokenVerifier(c, files, guard)
	if err != nil {
		return nil, err
	}
	metrics, err := verifyapi.NewMetrics(files.metrics)
	if err != nil {
		return nil, err
	}
	h, err := verifyapi.New(verifyapi.Config{
		Verifier: v, Tokens: tokens, UndecidedStatus: int(s.undecided), MaxBody: int64(s.maxBody.N),
		InFlight: s.inFlight.N, Queue: s.queue.N, Lookups: s.lookups.N,
		Components: health.components, Logger: files.logger, LogEmails: s.logEmails, Metrics: metrics, Unavailable: s.testFailure,
	})
	if err != nil {
		return nil, c.UsageErrorf("%w", err)
	}
	return h, nil
}

// checkMaxLife returns an error if the store cannot remember assertions for as long as
// --max-life needs. Package assertion has this limit.
func (s *command) checkMaxLife(c *cli.Call, store oneUseStore) error {
	longest := store.MaxLife() - 2*time.Duration(s.Leeway)
	if life := time.Duration(s.maxLife); life > longest {
		return c.UsageErrorf("--max-life %s: more than %s, which the store can remember with --leeway %s", cli.FormatSpan(life), cli.FormatSpan(longest), s.Leeway.String())
	}
	return nil
}

// issuers returns the source of the issuers' keys. The files of --keys are added to files.
func (s *command) issuers(c *cli.Call, files *files) (assertion.KeySource, error) {
	if s.insecureSSL || s.insecureHTTP {
		return s.insecureResolver(c)
	}
	if s.Keys == "" {
		return s.Source(c)
	}
	k := &keysFile{network: &s.Network, logger: files.logger}
	files.keys = k
	files.watch("keys", "keys", k.load, s.Keys)
	if _, err := s.Offline(c); err != nil {
		return nil, err
	}
	if err := k.read(); err != nil {
		return nil, err
	}
	return k, nil
}
