package main

import (
	"context"
	"fmt"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/internal/arithmetic"
	"github.com/vepverify/vepverify/internal/buildinfo"
)

func versionCommand() *cli.Command {
	format := cli.NewFormat(cli.FormatText)
	return &cli.Command{
		Name: cli.VersionName, Usage: "print the version",
		Help: `Prints the version, the revision of the source, the version of Go, and the arithmetic that
verifies signatures on this processor: AVX-512 IFMA, or portable code.`,
		Manual: cli.Manual{
			Exit:       []cli.Exit{{Status: cli.ExitOkay, Meaning: "done"}, {Status: cli.ExitUsage, Meaning: "wrong usage"}},
			FlagGroups: []cli.FlagGroup{cli.FormatFlags},
		},
		Flags: format.Flags(),
		Run: func(_ context.Context, c *cli.Call) error {
			if len(c.Args) > 0 {
				return c.UsageErrorf("version takes no arguments")
			}
			v := versionOf(buildinfo.Read())
			if format.JSON() {
				return c.PrintJSON(v)
			}
			fmt.Fprintln(c.Out, v)
			return nil
		},
	}
}

// programVersion is what the command version prints. The JSON form is for scripts.
type programVersion struct {
	Version    string `json:"version"` // as in buildinfo.Info
	Revision   string `json:"revision,omitempty"`
	Modified   bool   `json:"modified,omitempty"` // the source has changes that are not in Revision
	Go         string `json:"go"`
	Arithmetic string `json:"arithmetic"`
}

func versionOf(info buildinfo.Info) programVersion {
	return programVersion{info.Version, info.Commit, info.Modified, info.Go, arithmetic.Name()}
}

// String returns the version on one line.
func (v programVersion) String() string {
	text := cli.Program + " " + v.Version
	if v.Revision != "" {
		text += " " + v.Revision
		if v.Modified {
			text += "+changes"
		}
	}
	return text + " " + v.Go + ", arithmetic: " + v.Arithmetic
}
