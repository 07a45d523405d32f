package serve_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/serve"
	"github.com/vepverify/vepverify/redisstore"
)

// changingStore is a store that fails with an error, and counts how often its settings are read.
type changingStore struct {
	err      error
	wrong    []redisstore.Misconfiguration
	settings int
}

// newChangingStore returns a store that works, and has a wrong setting.
func newChangingStore() *changingStore {
	return &changingStore{wrong: []redisstore.Misconfiguration{{Setting: "appendonly", Want: "yes", Got: "no"}}}
}

func (s *changingStore) FirstUse(context.Context, string, time.Time) (bool, error) {
	return s.err == nil, s.err
}

func (s *changingStore) CheckServers(context.Context) error { return s.err }

func (s *changingStore) Check(context.Context) ([]redisstore.Misconfiguration, error) {
	if s.err != nil {
		return nil, s.err
	}
	s.settings++
	return s.wrong, nil
}

func (s *changingStore) MaxLife() time.Duration { return time.Hour }
func (s *changingStore) Close() error           { return nil }

// TestReplayMonitor: the store is required until it has worked once. The log says once that it does
// not work, for each cause, and once that it works again. Its settings are read at the start and when it works again.
func TestReplayMonitor(t *testing.T) {
	const down, again, settings = "does not work; until", "works again", "may lose entries"
	refused, full := errors.New("s3cret.internal refuses"), errors.New("s3cret.internal is full")
	for name, c := range map[string]struct {
		answers []error // of the checks
		used    int     // the check before which a verification fails; 0: none does
		want    []string
	}{
		"works":                {[]error{nil, nil, nil}, 0, []string{settings}},
		"down at the start":    {[]error{refused, refused, nil, nil}, 0, []string{down, again, settings}},
		"down later":           {[]error{nil, refused, refused, nil, nil}, 0, []string{settings, down, again, settings}},
		"down twice":           {[]error{nil, refused, nil, refused, nil}, 0, []string{settings, down, again, settings, down}},
		"never":                {[]error{refused, refused}, 0, []string{down}},
		"between two checks":   {[]error{nil, nil, nil}, 1, []string{settings, again, settings}},
		"another cause":        {[]error{refused, full, refused, full, full}, 0, []string{down, "is full"}},
		"another after it":     {[]error{nil, refused, nil, refused, nil, full, full}, 0, []string{settings, down, again, settings, down, "is full"}},
		"also when it is used": {[]error{nil, refused, nil, nil}, 1, []string{settings, down, again, settings}},
	} {
		t.Run(name, func(t *testing.T) {
			log := new(strings.Builder)
			store := newChangingStore()
			m := serve.NewReplayMonitor(store, slog.New(slog.NewTextHandler(log, nil)))
			worked := false
			for i, err := range c.answers {
				if i > 0 && i == c.used {
					store.err = refused
					if _, err := m.FirstUse(t.Context(), "key", time.Now()); !errors.Is(err, refused) {
						t.Errorf("FirstUse: %v", err)
					}
				}
				store.err = err
				m.CheckNow(t.Context())
				worked = worked || err == nil
				got := m.Component()
				if (got.Err == nil) != (err == nil) || got.Required == worked || got.Name != "replay_store" {
					t.Errorf("step %d: %+v", i, got)
				}
				if got.Err != nil && strings.Contains(got.Err.Error(), "s3cret") {
					t.Errorf("the answer of /readyz has the address: %v", got.Err)
				}
			}
			lines := strings.Split(strings.TrimSpace(log.String()), "\n")
			if len(lines) != len(c.want) {
				t.Fatalf("the log has %d lines, want %d: %s", len(lines), len(c.want), log)
			}
			for i, want := range c.want {
				if !strings.Contains(lines[i], want) {
					t.Errorf("line %d is %s, want %q", i, lines[i], want)
				}
			}
		})
	}
}

// TestReplayMonitorRejects: a use that the store rejects by itself says nothing about its servers.
func TestReplayMonitorRejects(t *testing.T) {
	log := new(strings.Builder)
	store := newChangingStore()
	m := serve.NewReplayMonitor(store, slog.New(slog.NewTextHandler(log, nil)))
	m.CheckNow(t.Context())
	store.err = assertion.ErrRetention
	if _, err := m.FirstUse(t.Context(), "key", time.Now()); !errors.Is(err, assertion.ErrRetention) {
		t.Error(err)
	}
	store.err = nil
	m.CheckNow(t.Context())
	if strings.Contains(log.String(), "again") || store.settings != 1 {
		t.Errorf("settings read %d times, the log is %s", store.settings, log)
	}
}

// TestReplayMonitorSettings: the settings are read again after a time, unless the store does not
// report them. The log has them when they are others. The metric has the number of wrong ones, also
// while the store does not work.
func TestReplayMonitorSettings(t *testing.T) {
	log := new(strings.Builder)
	store := newChangingStore()
	m := serve.NewReplayMonitor(store, slog.New(slog.NewTextHandler(log, nil)))
	expect := func(what string, wrong float64, reads int, line string) {
		t.Helper()
		for range serve.SettingsEvery {
			m.CheckNow(t.Context())
		}
		if got := m.Misconfigurations(); got != wrong || store.settings != reads {
			t.Errorf("%s: %v wrong settings, want %v; read %d times, want %d", what, got, wrong, store.settings, reads)
		}
		if strings.Count(log.String(), "\n") != min(len(line), 1) || !strings.Contains(log.String(), line) {
			t.Errorf("%s: the log has %q, want %q", what, log, line)
		}
		log.Reset()
	}
	wrong := store.wrong
	expect("at the start", 1, 1, "may lose entries")
	expect("unchanged", 1, 2, "")
	store.wrong = nil
	expect("corrected", 0, 3, "are correct now")
	expect("still right", 0, 4, "")
	store.wrong = wrong
	expect("wrong again", 1, 5, "may lose entries")
	store.err = errors.New("refused")
	expect("down", 1, 5, "does not work")
}

// TestReplayMonitorHidden: a store that does not report its settings is not asked again, since each
// such question is an entry in the log of Redis.
func TestReplayMonitorHidden(t *testing.T) {
	store := &changingStore{wrong: []redisstore.Misconfiguration{{Setting: "appendonly", Want: "yes"}}}
	m := serve.NewReplayMonitor(store, slog.New(slog.DiscardHandler))
	for range 3 * serve.SettingsEvery {
		m.CheckNow(t.Context())
	}
	if got := m.Misconfigurations(); got != 0 || store.settings != 1 {
		t.Errorf("%v wrong settings, want none; read %d times, want once", got, store.settings)
	}
}

// TestReplayMonitorStops: a check that ends with the service says nothing about the store.
func TestReplayMonitorStops(t *testing.T) {
	log := new(strings.Builder)
	store := newChangingStore()
	m := serve.NewReplayMonitor(store, slog.New(slog.NewTextHandler(log, nil)))
	m.CheckNow(t.Context())
	store.err = context.Canceled
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m.CheckNow(ctx)
	if c := m.Component(); c.Err != nil || strings.Contains(log.String(), "does not work") {
		t.Errorf("%v, the log is %s", c.Err, log)
	}
}
