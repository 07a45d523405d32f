package verifyapi

import (
	"errors"
	"runtime/debug"
	"strings"
)

// Version says what is running, in the form that monitoring of such services
// reads: {"version":"1.2.0","commit":"<40 hex digits>","source":"https://…"}.
type Version struct {
	Version string `json:"version"` // digits and dots; 0.0.0: not a release
	Commit  string `json:"commit"`  // 40 lower-case hex digits; all zeros: not known
	Source  string `json:"source"`  // where the source code is
}

const (
	unknownCommit = "0000000000000000000000000000000000000000"
	ownSource     = "https://github.com/vepverify/vepverify"
)

func (v Version) check() error {
	if strings.Trim(v.Version, "0123456789.") != "" {
		return errors.New("a Version that is not digits and dots")
	}
	if v.Commit != "" && (len(v.Commit) != len(unknownCommit) || strings.Trim(v.Commit, "0123456789abcdef") != "") {
		return errors.New("a Commit that is not 40 lower-case hex digits")
	}
	return nil
}

// orBuilt fills what is empty from the build information.
func (v Version) orBuilt() Version {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = new(debug.BuildInfo)
	}
	built := builtVersion(info)
	setDefault(&v.Version, built.Version)
	setDefault(&v.Commit, built.Commit)
	setDefault(&v.Source, built.Source)
	return v
}

// builtVersion reads the build information of the main module. Its version may
// be v1.2.0, v1.2.1-0.20260102150405-abcdef012345+dirty or (devel).
func builtVersion(info *debug.BuildInfo) Version {
	v := Version{Version: strings.TrimPrefix(info.Main.Version, "v"), Source: "https://" + info.Main.Path}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v.Commit = s.Value
		}
	}
	if v.Version == "" || (Version{Version: v.Version}).check() != nil {
		v.Version = "0.0.0"
	}
	if v.Commit == "" || (Version{Commit: v.Commit}).check() != nil {
		v.Commit = unknownCommit
	}
	if info.Main.Path == "" {
		v.Source = ownSource
	}
	return v
}
