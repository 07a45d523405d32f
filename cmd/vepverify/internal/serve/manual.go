package serve

import (
	"slices"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/verifier"
)

const help = `Serves the HTTP interface of Mozilla's browserid-verifier, for the clients of that
verifier: POST /v2 with {"assertion","audience"}, POST /verify, GET /status. When it
listens, it prints one line of JSON with its URL on standard output. It logs to standard
error. After SIGINT or SIGTERM it accepts no new requests, finishes those that have begun, and
exits with 0; a second one ends it at once. It reads the files of --keys, --tls-cert, --tls-key,
and of the TLS flags of --replay, again when they have changed, and at SIGHUP.

POST /evp with {"token","audience","nonce","email"} verifies a token of the Email Verification
Protocol (experimental). "email" is the address that the user submitted, and optional. Use each
nonce once, or --replay.`

// manual is the rest of its help and of its man page.
var manual = cli.Manual{
	Examples: []cli.Example{
		{For: "Serve on this machine", Lines: "vepverify serve --port 8080"},
		{For: "Serve on a free port, with keys from a file and without a network", Lines: "vepverify serve --keys keys.json"},
		{For: "Serve HTTPS on all addresses, accept each assertion once, and serve metrics", Lines: `vepverify serve --address 0.0.0.0 --port 8443 --tls-cert cert.pem --tls-key key.pem \
  --replay redis://redis.internal:6379 --metrics-address 127.0.0.1:9090`},
	},
	Notes: `It also reads the variables of the original: IP_ADDRESS, PORT, FALLBACK_DOMAIN, HTTP_TIMEOUT
(seconds), LOG_LEVEL, CONFIG_FILES (JSON files, separated by commas; later ones win), and for
tests INSECURE_SSL, FORCE_INSECURE_LOOKUP_OVER_HTTP, TEST_SERVICE_FAILURE. A flag wins over its
VEPVERIFY_ variable, that variable over these, and these over the files.`,
	Exit: []cli.Exit{
		{Status: cli.ExitOkay, Meaning: "stopped by a signal"},
		{Status: cli.ExitUsage, Meaning: "wrong usage, bad configuration, cannot listen"},
		{Status: 130, Meaning: "ended at once by a second SIGINT"},
		{Status: 143, Meaning: "ended at once by a second SIGTERM"},
	},
	Detail: `# Signals

SIGTERM and SIGINT (Ctrl-C) stop the service. It finishes the requests that it has, for at
most 30 seconds. A second signal, 100 ms later or more, ends the process at once. SIGHUP makes
it read the files of --keys, --tls-cert and --tls-key, and of the TLS flags of --replay, again. If
SIGHUP comes because the terminal was closed, the service stops as on SIGTERM.

# Files that change

About a second after a file of --keys, --tls-cert or --tls-key, or of a TLS flag of --replay, has
changed, the service reads it again. If the new contents cannot be used, the previous ones stay in use, the log has an
error with the cause, and the metric vepverify_reload_successful is 0. Replace files by a
rename, so that no half-written file is read. All other settings need a restart.

# Log

Each line on standard error is a JSON object. The first lines have the configuration. Then
each verification has a line with its result, a request ID, and the hash of the assertion or
token. Tokens are never logged, and email addresses only with --log-emails.

# Health

GET /healthz has the status 200 while the process serves. GET /readyz has 503 while the
service should get no requests: after SIGTERM, and until Redis has worked for the first time
if --replay names one. vepverify-health(1) asks one of them.`,
	Flags: map[string]string{
		"address": `By default only programs on this machine can connect, such as a reverse proxy. 0.0.0.0 is all
addresses of IPv4, and :: all addresses.`,
		"port": `The service prints its URL when it listens, with the port. With port 0, which is the
original's default, each start has another one. The unit of the Debian package sets port 8080.`,
		"tls-cert": `The file has the certificate of the service first, and then those of the authorities between
it and the root. A certificate that has expired, or does not match the key, is an error at the
start. While the service runs, it is an error in the log, and the previous certificate stays
in use. --tls-key is needed too.`,
		"tls-key": ``,
		"metrics-address": `The metrics are served at this address and nowhere else, without TLS. :9090 means all
addresses. That of IPv6 is in brackets: [::1]:9090.`,
		"shutdown-delay": `Balancers learn some seconds after SIGTERM that an instance stops. Give at least the interval
of the health checks times the number of failures that they need. The supervisor must allow
this time and 30 seconds.`,
		"undecided-status": `With 200, as the original, clients find "undecided":true in the answer. With 503, balancers
and clients that do not know it try again, at another instance or later.`,
		"test-service-failure": `It is for tests of clients, and must not be set in production. The log has a warning.`,
	},
	FlagGroups: slices.Concat([]cli.FlagGroup{
		{Title: "Accepting each assertion once", Text: map[string]string{
			"replay": `An assertion or a token can be presented again until it expires. With a store, the second use
is a failure. off accepts every use. memory forgets at a restart, and each process has its
own. Use Redis for several instances, or if a restart must not open a gap. The URL may have a
user and a password, which are never shown: better set it by the variable. While Redis does
not answer, every answer is undecided and nothing is accepted.

	redis://user:password@host:6379        one server
	unix:///run/redis/redis.sock           a local socket
	redis://a:7000,b:7001,c:7002           a Cluster
	redis+sentinel://a:26379,b:26379/NAME  a master of Sentinels

rediss:// and rediss+sentinel:// are the same with TLS.

The document REPLAY.md says how to configure Redis, and what a failover can lose.`,
			"replay-ca-file": `The certificates are in PEM. Only Redis is verified with them; --ca-file is for issuers' documents.`,
			"replay-cert":    `For a Redis that asks its clients for a certificate. --replay-key is needed too.`,
			"replay-key":     ``,
			"max-life": `The sender of an assertion chooses when it expires, and the store must keep an entry until
then. An assertion that expires later is a failure. Without --replay there is no such limit.`,
		}},
		{Title: "Limits", Text: map[string]string{
			"max-body":  `A larger body has the status 413. At most 1048576.`,
			"in-flight": `Further requests wait for at most 100 ms, and then have the status 503 with Retry-After.`,
			"queue":     `Further requests have the status 503 at once.`,
			"lookups": `Requests that need a document which is not cached wait here, and take no place of other
requests, so that slow issuers do not delay those. Further ones have the status 503.`,
		}},
		{Title: "Log", Text: map[string]string{
			"log-level": `The names of the original are accepted too, such as verbose and critical. At the level info,
each verification has a line.`,
			"log-emails": `Otherwise the log has no personal data but the domains of issuers.`,
		}},
	}, verifier.Groups),
	Environment: append(originalVariables(),
		cli.Entry{Name: "CONFIG_FILES", Text: `Of the original: JSON files, separated by commas. Later ones take precedence, and variables
over all of them. The members computecluster, logging and toobusy are ignored. An example:

        {"fallback":"idp.example","httpTimeout":8,"ip":"127.0.0.1","port":8080}`},
		cli.Entry{Name: "GOGC, GOMEMLIMIT", Text: "Settings of Go's memory. Without them, and without --replay memory, garbage is collected when the heap has " +
			"grown by 300 %, and more often near 224 MiB. With many thousand connections, or a large file of --keys, set GOMEMLIMIT to " +
			"what the machine can spare, such as 1GiB."},
		cli.Entry{Name: "NOTIFY_SOCKET", Text: "Set by systemd for units with Type=notify: the socket on which the service tells it when it listens, reads " +
			"its files again, and stops, and why it has failed. See sd_notify(3)."},
	),
	Files: []cli.Entry{
		{Name: "/etc/vepverify/vepverify.env", Text: "Variables for the service of the Debian package, one in each line. All of them are commented out at first. " +
			"Run systemctl restart vepverify after a change."},
		{Name: "/usr/lib/systemd/system/vepverify.service", Text: "The unit of the Debian package. It runs the service on port 8080 of this machine, as a user of its own, " +
			"without access to most files. Change it with systemctl edit vepverify. systemctl reload vepverify reads keys and certificates again."},
	},
	SeeAlso:   []string{"health", "lookup", "verify", "systemctl(1)", "systemd.exec(5)"},
	Documents: []string{"docs/DEPLOY.md", "docs/API.md", "docs/SERVICE.md", "docs/REPLAY.md", "docs/MIGRATING.md", "docs/EVP.md"},
}

// originalVariables returns the variables of the original verifier.
func originalVariables() (entries []cli.Entry) {
	for _, s := range settings {
		text := "Of the original: sets --" + s.flag + "."
		if s.note != "" {
			text += " " + s.note
		}
		entries = append(entries, cli.Entry{Name: s.variable, Text: text})
	}
	return entries
}
