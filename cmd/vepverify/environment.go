package main

import (
	"strings"

	"github.com/urfave/cli/v2"
)

// variable gives the environment variable of a flag, such as VEPVERIFY_CA_FILE
// of ca-file; empty for flags that have none. What weakens a check, or the
// clock, must stand where it is used.
func variable(flag string) string {
	if flag == "now" || strings.HasPrefix(flag, "insecure-") {
		return ""
	}
	return "VEPVERIFY_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// environment gives the command's flags that are not given but set in the
// environment, as arguments, and their names. An empty variable counts as not
// set. Several values of a repeatable flag have white space between them.
func environment(c *cli.Command, given func(string) bool, env func(string) (string, bool)) (args []string, set map[string]bool) {
	set = make(map[string]bool)
	for _, f := range c.Flags {
		name := f.Names()[0]
		value, _ := env(variable(name))
		if variable(name) == "" || value == "" || given(name) {
			continue
		}
		values := []string{value}
		if repeatable(f) {
			values = strings.Fields(value)
		}
		for _, v := range values {
			args = append(args, flagArgument{name, v, true}.String())
			set[name] = true
		}
	}
	return args, set
}
