package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/internal/outbound"
)

const healthHelp = `Asks a service for its health, for the health checks of containers: exit status 0 if the
answer has the HTTP status 200, and 1, with one line on standard error, if it has another one or
there is none.

URL is that of the service, http:// or https://. Without a path it is that of /healthz, which
has the status 200 while the process serves; /readyz has 503 while it should get no requests.
Redirects are not followed, and the environment's proxy is not used.`

// healthManual is the rest of its help and of its man page.
var healthManual = cli.Manual{
	Examples: []cli.Example{
		{For: "Check that a service's process serves", Lines: "vepverify health http://127.0.0.1:8080"},
		{For: "Check that a service can do its work", Lines: "vepverify health http://127.0.0.1:8080/readyz"},
		{For: "Check a service that has a certificate of its own", Lines: `vepverify health https://127.0.0.1:8443 --ca-file /tls/tls.crt --server-name verifier.internal`},
	},
	Exit: []cli.Exit{
		{Status: cli.ExitOkay, Meaning: "healthy"},
		{Status: cli.ExitFailure, Meaning: "not healthy, or no answer"},
		{Status: cli.ExitUsage, Meaning: "wrong usage, unreadable file"},
	},
	Flags: map[string]string{
		"timeout": `It includes the connection and TLS.`,
		"ca-file": `For a service whose certificate no public authority has issued. The service's own certificate
is enough.`,
		"server-name":          `For checks from the same machine, where the URL has an IP address.`,
		"insecure-certificate": `Use it only where nobody else can answer at the address, such as within a container.`,
	},
	SeeAlso:   []string{"serve"},
	Documents: []string{"docs/SERVICE.md", "docs/API.md"},
}

// healthCheck is the command health with its flags.
type healthCheck struct {
	timeout    cli.Span
	caFile     string
	serverName string
	anyCert    bool
}

func healthCommand() *cli.Command {
	h := &healthCheck{timeout: cli.Span(3 * time.Second)}
	return &cli.Command{
		Name: "health", Usage: "ask a service for its health", Arguments: "URL",
		Help: healthHelp, Manual: healthManual, Run: h.run,
		Flags: []cli.Flag{
			cli.Value(&h.timeout, "timeout", "`TIME` for the whole answer, at most 5m"),
			cli.Text(&h.caFile, "ca-file", "trust the certificate authorities, or the service's own certificate, in `FILE` (PEM), not the system's"),
			cli.Text(&h.serverName, "server-name", "`NAME` that the service's certificate has, if it is not that in the URL"),
			cli.Switch(&h.anyCert, "insecure-certificate", "accept any TLS certificate"),
		},
	}
}

func (h *healthCheck) run(ctx context.Context, c *cli.Call) error {
	target, err := healthURL(c)
	if err != nil {
		return err
	}
	client, err := h.client(c, target)
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	timed, cancel := context.WithTimeout(ctx, time.Duration(h.timeout))
	defer cancel()
	text, err := h.ask(timed, client, target)
	if stopped := cli.Interrupted(ctx); stopped != nil {
		return stopped
	}
	if err != nil {
		fmt.Fprintf(c.Err, "%s: not healthy: %s: %s\n", cli.Program, cli.Shorten(target.String(), 200), cli.Shorten(err.Error(), 500))
		return cli.ExitFailure
	}
	fmt.Fprintln(c.Out, cli.Shorten(text, 500))
	return nil
}

// healthURL returns the URL in the arguments, with a path.
func healthURL(c *cli.Call) (*url.URL, error) {
	const want = "want the URL of a service, such as http://127.0.0.1:8080"
	if len(c.Args) != 1 {
		return nil, c.UsageErrorf("%s", want)
	}
	u, err := url.Parse(c.Args[0])
	switch {
	case err == nil && u.User != nil:
		return nil, c.UsageErrorf("a URL without a user and a password is needed: the service has none")
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "" || !isURLPort(u):
		return nil, c.UsageErrorf("%q: %s", cli.Shown(c.Args[0]), want)
	case u.RawQuery != "" || u.Fragment != "":
		return nil, c.UsageErrorf("%q: a URL without a query and a fragment is needed", cli.Shown(c.Args[0]))
	case u.Path == "" || u.Path == "/":
		u.Path = "/healthz"
	}
	return u, nil
}

// isURLPort reports whether a URL has a port to which one can connect, or none.
func isURLPort(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && n > 0
}

const (
	maxHealthTime   = 5 * time.Minute
	maxHealthHeader = 16 << 10 // bytes
	maxHealthBody   = 64 << 10 // bytes
)

// client returns the HTTP client.
func (h *healthCheck) client(c *cli.Call, target *url.URL) (*http.Client, error) {
	if t := time.Duration(h.timeout); t <= 0 || t > maxHealthTime {
		return nil, c.UsageErrorf("--timeout %s: want more than 0 and at most %s", h.timeout.String(), cli.FormatSpan(maxHealthTime))
	}
	config := &tls.Config{ServerName: h.serverName, InsecureSkipVerify: h.anyCert}
	if h.caFile != "" && target.Scheme == "https" {
		var err error
		if config.RootCAs, err = outbound.LoadCAFile(h.caFile); err != nil {
			return nil, c.UsageErrorf("--ca-file: %w", err)
		}
	}
	return &http.Client{
		Transport: &http.Transport{
			TLSClientConfig: config, DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: maxHealthHeader,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// ask sends the request. It returns a description of the service's health for people, or an error
// with the reason that it is not healthy.
func (h *healthCheck) ask(ctx context.Context, client *http.Client, target *url.URL) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("User-Agent", cli.Program)
	res, err := client.Do(req)
	if err != nil {
		return "", h.networkError(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxHealthBody))
	if err != nil {
		return "", h.networkError(err)
	}
	return healthOf(target, res, body)
}

// healthAnswer is the body of an answer: of /healthz and /readyz, or of an error.
type healthAnswer struct {
	Status     string            `json:"status"`
	Components map[string]string `json:"components"`
	Reason     string            `json:"reason"`
}

// healthOf returns what an answer says about the service.
func healthOf(target *url.URL, res *http.Response, body []byte) (string, error) {
	var a healthAnswer
	own := json.Unmarshal(body, &a) == nil && a.Status != ""
	path := strings.TrimSuffix(target.Path, "/")
	switch status := outbound.StatusText(res.StatusCode); {
	case res.StatusCode == http.StatusOK && own:
		return a.String(), nil
	case res.StatusCode == http.StatusOK && (path == "/healthz" || path == "/readyz"):
		return "", fmt.Errorf("%s, but not with the answer of vepverify serve: another program has this port", status)
	case res.StatusCode == http.StatusOK:
		return "ok", nil
	case own:
		return "", fmt.Errorf("%s: %s", status, a)
	case res.StatusCode >= 300 && res.StatusCode < 400:
		return "", fmt.Errorf("%s: redirects are not followed; give the service's own URL", status)
	case strings.Contains(string(body), "HTTP request to an HTTPS server"): // as net/http answers
		return "", fmt.Errorf("%s: the service speaks TLS; use https://", status)
	default:
		return "", fmt.Errorf("%s, not with the answer of vepverify serve: another program, or a proxy, has this port", status)
	}
}

// String returns the status, or the reason of an error, and the components that do not work.
func (a healthAnswer) String() string {
	var failing []string
	for name, state := range a.Components {
		if state != "ok" {
			failing = append(failing, name+": "+state)
		}
	}
	slices.Sort(failing)
	return strings.Join(append([]string{cmp.Or(a.Reason, a.Status)}, failing...), "; ")
}

// healthAdvice tells what to do about an error of the network.
var healthAdvice = map[outbound.Failure]string{
	outbound.ConnectionRefused:    "no service listens there; compare --address and --port of vepverify serve",
	outbound.NotTLS:               "use http://",
	outbound.CertificateAuthority: "name the certificate of the authority, or the service's own (--ca-file)",
	outbound.CertificateName:      "give the name in the certificate (--server-name)",
	outbound.CertificateExpired:   "renew the service's certificate; compare this machine's clock",
	outbound.ClosedEarly:          "the service has ended, or another program has this port",
	outbound.Other:                "another program has this port: it does not speak HTTP",
}

// networkError returns an error of the network as its class, with what to do.
func (h *healthCheck) networkError(err error) error {
	failure := outbound.Classify(err)
	text := failure.String()
	if failure == outbound.TimedOut {
		text += " after " + h.timeout.String()
	}
	if advice := healthAdvice[failure]; advice != "" {
		text += ": " + advice
	}
	return fmt.Errorf("%s", text)
}
