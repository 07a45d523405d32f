package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/internal/arithmetic"
)

func versionCommand() *cli.Command {
	return &cli.Command{
		Name: cli.VersionName, Usage: "print the version",
		Help: "Prints the version, the revision of the source, the version of Go, and the arithmetic that\nverifies signatures on this processor: AVX-512 IFMA, or portable code.",
		Run: func(_ context.Context, c *cli.Call) error {
			if len(c.Args) > 0 {
				return c.UsageErrorf("version takes no arguments")
			}
			info, _ := debug.ReadBuildInfo()
			fmt.Fprintf(c.Out, "%s, arithmetic: %s\n", version(info), arithmetic.Name())
			return nil
		},
	}
}

// version returns the version, the revision and the version of Go. info may be nil.
func version(info *debug.BuildInfo) string {
	if info == nil {
		return cli.Program + " (unknown) " + runtime.Version()
	}
	text := cli.Program + " " + info.Main.Version
	if info.Main.Version == "" {
		text = cli.Program + " (devel)"
	}
	settings := make(map[string]string)
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if revision := settings["vcs.revision"]; revision != "" {
		text += " " + revision
		if settings["vcs.modified"] == "true" {
			text += "+changes"
		}
	}
	return text + " " + info.GoVersion
}
