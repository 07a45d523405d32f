package serve

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vepverify/vepverify/internal/outbound"
)

// replayTLS are the files of --replay-ca-file, --replay-cert and --replay-key, for TLS with the
// servers of --replay. They are read again when one of them has changed. New connections use
// them.
type replayTLS struct {
	caFile, certFile, keyFile string

	authorities atomic.Pointer[x509.CertPool] // nil means those of the system
	certificate *certificate                  // nil without --replay-cert
}

// files returns the names of the files.
func (t *replayTLS) files() []string {
	return slices.DeleteFunc([]string{t.caFile, t.certFile, t.keyFile}, func(name string) bool { return name == "" })
}

// check returns an error if the flags do not fit together, or not to the store.
func (t *replayTLS) check(store string) error {
	switch {
	case len(t.files()) == 0:
	case !strings.HasPrefix(store, "rediss"):
		return errors.New("--replay-ca-file, --replay-cert and --replay-key need --replay with TLS: rediss://, rediss+cluster:// or rediss+sentinel://")
	case (t.certFile == "") != (t.keyFile == ""):
		return errors.New("--replay-cert and --replay-key must be set together")
	}
	return nil
}

// open reads the files for the first time. They are added to f, which reads them again.
func (t *replayTLS) open(now func() time.Time, f *files) error {
	f.watch("replay TLS files", "replay", t.load, t.files()...)
	if t.certFile != "" {
		t.certificate = &certificate{label: "replay", certFile: t.certFile, keyFile: t.keyFile, now: now, logger: f.logger}
		if err := f.open(t.certificate); err != nil {
			return err
		}
	}
	authorities, err := t.readAuthorities()
	t.authorities.Store(authorities)
	return err
}

// load reads the files again.
func (t *replayTLS) load() (attributes []any, err error) {
	authorities, err := t.readAuthorities()
	if err != nil {
		return nil, err
	}
	if t.certificate != nil {
		if attributes, err = t.certificate.load(); err != nil {
			return nil, err
		}
	}
	t.authorities.Store(authorities)
	return attributes, nil
}

// readAuthorities reads --replay-ca-file. It returns nil if there is none.
func (t *replayTLS) readAuthorities() (*x509.CertPool, error) {
	if t.caFile == "" {
		return nil, nil
	}
	authorities, err := outbound.LoadCAFile(t.caFile)
	if err != nil {
		return nil, fmt.Errorf("--replay-ca-file: %w", err)
	}
	return authorities, nil
}

// config returns the configuration of a connection.
func (t *replayTLS) config() *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: t.authorities.Load()}
	if t.certificate != nil {
		c.Certificates = []tls.Certificate{*t.certificate.current.Load()}
	}
	return c
}
