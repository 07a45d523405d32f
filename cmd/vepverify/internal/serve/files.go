package serve

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/verifier"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/wellknown"
)

// files are the files that the service reads again: those of --keys, of --tls-cert and --tls-key, and
// of the TLS flags of --replay.
type files struct {
	logger       *slog.Logger
	metrics      *prometheus.Registry
	watched      []*watched
	keys         *keysFile      // nil without --keys
	certificates []*certificate // of --tls-cert and --replay-cert
	caFile       string         // of --ca-file, which is read at the start only; empty means none
	caSeen       fingerprint    // of caFile, when poll looked last
}

// watch adds files. The caller reads them for the first time after that. The label is that of the
// metric vepverify_reload_successful.
func (f *files) watch(what, label string, load func() ([]any, error), names ...string) {
	now := fingerprintOf(names)
	w := &watched{what: what, names: names, logger: f.logger, load: load, read: now, seen: now}
	w.modified.Store(now.modified().UnixMilli())
	f.watched = append(f.watched, w)
	labels := prometheus.Labels{"files": label}
	f.metrics.MustRegister(
		gauge("vepverify_reload_successful", "1 if the files are in use as they were last read, 0 if the previous contents are.", labels, w.successful),
		gauge("vepverify_files_modified_timestamp_seconds", "When the files in use were modified, in seconds since 1970.", labels, func() float64 {
			return float64(w.modified.Load()) / 1000
		}),
	)
}

// open reads a certificate, whose files are watched, for the first time. The log warns before it
// expires, and a metric has the time.
func (f *files) open(c *certificate) error {
	if err := c.open(); err != nil {
		return err
	}
	f.certificates = append(f.certificates, c)
	f.metrics.MustRegister(gauge("vepverify_tls_certificate_not_after_timestamp_seconds", "When the TLS certificate in use expires, in seconds since 1970.",
		prometheus.Labels{"files": c.label}, c.notAfter))
	return nil
}

// logOpened logs what the files had at the start.
func (f *files) logOpened() {
	if f.keys != nil {
		f.logger.Info("keys", f.keys.attributes()...)
		f.keys.warnIfEmpty()
	}
	for _, c := range f.certificates {
		c.logOpened()
	}
}

const (
	// pollInterval is the time between two looks at the files. It grows up to maxPollInterval
	// if a look takes more than 1/pollShare of it.
	pollInterval    = 500 * time.Millisecond
	maxPollInterval = 10 * time.Second
	pollShare       = 50
	// maxUnsettled is the number of looks after which files are read although they keep changing.
	maxUnsettled = 20
	// slowRead is the time after which the log says that the files have not been read, as on a
	// network file system that does not answer.
	slowRead = 10 * time.Second
	// repeatAfter is the time after which an error that persists is logged again.
	repeatAfter = time.Hour
)

// start runs run. The returned function waits until it has ended, but not for a file system that
// does not answer.
func (f *files) start(ctx context.Context, c *cli.Call, hangups <-chan os.Signal, stop func()) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.run(ctx, c, hangups, stop)
	}()
	return func() {
		select {
		case <-done:
		case <-time.After(time.Second):
		}
	}
}

// run reads the files again if they have changed, and at SIGHUP, until ctx ends. It calls stop
// if SIGHUP came because the terminal was closed.
func (f *files) run(ctx context.Context, c *cli.Call, hangups <-chan os.Signal, stop func()) {
	terminal := cli.IsTerminal(c.In) || cli.IsTerminal(c.Err)
	delay := pollInterval
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
			if terminal && !cli.IsTerminal(c.In) && !cli.IsTerminal(c.Err) {
				f.logger.Warn("stopped by SIGHUP: the terminal was closed")
				stop()
				return
			}
			f.watchSlowness(f.reload)
		case <-time.After(delay):
			took := f.watchSlowness(f.poll)
			delay = min(max(pollInterval, pollShare*took), maxPollInterval)
		}
	}
}

// watchSlowness calls a function that reads the files, and returns how long that took. If it takes
// long, it logs a warning.
func (f *files) watchSlowness(read func()) time.Duration {
	began := time.Now()
	warning := time.AfterFunc(slowRead, func() {
		f.logger.Warn("a file has not been read for "+slowRead.String()+": the previous contents stay in use", "files", f.names())
	})
	defer warning.Stop()
	read()
	return time.Since(began)
}

// names returns the names of all files.
func (f *files) names() (all []string) {
	for _, w := range f.watched {
		all = append(all, w.names...)
	}
	return all
}

// reload reads all files again.
func (f *files) reload() {
	notifyReloading(f.logger)
	defer notifyReady(f.logger)
	if f.caFile != "" {
		f.logger.Warn("SIGHUP: --ca-file is read at the start only: restart the service for a new one", "files", []string{f.caFile})
	}
	if len(f.watched) == 0 {
		f.logger.Warn("SIGHUP: no file to read again: there is no --keys, --tls-cert, --replay-ca-file or --replay-cert, and other settings need a restart")
	}
	for _, w := range f.watched {
		w.reload(true)
	}
}

// noteCAFile logs that --ca-file has changed.
func (f *files) noteCAFile() {
	if f.caFile == "" {
		return
	}
	if now := fingerprintOf([]string{f.caFile}); !now.equal(f.caSeen) {
		f.caSeen = now
		f.logger.Warn("--ca-file has changed: restart the service, which reads it at the start only", "files", []string{f.caFile})
	}
}

// poll reads the files again that have changed.
func (f *files) poll() {
	f.noteCAFile()
	for _, w := range f.watched {
		w.poll()
	}
	for _, c := range f.certificates {
		c.warnOfExpiry()
	}
}

// watched are files that are read again together. Until their new contents can be used, the
// previous ones stay in use.
type watched struct {
	what   string // for the log
	names  []string
	logger *slog.Logger
	// load reads the files, uses what they have, and returns attributes for the log. If
	// it returns an error, it has changed nothing.
	load func() (attributes []any, err error)

	read      fingerprint  // when they were last read
	seen      fingerprint  // when they were last looked at
	unsettled int          // the number of polls in a row that found a change
	failure   string       // the error of the last load, or ""
	logged    time.Time    // when failure was last logged
	failed    atomic.Bool  // the last load returned an error
	modified  atomic.Int64 // when the files in use were modified, in milliseconds since 1970
}

// poll reads the files again if they have changed, or if they could not be used before.
// Files that have changed since the last poll may be about to be written: they are left for a
// later poll, but not without end.
func (w *watched) poll() {
	now := fingerprintOf(w.names)
	w.unsettled++
	if now.equal(w.seen) {
		w.unsettled = 0
	}
	w.seen = now
	if w.unsettled%maxUnsettled == 0 && (w.failure != "" || !now.equal(w.read)) {
		w.reload(false)
	}
}

// reload reads the files again and logs the outcome. An error that was logged before is
// logged again only if asked is set, or after an hour.
func (w *watched) reload(asked bool) {
	w.read = fingerprintOf(w.names)
	attributes, err := w.loadRegular()
	w.failed.Store(err != nil)
	switch {
	case err == nil:
		w.failure = ""
		w.modified.Store(w.read.modified().UnixMilli())
		w.logger.Info(w.what+" read again", w.attributes(attributes)...)
	case asked, err.Error() != w.failure, time.Since(w.logged) >= repeatAfter:
		w.failure, w.logged = err.Error(), time.Now()
		w.logger.Error(w.what+" not read again: the previous contents stay in use", w.attributes([]any{"error", err})...)
	}
}

// successful is the value of the metric vepverify_reload_successful.
func (w *watched) successful() float64 {
	if w.failed.Load() {
		return 0
	}
	return 1
}

// loadRegular is load, but never waits for a pipe, which has its contents only once.
func (w *watched) loadRegular() (attributes []any, err error) {
	for name, info := range w.read {
		if isSpecial(info) {
			return nil, fmt.Errorf("%s: not a regular file, so it is read at the start only", name)
		}
	}
	return w.load()
}

// attributes returns the names of the files and further attributes for the log.
func (w *watched) attributes(further []any) []any {
	return append([]any{"files", w.names}, further...)
}

// fingerprint is what the system tells of files without reading them. An entry is nil if
// there is no such file.
type fingerprint map[string]fs.FileInfo

// fingerprintOf returns the fingerprint of files, and of the files in folders.
func fingerprintOf(names []string) fingerprint {
	f := make(fingerprint)
	for _, name := range names {
		f.add(name)
		if f[name] == nil || !f[name].IsDir() {
			continue
		}
		entries, _ := os.ReadDir(name) // a folder that cannot be read is reported by load
		for _, e := range entries {
			f.add(filepath.Join(name, e.Name()))
		}
	}
	return f
}

// add adds a file. A symbolic link counts as the file to which it leads.
func (f fingerprint) add(name string) {
	info, err := os.Stat(name)
	if err != nil {
		info = nil
	}
	f[name] = info
}

// modified returns the time of the last change of one of the files.
func (f fingerprint) modified() time.Time {
	last := time.Unix(0, 0)
	for _, info := range f {
		if info != nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	return last
}

// isSpecial reports whether a file is neither regular nor a folder.
func isSpecial(info fs.FileInfo) bool {
	return info != nil && !info.Mode().IsRegular() && !info.IsDir()
}

// equal reports whether two fingerprints are those of the same files, unchanged.
func (f fingerprint) equal(other fingerprint) bool {
	if len(f) != len(other) {
		return false
	}
	for name, a := range f {
		b, found := other[name]
		if !found || (a == nil) != (b == nil) || a != nil && !sameFile(a, b) {
			return false
		}
	}
	return true
}

func sameFile(a, b fs.FileInfo) bool {
	if isSpecial(a) && isSpecial(b) { // the time of a pipe changes when it is used
		return true
	}
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size() && a.Mode() == b.Mode()
}

// keysFile is the KeySource of --keys. After a reload, the verifier's caches need no change: a
// cached certificate counts only if one of the keys that Authority returns now signed it.
type keysFile struct {
	network *verifier.Network
	logger  *slog.Logger
	current atomic.Pointer[contents]
	tokens  *tokens // for POST /evp, which has its keys from the same files; nil if there is none
}

// contents is what --keys has: documents for BrowserID, and those for the Email Verification
// Protocol.
type contents struct {
	static *wellknown.Static
	bundle *evp.Bundle
}

// Authority implements assertion.KeySource.
func (k *keysFile) Authority(ctx context.Context, host, emailDomain string) (*wellknown.Authority, error) {
	return k.current.Load().static.Authority(ctx, host, emailDomain)
}

// load reads the documents.
func (k *keysFile) load() (attributes []any, err error) {
	before := k.current.Load()
	if err := k.read(); err != nil {
		return nil, err
	}
	k.warnIfEmpty()
	k.warnIfWithoutTokens(before)
	return k.attributes(), nil
}

// read reads the documents and makes them those in use.
func (k *keysFile) read() error {
	static, bundle, err := k.network.LoadAll()
	if err != nil {
		return err
	}
	if k.tokens != nil {
		if err := k.tokens.use(bundle); err != nil {
			return err
		}
	}
	k.current.Store(&contents{static, bundle})
	return nil
}

// warnIfEmpty logs that there are no documents. That is not an error, because it
// is how an operator removes all issuers.
func (k *keysFile) warnIfEmpty() {
	if c := k.current.Load(); c.static.Len() == 0 && len(c.bundle.Names()) == 0 {
		k.logger.Warn("--keys has no domain: every assertion is undecided", "files", []string{k.network.Keys})
	}
}

// warnIfWithoutTokens logs that all entries for tokens are gone, as after a file for BrowserID
// alone has replaced one for both.
func (k *keysFile) warnIfWithoutTokens(before *contents) {
	if k.tokens != nil && before.bundle.Len() > 0 && k.current.Load().bundle.Len() == 0 {
		k.logger.Warn("--keys has no entry for tokens any more: every token is undecided", "files", []string{k.network.Keys})
	}
}

// attributes describe the documents in the log.
func (k *keysFile) attributes() []any {
	c := k.current.Load()
	all := []any{"domains", c.static.Len()}
	if names := c.bundle.Names(); len(names) > 0 {
		all = append(all, "evp_entries", len(names))
	}
	return all
}
