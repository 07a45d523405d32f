package serve_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/serve"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/internal/porttest"
)

func writeFile(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// replaceFile writes a file whole or not at all.
func replaceFile(t *testing.T, name string, data []byte) {
	t.Helper()
	writeFile(t, name+".new", data)
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
}

// replaceLink makes a symbolic link lead to another target, as Kubernetes does in a
// volume of a ConfigMap or a Secret.
func replaceLink(t *testing.T, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name+".new"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
}

// rotatedKey is a key of idp.example: the support document, and an assertion that only this
// document verifies.
type rotatedKey struct {
	document  []byte
	assertion string
}

// bundle returns the file for --keys with the document.
func (k rotatedKey) bundle() []byte {
	return append(append([]byte(`{"idp.example":`), k.document...), '}')
}

func newRotatedKey(t *testing.T, name string) rotatedKey {
	t.Helper()
	idp := idptest.New("idp.example", idptest.Key(name)).At(sampleTime)
	document, err := json.Marshal(idp.Document())
	if err != nil {
		t.Fatal(err)
	}
	return rotatedKey{document, idp.Backed("alice@idp.example", idptest.Key("DS128"), relyingParty)}
}

// expectKey checks that the service accepts the assertion of one key only. It asks several
// times, so that the verifier's caches are used.
func (s *service) expectKey(t *testing.T, good, bad rotatedKey) {
	t.Helper()
	for range 3 {
		if r := ask(t, http.DefaultClient, s.URL, good.assertion); r.Status != "okay" {
			t.Errorf("the assertion of the key in use: %+v", r)
		}
		if r := ask(t, http.DefaultClient, s.URL, bad.assertion); r.Status != "failure" {
			t.Errorf("the assertion of the other key: %+v", r)
		}
	}
}

// TestKeysRotated: a change of what --keys names is noticed. Assertions of the old key, which
// the verifier's caches know, are refused from then on.
func TestKeysRotated(t *testing.T) {
	before, after := newRotatedKey(t, "RS256"), newRotatedKey(t, "RS256-2")
	for _, test := range []struct {
		name          string
		begin, change func(t *testing.T, path string)
	}{
		{
			"file replaced",
			func(t *testing.T, path string) { writeFile(t, path, before.bundle()) },
			func(t *testing.T, path string) { replaceFile(t, path, after.bundle()) },
		},
		{
			"file written in place",
			func(t *testing.T, path string) { writeFile(t, path, before.bundle()) },
			func(t *testing.T, path string) { writeFile(t, path, after.bundle()) },
		},
		{
			"folder",
			func(t *testing.T, path string) {
				writeFile(t, filepath.Join(path, "idp.example.json"), before.document)
			},
			func(t *testing.T, path string) { writeFile(t, filepath.Join(path, "idp.example.json"), after.document) },
		},
		{
			"volume of Kubernetes",
			func(t *testing.T, path string) {
				writeFile(t, filepath.Join(path, "..1", "idp.example.json"), before.document)
				replaceLink(t, "..1", filepath.Join(path, "..data"))
				replaceLink(t, "..data/idp.example.json", filepath.Join(path, "idp.example.json"))
			},
			func(t *testing.T, path string) {
				writeFile(t, filepath.Join(path, "..2", "idp.example.json"), after.document)
				replaceLink(t, "..2", filepath.Join(path, "..data"))
			},
		},
		{
			"file that was missing for a time",
			func(t *testing.T, path string) { writeFile(t, path, before.bundle()) },
			func(t *testing.T, path string) {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
				writeFile(t, path, after.bundle())
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "keys")
			test.begin(t, path)
			s := startServe(t, nil, "--keys", path)
			s.expectKey(t, before, after)
			test.change(t, path)
			if line := s.await("keys read again"); !strings.Contains(line, path) || !strings.Contains(line, `"domains":1`) {
				t.Errorf("the log does not say what was read: %s", line)
			}
			s.expectKey(t, after, before)
		})
	}
}

// TestBrokenKeys: if the new file cannot be used, the old keys stay and the log says why. Its
// contents are not in the log.
func TestBrokenKeys(t *testing.T) {
	good, other := newRotatedKey(t, "RS256"), newRotatedKey(t, "RS256-2")
	for name, broken := range map[string][]byte{
		"empty":        nil,
		"half":         other.bundle()[:200],
		"a document":   other.document,
		"not JSON":     []byte("s3cret"),
		"no document":  []byte(`{"idp.example":{"s3cret":"s3cret"}}`),
		"a bad domain": []byte(`{"idp example":null}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "keys.json")
			writeFile(t, path, good.bundle())
			s := startServe(t, nil, "--keys", path)
			s.expectKey(t, good, other)
			replaceFile(t, path, broken)
			line := s.await("keys not read again")
			if !strings.Contains(line, `"level":"ERROR"`) || !strings.Contains(line, path) || strings.Contains(line, "s3cret") {
				t.Errorf("the log has %s", line)
			}
			s.expectKey(t, good, other)
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			s.await("no such file")
			s.expectKey(t, good, other)
			writeFile(t, path, other.bundle())
			s.await("keys read again")
			s.expectKey(t, other, good)
		})
	}
}

// TestReloadMetric: the metrics tell that the previous contents of a file are in use.
func TestReloadMetric(t *testing.T) {
	address := porttest.FreeAddr(t)
	good := newRotatedKey(t, "RS256")
	path := filepath.Join(t.TempDir(), "keys.json")
	writeFile(t, path, good.bundle())
	s := startServe(t, nil, "--keys", path, "--metrics-address", address)
	for _, test := range []struct {
		data      []byte
		log, want string
	}{
		{good.bundle(), "keys read again", `vepverify_reload_successful{files="keys"} 1`},
		{nil, "keys not read again", `vepverify_reload_successful{files="keys"} 0`},
		{good.bundle(), "keys read again", `vepverify_reload_successful{files="keys"} 1`},
	} {
		replaceFile(t, path, test.data)
		s.await(test.log)
		expectMetric(t, address, test.want)
	}
}

// TestCAFileChanged: a file that is read at the start only is a warning when it changes.
func TestCAFileChanged(t *testing.T) {
	certificate, _ := pair(t, certified(1, 0, month))
	path := filepath.Join(t.TempDir(), "ca.pem")
	writeFile(t, path, certificate)
	s := startServe(t, nil, "--ca-file", path)
	replaceFile(t, path, certificate)
	if line := s.await("--ca-file has changed"); !strings.Contains(line, `"level":"WARN"`) || !strings.Contains(line, path) {
		t.Error(line)
	}
	if _, log := s.end(t); strings.Contains(log, "--ca-file has changed") {
		t.Errorf("once more in %s", log)
	}
}

// TestNoKeys: a file without issuers removes all of them, with a warning.
func TestNoKeys(t *testing.T) {
	good := newRotatedKey(t, "RS256")
	path := filepath.Join(t.TempDir(), "keys.json")
	writeFile(t, path, good.bundle())
	s := startServe(t, nil, "--keys", path)
	replaceFile(t, path, []byte("{}"))
	s.await("--keys has no domain")
	if r := ask(t, http.DefaultClient, s.URL, good.assertion); !r.Undecided {
		t.Errorf("answered with %+v", r)
	}
}

// TestWatch: files are read when they have changed and have settled. An error is logged once, until
// it is another one or the files were asked for.
func TestWatch(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	writeFile(t, name, nil)
	var log bytes.Buffer
	var loads int
	var err error
	w := serve.Watch(slog.New(slog.NewJSONHandler(&log, nil)), func() ([]any, error) { loads++; return nil, err }, name)
	expect := func(what string, wantLoads int, wantLog ...string) {
		t.Helper()
		lines := strings.Count(log.String(), "\n")
		if loads != wantLoads || lines != len(wantLog) {
			t.Errorf("%s: read %d times, want %d; log %s, want %q", what, loads, wantLoads, log.String(), wantLog)
		}
		for _, text := range wantLog {
			if !strings.Contains(log.String(), text) {
				t.Errorf("%s: log %s, want %q", what, log.String(), text)
			}
		}
		loads = 0
		log.Reset()
	}
	poll := func(times int) {
		for range times {
			w.Poll()
		}
	}
	poll(3)
	expect("unchanged", 0)
	writeFile(t, name, []byte("a"))
	poll(1)
	expect("just changed", 0)
	writeFile(t, name, []byte("ab"))
	poll(1)
	expect("still changing", 0)
	poll(3)
	expect("settled", 1, "read again")
	err = errors.New("broken")
	replaceFile(t, name, []byte("cd"))
	poll(5)
	expect("broken", 4, `"error":"broken"`)
	w.Reload()
	expect("broken, and asked for", 1, `"error":"broken"`)
	err = errors.New("broken otherwise")
	poll(5)
	expect("another error", 5, `"error":"broken otherwise"`)
	err = nil
	poll(5)
	expect("repaired without a change", 1, "read again")
	w.Reload()
	expect("asked for", 1, "read again")
}

// TestWatchChanging: files that change all the time are read nevertheless.
func TestWatchChanging(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	writeFile(t, name, nil)
	loads := 0
	w := serve.Watch(slog.New(slog.DiscardHandler), func() ([]any, error) { loads++; return nil, nil }, name)
	for i := range 100 {
		writeFile(t, name, make([]byte, i+1))
		w.Poll()
	}
	if loads != 5 {
		t.Errorf("read %d times, want 5", loads)
	}
}

// TestWatchRepeats: an error that persists is logged each hour.
func TestWatchRepeats(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		w := serve.Watch(slog.New(slog.NewJSONHandler(&log, nil)), func() ([]any, error) { return nil, errors.New("broken") }, name)
		w.Reload()
		for range 3 * 60 {
			time.Sleep(time.Minute)
			w.Poll()
		}
		if lines := strings.Count(log.String(), "\n"); lines != 1+3 {
			t.Errorf("%d lines: %s", lines, log.String())
		}
	})
}

// TestFilesHang: a file system that does not answer causes a warning, and does not keep the
// service from ending.
func TestFilesHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		answer := make(chan bool)
		ctx, stop := context.WithCancel(t.Context())
		hangups := make(chan os.Signal, 1)
		hangups <- syscall.SIGHUP
		wait := serve.StartFiles(ctx, slog.New(slog.NewJSONHandler(&log, nil)), hangups, func() ([]any, error) { <-answer; return nil, nil }, "file")
		time.Sleep(time.Minute)
		synctest.Wait()
		if lines := strings.Count(log.String(), "\n"); lines != 1 || !strings.Contains(log.String(), `"level":"WARN","msg":"a file has not been read for 10s`) {
			t.Errorf("the log has %s", log.String())
		}
		stop()
		wait()
		close(answer)
	})
}

// certificateFiles makes certificates in two files.
type certificateFiles struct{ cert, key string }

// pair returns a certificate and its key, as PEM.
func pair(t *testing.T, template x509.Certificate) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})
}

// certified returns a certificate for two names that is valid from one time until another,
// both relative to the clock of the service.
func certified(serial int64, from, until time.Duration) x509.Certificate {
	return x509.Certificate{
		SerialNumber: big.NewInt(serial), NotBefore: sampleTime.Add(from), NotAfter: sampleTime.Add(until),
		DNSNames: []string{"verifier.example"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
}

const month = 30 * 24 * time.Hour

func (f certificateFiles) write(t *testing.T, template x509.Certificate) {
	t.Helper()
	certificate, key := pair(t, template)
	replaceFile(t, f.key, key)
	replaceFile(t, f.cert, certificate)
}

// serial returns the serial number of the certificate that the service presents.
func (s *service) serial(t *testing.T) int64 {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}}
	defer c.CloseIdleConnections()
	answer, err := c.Get(s.URL + "/status")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.ProtoMajor != 2 {
		t.Errorf("HTTP/%d", answer.ProtoMajor)
	}
	return answer.TLS.PeerCertificates[0].SerialNumber.Int64()
}

// newCertificateFiles writes a certificate to new files.
func newCertificateFiles(t *testing.T, template x509.Certificate) certificateFiles {
	t.Helper()
	dir := t.TempDir()
	f := certificateFiles{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
	f.write(t, template)
	return f
}

// startTLS starts a service with a certificate of serial number 1.
func startTLS(t *testing.T, template x509.Certificate, args ...string) (*service, certificateFiles) {
	t.Helper()
	f := newCertificateFiles(t, template)
	return startServe(t, nil, append(args, "--keys", sampleKeys, "--tls-cert", f.cert, "--tls-key", f.key)...), f
}

// startReplayTLS starts a service with that certificate for --replay. Its Redis does not answer.
func startReplayTLS(t *testing.T, template x509.Certificate, args ...string) (*service, certificateFiles) {
	t.Helper()
	f := newCertificateFiles(t, template)
	return startServe(t, nil, append(args, "--keys", sampleKeys, "--replay", "rediss://127.0.0.1:1", "--replay-cert", f.cert, "--replay-key", f.key)...), f
}

// TestCertificateRenewed: a renewed certificate is used without a restart, and the log has its
// names and its end.
func TestCertificateRenewed(t *testing.T) {
	metrics := porttest.FreeAddr(t)
	s, f := startTLS(t, certified(1, 0, month), "--metrics-address", metrics)
	if !strings.HasPrefix(s.URL, "https://127.0.0.1:") {
		t.Errorf("it listens at %s", s.URL)
	}
	if line := s.await(`"msg":"TLS certificate"`); !strings.Contains(line, `"names":["verifier.example","127.0.0.1"],"expires":"2026-01-31T00:00:00Z"`) {
		t.Errorf("the log has %s", line)
	}
	if got := s.serial(t); got != 1 {
		t.Errorf("certificate %d, want 1", got)
	}
	expectMetric(t, metrics, `vepverify_tls_certificate_not_after_timestamp_seconds{files="tls"} 1.7698176e+09`)
	f.write(t, certified(2, 0, 2*month))
	if line := s.await("TLS certificate read again"); !strings.Contains(line, f.cert) || !strings.Contains(line, `"expires":"2026-03-02T00:00:00Z"`) {
		t.Errorf("the log has %s", line)
	}
	if got := s.serial(t); got != 2 {
		t.Errorf("after renewal: certificate %d, want 2", got)
	}
	expectMetric(t, metrics, `vepverify_tls_certificate_not_after_timestamp_seconds{files="tls"} 1.7724096e+09`)
	if _, log := s.end(t); strings.Contains(log, `"level":"WARN"`) {
		t.Errorf("a warning in %s", log)
	}
}

// TestCertificateNotRenewed: a certificate that cannot be used leaves the previous one in use, and
// the log says why.
func TestCertificateNotRenewed(t *testing.T) {
	otherCertificate, otherKey := pair(t, certified(2, 0, month))
	encrypted := pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("s3cret")})
	remove := func(t *testing.T, name string) {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name   string
		change func(t *testing.T, f certificateFiles)
		cause  string
	}{
		{"half a certificate", func(t *testing.T, f certificateFiles) { writeFile(t, f.cert, otherCertificate[:100]) }, "half written"},
		{"an empty certificate", func(t *testing.T, f certificateFiles) { writeFile(t, f.cert, nil) }, "half written"},
		{"an empty key", func(t *testing.T, f certificateFiles) { writeFile(t, f.key, nil) }, "half written"},
		{"half an intermediate", func(t *testing.T, f certificateFiles) {
			data, err := os.ReadFile(f.cert)
			if err != nil {
				t.Fatal(err)
			}
			replaceFile(t, f.cert, append(data, otherCertificate[:100]...))
		}, "cut off"},
		{"files exchanged", func(t *testing.T, f certificateFiles) {
			replaceFile(t, f.cert, otherKey)
			replaceFile(t, f.key, otherCertificate)
		}, "switched"},
		{"no certificate", func(t *testing.T, f certificateFiles) { remove(t, f.cert) }, "no such file"},
		{"no key", func(t *testing.T, f certificateFiles) { remove(t, f.key) }, "no such file"},
		{"another certificate", func(t *testing.T, f certificateFiles) { replaceFile(t, f.cert, otherCertificate) }, "does not match"},
		{"another key", func(t *testing.T, f certificateFiles) { replaceFile(t, f.key, otherKey) }, "does not match"},
		{"a key with a passphrase", func(t *testing.T, f certificateFiles) { replaceFile(t, f.key, encrypted) }, "passphrase"},
		{"expired", func(t *testing.T, f certificateFiles) { f.write(t, certified(3, -month, -time.Hour)) }, "expired at 2025-12-31T23:00:00Z"},
		{"not yet valid", func(t *testing.T, f certificateFiles) { f.write(t, certified(3, time.Hour, month)) }, "not valid before 2026-01-01T01:00:00Z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, f := startTLS(t, certified(1, 0, month))
			test.change(t, f)
			line := s.await("TLS certificate not read again")
			if !strings.Contains(line, `"level":"ERROR"`) || !strings.Contains(line, f.cert) || !strings.Contains(line, test.cause) || strings.Contains(line, "s3cret") {
				t.Errorf("the log has %s, want the cause %q", line, test.cause)
			}
			if got := s.serial(t); got != 1 {
				t.Errorf("certificate %d, want 1", got)
			}
			f.write(t, certified(4, 0, month))
			s.await("TLS certificate read again")
			if got := s.serial(t); got != 4 {
				t.Errorf("certificate %d, want 4", got)
			}
		})
	}
}

// TestReplayCertificateRenewed: a metric has the end of the certificate for --replay, also after a
// renewal.
func TestReplayCertificateRenewed(t *testing.T) {
	metrics := porttest.FreeAddr(t)
	s, f := startReplayTLS(t, certified(1, 0, month), "--metrics-address", metrics)
	expectMetric(t, metrics, `vepverify_tls_certificate_not_after_timestamp_seconds{files="replay"} 1.7698176e+09`)
	f.write(t, certified(2, 0, 2*month))
	if line := s.await("replay TLS files read again"); !strings.Contains(line, f.cert) || !strings.Contains(line, `"expires":"2026-03-02T00:00:00Z"`) {
		t.Errorf("the log has %s", line)
	}
	expectMetric(t, metrics, `vepverify_tls_certificate_not_after_timestamp_seconds{files="replay"} 1.7724096e+09`)
}

// TestCertificateExpiry: the log warns of a certificate that is not valid at start or expires soon,
// the service's own and that for --replay.
func TestCertificateExpiry(t *testing.T) {
	const day = 24 * time.Hour
	for _, test := range []struct {
		from, until time.Duration
		level       string // of the warning; empty means none
	}{
		{-month, 8 * day, ""},
		{-month, 6 * day, "WARN"},
		{-month, -time.Hour, "ERROR"},
		{time.Hour, month, "ERROR"},
		{-2 * day, 4 * day, ""}, // one for six days
		{-5 * day, day, "WARN"},
	} {
		for name, start := range map[string]func(*testing.T, x509.Certificate, ...string) (*service, certificateFiles){"tls": startTLS, "replay": startReplayTLS} {
			s, f := start(t, certified(1, test.from, test.until))
			_, log := s.end(t)
			if got := certificateWarnings(log, f); got != test.level {
				t.Errorf("%s, from %v until %v: %q, want %q: %s", name, test.from, test.until, got, test.level, log)
			}
		}
	}
}

// certificateWarnings returns the levels of the warnings about a certificate.
func certificateWarnings(log string, f certificateFiles) (levels string) {
	for line := range strings.Lines(log) {
		for _, level := range []string{"WARN", "ERROR"} {
			if strings.Contains(line, `"level":"`+level+`","msg":"the TLS certificate`) && strings.Contains(line, f.cert) {
				levels += level
			}
		}
	}
	return levels
}
