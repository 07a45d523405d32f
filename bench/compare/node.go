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

// nodeVersion is the last published version.
const nodeVersion = "0.5.2"

//go:embed verify.js
var verifyJS []byte

// addNode adds Mozilla's verifier, or a note if that fails.
func (f *suite) addNode(ctx context.Context, folder string) {
	if err := f.startNode(ctx, folder); err != nil {
		f.note("%s: %v", nodePackage, err)
	}
}

func (f *suite) startNode(ctx context.Context, folder string) error {
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
		// A pair that Node cannot verify is not measured. For the others this warms up.
		if _, err := n.slot(p, time.Second); err != nil {
			f.note("%s, %s: %v", nodePackage, p, err)
			continue
		}
		f.add(i, nodePackage, "", func(d time.Duration) (sample, error) { return n.slot(p, d) })
	}
	return nil
}

// installNode installs the package once for all runs. The install scripts of its
// dependencies are from 2016, and one of them fails with today's Node. So only two are
// run: one that builds a required file, and one that builds the native arithmetic, which is
// optional.
func installNode(ctx context.Context, folder string) (string, error) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", errors.New("npm is not installed")
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
	// Without a compiler the arithmetic is in JavaScript. The report says so.
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

// runIn runs a program in a folder. The error has the last lines of its output.
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

// node is a process that runs verify.js or evp.mjs.
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

// aboutNode is the process's answer to the setup message.
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

func (n *node) slot(p workload.Pair, d time.Duration) (sample, error) { return n.work(p.String(), d) }

// work returns a sample of one pool.
func (n *node) work(pool string, d time.Duration) (sample, error) {
	var answer struct {
		Error       string
		Count       int
		Nanoseconds int64
	}
	err := n.exchange(map[string]any{"pool": pool, "milliseconds": float64(d.Microseconds()) / 1000}, &answer)
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
