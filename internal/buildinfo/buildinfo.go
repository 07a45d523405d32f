// Package buildinfo has the version of the running program: that with which a release was
// stamped, or else what Go recorded.
//
// A release is stamped by the linker:
//
//	go build -ldflags "-X github.com/vepverify/vepverify/internal/buildinfo.version=v1.2.3
//	  -X github.com/vepverify/vepverify/internal/buildinfo.commit=<40 hex digits>" ./cmd/vepverify
//
// Each of the two may be left out: it is then the one that Go recorded. The package does not check
// the form of a stamp.
package buildinfo

import (
	"cmp"
	"runtime"
	"runtime/debug"
)

// The stamps, which only the linker sets. Empty means none.
var version, commit string

// Info describes the build of the running program.
type Info struct {
	Version  string // such as v1.2.3; "(devel)" without a version, "(unknown)" without build information
	Commit   string // the revision of the source; empty means unknown
	Modified bool   // the source has changes that are not in Commit
	Go       string // the version of Go
	Module   string // the path of the main module; empty means unknown
}

// Read returns the Info of the running program.
func Read() Info {
	recorded, _ := debug.ReadBuildInfo()
	return infoOf(recorded, version, commit)
}

// infoOf returns the Info of a program with these stamps. recorded may be nil.
func infoOf(recorded *debug.BuildInfo, version, commit string) Info {
	info := Info{Version: cmp.Or(version, "(unknown)"), Commit: commit, Go: runtime.Version()}
	if recorded == nil {
		return info
	}
	settings := make(map[string]string)
	for _, s := range recorded.Settings {
		settings[s.Key] = s.Value
	}
	revision := settings["vcs.revision"]
	info.Version, info.Commit = cmp.Or(version, recorded.Main.Version, "(devel)"), cmp.Or(commit, revision)
	info.Modified = settings["vcs.modified"] == "true" && info.Commit == revision
	info.Go, info.Module = cmp.Or(recorded.GoVersion, info.Go), recorded.Main.Path
	return info
}
