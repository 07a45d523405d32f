// Command peers runs other implementations of what this project implements, and prints a
// table of what each of them agrees with. docs/PEERS.md has the tables and says what they
// show. Use the script run, which installs the peers first:
//
//	tools/peers/run [--check | --write] [PEER…]
//
// With --check it fails if a table is not the one of docs/PEERS.md. With --write it updates
// the document. It is not part of the product: nothing imports it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"time"
)

// document is the file with the tables, seen from the folder of this program.
const document = "../../docs/PEERS.md"

// peer is another implementation.
type peer struct {
	name string
	run  func(context.Context) (table, error)
}

var peers = []peer{
	{"browserid-local-verify", runBrowserID},
	{"jwcrypto", runJwcrypto},
	{"nist-cavp", runCAVP},
	{"python3-oauthlib", runOAuthlib},
	{"python3-requests-oauthlib", runRequestsOAuthlib},
	{"oauth-1.0a", runOAuth10a},
	{"dghubble-oauth1", runDghubble},
	{"passport-persona", runPassport},
	{"express-browserid", runExpress},
}

func main() {
	check := flag.Bool("check", false, "fail if a table is not the one of docs/PEERS.md")
	write := flag.Bool("write", false, "update docs/PEERS.md")
	list := flag.Bool("list", false, "list the names of the peers")
	flag.Parse()
	if *list {
		for _, p := range peers {
			fmt.Println(p.name)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, flag.Args(), *check, *write); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, names []string, check, write bool) error {
	chosen, err := choose(names)
	if err != nil {
		return err
	}
	tables := make([]table, len(chosen))
	for i, p := range chosen {
		begin := time.Now()
		if tables[i], err = p.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		fmt.Printf("%s\n\n%s\n", p.name, tables[i])
		fmt.Fprintf(os.Stderr, "%s: %.1f s\n", p.name, time.Since(begin).Seconds())
	}
	if !check && !write {
		return nil
	}
	old, err := os.ReadFile(document)
	if err != nil {
		return err
	}
	text := string(old)
	for i, p := range chosen {
		if text, err = replaceTable(text, p.name, tables[i]); err != nil {
			return err
		}
	}
	switch {
	case write:
		return os.WriteFile(document, []byte(text), 0o644)
	case text != string(old):
		return fmt.Errorf("docs/PEERS.md has other tables:\n%s\n--write updates it", difference(string(old), text))
	}
	return nil
}

// choose returns the peers with these names, or all.
func choose(names []string) ([]peer, error) {
	if len(names) == 0 {
		return peers, nil
	}
	var chosen []peer
	for _, name := range names {
		i := slices.IndexFunc(peers, func(p peer) bool { return p.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no peer %q; --list lists them", name)
		}
		chosen = append(chosen, peers[i])
	}
	return chosen, nil
}
