package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/vepverify/vepverify/bench/internal/workload"
	"github.com/vepverify/vepverify/evp/evptest"
)

// evpPackages are the packages of npm that verify tokens.
var evpPackages = []string{"jose", "email-verification-api"}

//go:embed evp.mjs
var evpJS []byte

// addEVPNode adds the packages of npm that are installed in a folder, as the tests of
// evp/internal/npm expect it.
func (f *suite) addEVPNode(ctx context.Context, folder string, pools []*evpPool) error {
	folder, err := evpFolder(folder)
	if err != nil {
		return err
	}
	p, err := startEVPNode(ctx, folder)
	if err != nil {
		return err
	}
	f.closers = append(f.closers, p.Close)
	n := &node{p}
	var versions map[string]string
	if err := n.exchange(evpSetup(pools), &versions); err != nil {
		return err
	}
	for name, version := range versions {
		f.versions[name] = version
	}
	for i, pair := range evpPairs {
		for _, name := range evpPackages {
			slot := func(d time.Duration) (sample, error) { return n.work(name+" "+pair.String(), d) }
			if _, err := slot(time.Second); err != nil { // this warms up
				f.note("%s, %s: %v", name, pair, err)
				continue
			}
			f.add(i, name, "", slot)
		}
	}
	return nil
}

// evpFolder returns the folder with the packages, or an error if one is missing.
func evpFolder(folder string) (string, error) {
	if folder == "" {
		if folder = os.Getenv("EVP_NPM"); folder == "" {
			cache, err := os.UserCacheDir()
			if err != nil {
				return "", err
			}
			folder = filepath.Join(cache, "vepverify", "evp-npm")
		}
	}
	for _, name := range evpPackages {
		if _, err := os.Stat(filepath.Join(folder, "node_modules", name, "package.json")); err != nil {
			return "", fmt.Errorf("%s is not installed: see evp/internal/npm/doc.go", name)
		}
	}
	return filepath.Abs(folder)
}

// startEVPNode starts a process that runs evp.mjs.
func startEVPNode(ctx context.Context, folder string) (*peer, error) {
	program, err := exec.LookPath("node")
	if err != nil {
		return nil, errors.New("node is not installed")
	}
	script, err := os.CreateTemp("", "compare-*.mjs")
	if err != nil {
		return nil, err
	}
	defer os.Remove(script.Name()) // Node has read it when it answers
	_, err = script.Write(evpJS)
	if err := errors.Join(err, script.Close()); err != nil {
		return nil, err
	}
	p, err := startPeer(exec.CommandContext(ctx, program, script.Name(), folder))
	if err != nil {
		return nil, err
	}
	var ready bool
	if err := p.answers.Decode(&ready); err != nil || !ready {
		p.Close()
		return nil, errors.New("node does not run the packages")
	}
	return p, nil
}

// evpSetup returns the message with everything that the process must know.
func evpSetup(pools []*evpPool) any {
	type setup struct {
		Metadata evptest.Object `json:"metadata"`
		JWKS     evptest.Object `json:"jwks"`
		Record   string         `json:"record"`
		Tokens   []evpToken     `json:"tokens"`
	}
	all := make(map[string]setup)
	for i, pool := range pools {
		issuer := pool.world.Issuer()
		all[evpPairs[i].String()] = setup{issuer.Metadata(), issuer.JWKS(), issuer.Record(), pool.tokens}
	}
	return map[string]any{"audience": workload.Audience, "now": workload.Now.UnixMilli(), "pools": all}
}
