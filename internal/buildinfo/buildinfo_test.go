package buildinfo_test

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/vepverify/vepverify/internal/buildinfo"
)

const (
	stamped  = "0123456789abcdef0123456789abcdef01234567"
	revision = "fedcba9876543210fedcba9876543210fedcba98"
)

// TestInfo: a stamp takes precedence over what Go recorded, each by itself.
func TestInfo(t *testing.T) {
	recorded := func(version, revision, modified string) *debug.BuildInfo {
		return &debug.BuildInfo{
			GoVersion: "go1.26.0", Main: debug.Module{Path: "x.example/y", Version: version},
			Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: revision}, {Key: "vcs.modified", Value: modified}},
		}
	}
	for name, tt := range map[string]struct {
		recorded        *debug.BuildInfo
		version, commit string
		want            buildinfo.Info
	}{
		"no stamp":                  {recorded("v1.0.0", revision, "false"), "", "", buildinfo.Info{Version: "v1.0.0", Commit: revision, Go: "go1.26.0", Module: "x.example/y"}},
		"no stamp, changes":         {recorded("v1.0.0+dirty", revision, "true"), "", "", buildinfo.Info{Version: "v1.0.0+dirty", Commit: revision, Modified: true, Go: "go1.26.0", Module: "x.example/y"}},
		"no stamp, no version":      {recorded("", "", ""), "", "", buildinfo.Info{Version: "(devel)", Go: "go1.26.0", Module: "x.example/y"}},
		"both stamps":               {recorded("(devel)", "", ""), "v1.2.3", stamped, buildinfo.Info{Version: "v1.2.3", Commit: stamped, Go: "go1.26.0", Module: "x.example/y"}},
		"a version":                 {recorded("(devel)", revision, "false"), "v1.2.3", "", buildinfo.Info{Version: "v1.2.3", Commit: revision, Go: "go1.26.0", Module: "x.example/y"}},
		"a version, changes":        {recorded("(devel)", revision, "true"), "v1.2.3", "", buildinfo.Info{Version: "v1.2.3", Commit: revision, Modified: true, Go: "go1.26.0", Module: "x.example/y"}},
		"a commit":                  {recorded("(devel)", "", ""), "", stamped, buildinfo.Info{Version: "(devel)", Commit: stamped, Go: "go1.26.0", Module: "x.example/y"}},
		"another commit, changes":   {recorded("v1.0.0", revision, "true"), "", stamped, buildinfo.Info{Version: "v1.0.0", Commit: stamped, Go: "go1.26.0", Module: "x.example/y"}},
		"the same commit, changes":  {recorded("v1.0.0", revision, "true"), "v1.0.0", revision, buildinfo.Info{Version: "v1.0.0", Commit: revision, Modified: true, Go: "go1.26.0", Module: "x.example/y"}},
		"nothing recorded":          {nil, "", "", buildinfo.Info{Version: "(unknown)", Go: runtime.Version()}},
		"nothing recorded, stamped": {nil, "v1.2.3", stamped, buildinfo.Info{Version: "v1.2.3", Commit: stamped, Go: runtime.Version()}},
	} {
		if got := buildinfo.Of(tt.recorded, tt.version, tt.commit); got != tt.want {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
	}
}
