package demo

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/demo/evpdemo"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/servers"
)

// runEVP serves the demo of the Email Verification Protocol until ctx ends or the browser
// that it has started is closed.
func (d *command) runEVP(ctx context.Context, c *cli.Call) error {
	if d.open {
		if err := evpdemo.Installed(); err != nil {
			return err
		}
	}
	listener, err := d.listen(c, "site", 0)
	if err != nil {
		return err
	}
	defer listener.Close()
	served, err := evpdemo.New(evpdemo.Config{
		Address: fmt.Sprintf("127.0.0.1:%d", listener.Addr().(*net.TCPAddr).Port), Now: c.Now,
		Logger: slog.New(slog.NewTextHandler(c.Err, nil)),
	})
	if err != nil {
		return err
	}
	browser, err := served.NewBrowser()
	if err != nil {
		return err
	}
	defer func() {
		if left := browser.Remove(); left != nil {
			fmt.Fprintf(c.Err, "NOTE: %v\n", left)
		}
	}()
	if err := d.announceEVP(c, browser, listener); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	closed := make(chan error, 1)
	if d.open {
		go func() { closed <- browser.Run(ctx); stop() }()
	} else {
		closed <- nil
	}
	err = servers.Run(ctx, map[net.Listener]*http.Server{tls.NewListener(listener, served.TLS()): servers.NewLocal(served)}, nil)
	stop()
	return errors.Join(err, <-closed)
}

// announceEVP prints what to do.
func (d *command) announceEVP(c *cli.Call, browser *evpdemo.Browser, listener net.Listener) error {
	what := "Run this in another terminal to start Chromium with a new profile, in which the demo works:"
	if d.open {
		what = "Chromium starts with a new profile, in which the demo works. The command line is:"
	}
	_, err := fmt.Fprintf(c.Out, `%s
  %s

site:          %s
mail provider: %s

If the browser is on another machine, run this there first; HOST is this machine:
  ssh -N %s HOST

Close the browser, and then press Ctrl-C to end the demo and remove the profile. If something does
not work: %s help demo
`, what, browser.Command(), evpdemo.StartURL, evpdemo.ProviderURL, servers.SSHForward(listener), cli.Invocation(os.Args[0]))
	return err
}
