package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"

	"github.com/vepverify/vepverify/internal/arithmetic"
)

func versionCommand(p *process) *cli.Command {
	return &cli.Command{
		Name: "version", Usage: "print the version",
		Description: "Prints the version, the revision that it was built from, the version of Go, and what\nverifies signatures on this processor: AVX-512 IFMA, or portable code.",
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return usageError(c, "version takes no arguments")
			}
			info, _ := debug.ReadBuildInfo()
			fmt.Fprintf(p.out, "%s, arithmetic: %s\n", version(info), arithmetic.Name())
			return nil
		},
	}
}

// version says what the program was built from; info may be nil.
func version(info *debug.BuildInfo) string {
	if info == nil {
		return program + " (unknown) " + runtime.Version()
	}
	text := program + " " + info.Main.Version
	if info.Main.Version == "" {
		text = program + " (devel)"
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
