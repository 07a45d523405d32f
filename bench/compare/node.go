package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/vepverify/vepverify/bench/internal/workload"
)

const nodePackage = "browserid-local-verify"

// nodeVersion is the last one that was published.
const nodeVersion = "0.5.2"

//go:embed verify.js
var verifyJS []byte

// addNode takes Mozilla's verifier in, or notes why not.
func (f *field) addNode(ctx context.Context, folder string) {
	if err := f.startNode(ctx, folder); err != nil {
		f.note("%s: %v", nodePackage, err)
	}
}

func (f *field) startNode(ctx context.Context, folder string) error {
	folder, err := installNode(ctx, folder)
	if err != nil {
		return err
	}
	n, err := newNode(ctx, folder)
	if err != nil {
		return err
	}
	f.closers = append(f.closers, n.Close)
	about, err := n.setUp(f.cold)
	if err != nil {
		return err
	}
	arithmetic := "arithmetic in JavaScript"
	if about.Native {
		arithmetic = "arithmetic by bignum, native"
	}
	f.versions[nodePackage] = about.Version + ", " + arithmetic
	f.versions["Node"] = about.Node
	for i, p := range pairs {
		// What cannot be verified is not measured, and what can is compiled.
		if _, err := n.slot(p, time.Second); err != nil {
			f.note("%s, %s: %v", nodePackage, p, err)
			continue
		}
		f.add(i, nodePackage, "", func(d time.Duration) (sample, error) { return n.slot(p, d) })
	}
	return nil
}

// installNode installs the package, once for all runs. The install scripts of
// its dependencies are from 2016; one of them fails with today's Node. So none
// is run but the two that matter: one that puts together a file that the package
// cannot do without, and one that builds the native arithmetic, which it can.
func installNode(ctx context.Context, folder string) (string, error) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", errors.New("there is no npm on this machine")
	}
	if folder, err = nodeFolder(folder); err != nil {
		return "", err
	}
	done := filepath.Join(folder, "installed")
	if _, err := os.Stat(done); err == nil {
		return folder, nil
	}
	if err := runIn(ctx, folder, npm, "install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund",
		nodePackage+"@"+nodeVersion); err != nil {
		return "", err
	}
	if err := runIn(ctx, filepath.Join(folder, "node_modules", "browserid-crypto"), "node", "scripts/package.js"); err != nil {
		return "", err
	}
	// Without a compiler it does its arithmetic in JavaScript, which the report says.
	if err := runIn(ctx, folder, npm, "rebuild", "--prefix", folder, "bignum"); err != nil {
		fmt.Fprintln(os.Stderr, "compare: no native arithmetic for Node:", err)
	}
	return folder, os.WriteFile(done, nil, 0o644)
}

func nodeFolder(folder string) (string, error) {
	if folder == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		folder = filepath.Join(cache, "vepverify-bench", nodePackage+"-"+nodeVersion)
	}
	folder, err := filepath.Abs(folder)
	if err != nil {
		return "", err
	}
	return folder, os.MkdirAll(folder, 0o755)
}

// runIn runs a program in a folder, whose last lines are its error.
func runIn(ctx context.Context, folder, name string, args ...string) error {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = folder
	out, err := c.CombinedOutput()
	if err == nil {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	last := lines[max(0, len(lines)-3):]
	return fmt.Errorf("%s %s: %w: %s", filepath.Base(name), args[0], err, strings.Join(last, " / "))
}

// node is a process that runs verify.js.
type node struct{ *peer }

func newNode(ctx context.Context, folder string) (*node, error) {
	script := filepath.Join(folder, "verify.js")
	if err := os.WriteFile(script, verifyJS, 0o644); err != nil {
		return nil, err
	}
	p, err := startPeer(exec.CommandContext(ctx, "node", script, folder))
	if err != nil {
		return nil, err
	}
	return &node{p}, nil
}

// aboutNode is the answer to the setup.
type aboutNode struct {
	Version, Node string
	Native        bool
}

func (n *node) setUp(pools []*workload.Pool) (about aboutNode, err error) {
	documents, texts := make(map[string]string), make(map[string][]string)
	for _, p := range pools {
		documents[p.Domain] = string(p.Document)
		texts[p.Pair.String()] = p.Texts
	}
	err = n.exchange(map[string]any{
		"audience": workload.Audience, "now": workload.Now.UnixMilli(), "documents": documents, "pools": texts,
	}, &about)
	return about, err
}

func (n *node) slot(p workload.Pair, d time.Duration) (sample, error) {
	var answer struct {
		Error       string
		Count       int
		Nanoseconds int64
	}
	err := n.exchange(map[string]any{"pool": p.String(), "milliseconds": float64(d.Microseconds()) / 1000}, &answer)
	switch {
	case err != nil:
		return sample{}, err
	case answer.Error != "":
		return sample{}, errors.New(answer.Error)
	}
	return sample{perOne(time.Duration(answer.Nanoseconds), answer.Count), -1}, nil
}

func (n *node) exchange(message, answer any) error {
	if err := n.peer.exchange(message, answer); err != nil {
		return fmt.Errorf("the Node process: %w", err)
	}
	return nil
}
