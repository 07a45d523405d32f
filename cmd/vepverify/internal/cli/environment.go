package cli

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// variablePrefix begins the names of the environment variables of flags.
const variablePrefix = "VEPVERIFY_"

// variable returns the environment variable of a flag, such as
// VEPVERIFY_CA_FILE of ca-file. Flags that weaken a check, and the clock, have
// none: they must be visible where they are used.
func variable(flag string) string {
	if flag == "now" || strings.HasPrefix(flag, "insecure-") {
		return ""
	}
	return variableName(flag)
}

// variableName returns the name that the variable of a flag has, or would have.
func variableName(flag string) string {
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// flagsFromEnv returns the command's flags that are not given but set in the
// environment, as arguments, and the variables by the names of the flags. An empty variable, and
// one whose value is for something else, count as not set. White space separates the values of a
// repeatable flag.
func flagsFromEnv(c *Command, given func(string) bool, env func(string) (string, bool)) (args []string, variables map[string]string) {
	variables = make(map[string]string)
	for _, f := range c.Flags {
		name := f.Names()[0]
		value, _ := env(variable(name))
		if variable(name) == "" || value == "" || given(name) || isServiceLink(variable(name), value) || isNotFormat(f, value) {
			continue
		}
		values := []string{value}
		if repeatable(f) {
			values = strings.Fields(value)
		}
		for _, v := range values {
			args = append(args, flagArgument{name, v, true}.String())
			variables[name] = variable(name)
		}
	}
	return args, variables
}

// flagName matches the name of a flag in an error.
var flagName = regexp.MustCompile(`--[a-z][a-z-]*`)

// sources returns the end of an error that names flags: the variables or other sources that
// have set them.
func (c *Call) sources(text string) (end string) {
	for _, name := range flagName.FindAllString(text, -1) {
		if source := c.fromEnv[name[2:]]; source != "" && !strings.Contains(text+end, source) {
			end += "; " + name + " is set by " + source
		}
	}
	return end
}

var (
	linkName    = regexp.MustCompile(`_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO|START|END))?|ENV_.+)$`)
	linkAddress = regexp.MustCompile(`^(tcp|udp|sctp)://`)
)

// isServiceLink reports whether a variable is one that Kubernetes sets in a pod for a
// Service, or docker --link for a container. Their names begin with the name of the
// Service or container. If that begins with vepverify, they look like the variables of
// flags: VEPVERIFY_PORT=tcp://10.96.0.1:8080.
func isServiceLink(name, value string) bool {
	switch {
	case strings.HasSuffix(name, "_PORT"):
		return linkAddress.MatchString(value) || linkName.MatchString(name)
	case strings.HasSuffix(name, "_NAME"):
		return strings.HasPrefix(value, "/") // as in /web/vepverify
	}
	return linkName.MatchString(name)
}

// isNotFormat reports whether the value of VEPVERIFY_OUTPUT is not for a command whose
// --output is a format. It is then for a command whose --output is a file.
func isNotFormat(f Flag, value string) bool {
	format, ok := valueOf(f).(*Format)
	return ok && !format.has(value)
}

// ServiceLinkAdvice says why the variables of [Call.ServiceLinks] are ignored, and what to do.
const ServiceLinkAdvice = "its value is the address of a Kubernetes Service or of a linked container, not a setting; " +
	"set enableServiceLinks: false in the pod, or name the Service otherwise"

// ServiceLinks returns the variables of the command's flags that are ignored because
// their values are those of a service link.
func (c *Call) ServiceLinks() (names []string) {
	for _, f := range c.command.Flags {
		name := variable(f.Names()[0])
		if value, _ := c.Env(name); value != "" && isServiceLink(name, value) && !c.Given(f.Names()[0]) {
			names = append(names, name)
		}
	}
	return names
}

// warnOfVariables prints a warning for each variable that is ignored although it is probably
// meant for this command, unless the command logs them.
func (c *Call) warnOfVariables() {
	if c.command.Logs {
		return
	}
	warn := func(name, why string) { fmt.Fprintf(c.Err, "%s: warning: %s is ignored: %s\n", Program, name, why) }
	for _, name := range c.ServiceLinks() {
		warn(name, ServiceLinkAdvice)
	}
	for _, f := range c.command.Flags {
		name := f.Names()[0]
		if value, _ := c.Env(variable(name)); value != "" && isNotFormat(f, value) && !c.Given(name) {
			warn(variable(name), "want json or text; the name of a file is for vepverify request")
		}
	}
	for _, v := range c.UnknownVariables() {
		if v.Advice != noSetting { // it may be a variable of other software
			warn(v.Name, v.Advice)
		}
	}
}

// UnknownVariable is a variable whose name looks like that of a flag, although no command
// reads it.
type UnknownVariable struct{ Name, Advice string }

// UnknownVariables returns the variables that begin with VEPVERIFY_ and that no command
// reads. Service links are not among them.
func (c *Call) UnknownVariables() (unknown []UnknownVariable) {
	if c.Environ == nil {
		return nil
	}
	for _, entry := range c.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		if value == "" || !strings.HasPrefix(name, variablePrefix) || isServiceLink(name, value) || c.isVariable(name) {
			continue
		}
		unknown = append(unknown, UnknownVariable{Shorten(name, 100), c.variableAdvice(name)})
	}
	return unknown
}

// isVariable reports whether a command has a flag with this variable.
func (c *Call) isVariable(name string) bool {
	return slices.ContainsFunc(c.commands, func(command *Command) bool {
		return slices.ContainsFunc(command.Flags, func(f Flag) bool { return variable(f.Names()[0]) == name })
	})
}

const noSetting = "no setting has this name"

// variableAdvice returns what to do about an unknown variable.
func (c *Call) variableAdvice(name string) string {
	for _, f := range c.command.Flags {
		if flag := f.Names()[0]; variableName(flag) == name {
			return "--" + flag + " has no variable: give the flag itself"
		}
	}
	if near := nearest(strings.TrimPrefix(name, variablePrefix), c.variables()); near != "" {
		return "perhaps " + variablePrefix + near
	}
	return noSetting
}

// variables returns the variables of the command's flags, without their prefix.
func (c *Call) variables() (names []string) {
	for _, f := range c.command.Flags {
		if name := variable(f.Names()[0]); name != "" {
			names = append(names, strings.TrimPrefix(name, variablePrefix))
		}
	}
	return names
}
