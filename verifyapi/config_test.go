package verifyapi_test

import (
	"io"
	"log/slog"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/internal/buildinfo"
	"github.com/vepverify/vepverify/verifyapi"
)

func TestConfig(t *testing.T) {
	v := newVerifier(t, assertion.Config{})
	commit := strings.Repeat("a", 40)
	for name, c := range map[string]verifyapi.Config{
		"only a verifier": {Verifier: v},
		"everything": {
			Verifier: v, UndecidedStatus: 503, MaxBody: 1 << 20, ReadTimeout: time.Second, InFlight: 1, Queue: 1, QueueTimeout: 1, Lookups: 1,
			Version: verifyapi.Version{Version: "1.0", Commit: commit, Source: "x"},
			Logger:  slog.New(slog.NewTextHandler(io.Discard, nil)), LogEmails: true, Unavailable: true,
		},
		"no queue":               {Verifier: v, Queue: -1},
		"status 200":             {Verifier: v, UndecidedStatus: 200},
		"! no verifier":          {},
		"! zero verifier":        {Verifier: new(assertion.Verifier)},
		"! nil evp.Verifier":     {Verifier: v, Tokens: (*evp.Verifier)(nil)},
		"! zero evp.Verifier":    {Verifier: v, Tokens: new(evp.Verifier)},
		"! nil tokens":           {Verifier: v, Tokens: (*tokenVerifier)(nil)},
		"! status":               {Verifier: v, UndecidedStatus: 500},
		"! negative body":        {Verifier: v, MaxBody: -1},
		"! huge body":            {Verifier: v, MaxBody: 1<<20 + 1},
		"! negative timeout":     {Verifier: v, ReadTimeout: -1},
		"! negative in flight":   {Verifier: v, InFlight: -1},
		"! negative wait":        {Verifier: v, QueueTimeout: -1},
		"! negative lookups":     {Verifier: v, Lookups: -1},
		"emails, no logger":      {Verifier: v, LogEmails: true},
		"! a version with a v":   {Verifier: v, Version: verifyapi.Version{Version: "v1.0"}},
		"! half a commit":        {Verifier: v, Version: verifyapi.Version{Commit: "abcdef1"}},
		"! a commit in capitals": {Verifier: v, Version: verifyapi.Version{Commit: strings.ToUpper(commit)}},
	} {
		if _, err := verifyapi.New(c); (err != nil) != strings.HasPrefix(name, "!") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// tokenVerifier is a TokenVerifier whose method needs a value.
type tokenVerifier struct{ *evp.Verifier }

// TestMaxBody checks that a configured limit applies.
func TestMaxBody(t *testing.T) {
	s := serve(t, verifyapi.Config{MaxBody: 100_000})
	if got := s.post(t, "/v2", jsonType, pad(ask(good), 100_000)); got.StatusCode != 200 {
		t.Error(got.Status, got.body)
	}
	if got := s.post(t, "/v2", jsonType, pad(ask(good), 100_001)); got.StatusCode != 413 {
		t.Error(got.Status, got.body)
	}
	s.checkServes(t)
}

func TestVersion(t *testing.T) {
	const commit, none = "0123456789abcdef0123456789abcdef01234567", "0000000000000000000000000000000000000000"
	for name, tt := range map[string]struct {
		version, revision string
		want              verifyapi.Version
	}{
		"a release":                {"v1.2.3", commit, verifyapi.Version{Version: "1.2.3", Commit: commit, Source: "https://x.example/y"}},
		"between releases":         {"v1.2.4-0.20260102150405-0123456789ab", commit, verifyapi.Version{Version: "0.0.0", Commit: commit, Source: "https://x.example/y"}},
		"with changes":             {"v1.2.3+dirty", commit, verifyapi.Version{Version: "0.0.0", Commit: commit, Source: "https://x.example/y"}},
		"stamped without a v":      {"1.2.3", commit, verifyapi.Version{Version: "1.2.3", Commit: commit, Source: "https://x.example/y"}},
		"a snapshot":               {"v1.2.3-SNAPSHOT-0123456", "0123456", verifyapi.Version{Version: "0.0.0", Commit: none, Source: "https://x.example/y"}},
		"of unknown origin":        {"(devel)", "", verifyapi.Version{Version: "0.0.0", Commit: none, Source: "https://x.example/y"}},
		"another version control":  {"", "2026-01-02:17", verifyapi.Version{Version: "0.0.0", Commit: none, Source: "https://x.example/y"}},
		"a commit of another hash": {"", commit + commit, verifyapi.Version{Version: "0.0.0", Commit: none, Source: "https://x.example/y"}},
	} {
		info := buildinfo.Info{Version: tt.version, Commit: tt.revision, Module: "x.example/y"}
		if diff := cmp.Diff(tt.want, verifyapi.BuiltVersion(info)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if got := verifyapi.BuiltVersion(buildinfo.Info{}); got.Source != "https://github.com/vepverify/vepverify" {
		t.Errorf("the source is %s", got.Source)
	}

	// The form that monitoring reads, whatever this test was built from.
	h := watch(t, verifyapi.Config{})
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest("GET", "/__version__", nil))
	if !regexp.MustCompile(`^\{"version":"[0-9.]+","commit":"[0-9a-f]{40}","source":"https://[^"]+"\}$`).MatchString(rec.Body.String()) {
		t.Error(rec.Body)
	}
}
