package serve

import (
	"crypto/tls"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/url"
	"strconv"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/servers"
	"github.com/vepverify/vepverify/internal/loglimit"
)

// open opens the ports and adds their servers to all. It returns the listener of the API.
func (s *command) open(c *cli.Call, files *files, guard guard, health *health, all map[net.Listener]*http.Server) (net.Listener, error) {
	api, err := s.handler(c, files, guard, health)
	if err != nil {
		return nil, err
	}
	connections := &connectionLog{files.logger, loglimit.NewLogger(files.logger)}
	listener, err := s.listen(c, files, connections)
	if err != nil {
		return nil, err
	}
	server := api.Server()
	server.Handler = health.closing(api)
	all[listener] = server
	if s.metricsAddress != "" {
		l, err := s.listenMetrics(c)
		if err != nil {
			return nil, err
		}
		all[l] = metricsServer(files.metrics)
	}
	for _, server := range all {
		server.ErrorLog = log.New(connections, "", 0)
	}
	return listener, nil
}

// url returns the URL of the service.
func (s *command) url(l net.Listener) string {
	if s.tlsCert != "" {
		return urlOf("https", l)
	}
	return urlOf("http", l)
}

// urlOf returns the URL of a server, without a path. The zone of an IPv6 address is escaped.
func urlOf(scheme string, l net.Listener) string {
	u := url.URL{Scheme: scheme, Host: l.Addr().String()}
	return u.String()
}

// listen opens the port for the API, with TLS if there is a certificate. Its files are
// added to files.
func (s *command) listen(c *cli.Call, files *files, connections *connectionLog) (net.Listener, error) {
	host, err := servers.ParseHost(s.address)
	if err != nil {
		return nil, c.UsageErrorf("--address %q: %w", cli.Shown(s.address), err)
	}
	var own *certificate // nil without TLS
	if s.tlsCert != "" {
		own = &certificate{label: "tls", certFile: s.tlsCert, keyFile: s.tlsKey, now: c.Now, logger: files.logger}
		files.watch("TLS certificate", "tls", own.load, s.tlsCert, s.tlsKey)
		if err := files.open(own); err != nil {
			return nil, c.UsageErrorf("%w", err)
		}
	}
	l, err := servers.Listen(host, strconv.Itoa(s.port.N))
	if err != nil {
		return nil, fmt.Errorf("%w (see --address and --port)", err)
	}
	if own == nil {
		return servers.OnTLS(l, connections.noteTLS), nil
	}
	return tls.NewListener(l, own.config()), nil
}

// listenMetrics opens the port for the metrics.
func (s *command) listenMetrics(c *cli.Call) (net.Listener, error) {
	host, port, err := servers.SplitHostPort(s.metricsAddress)
	if err != nil {
		return nil, c.UsageErrorf("--metrics-address %q: %w", cli.Shown(s.metricsAddress), err)
	}
	l, err := servers.Listen(host, port)
	if err != nil {
		return nil, fmt.Errorf("%w (see --metrics-address)", err)
	}
	return l, nil
}

// printRunning prints the URL of the service, and the fallback if there is one, in
// the format of the original verifier. The original's test suite reads here which
// configuration file has won.
func (s *command) printRunning(c *cli.Call, l net.Listener) error {
	type fields struct {
		URL      string `json:"url"`
		Fallback string `json:"fallback,omitempty"`
	}
	return c.PrintJSON(struct {
		Type   string
		Fields fields
	}{"server.running", fields{s.url(l), s.Fallback}})
}
