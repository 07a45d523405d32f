package verifier

import (
	"strings"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/internal/origin"
)

// CheckAudiences returns an error for a value of --audience that no assertion can match, or
// that has no scheme. In the library and the API, an audience without a scheme means http
// (PROTOCOL 5.no-scheme), which hardly anyone means on a command line.
func CheckAudiences(c *cli.Call, audiences []string) error {
	for _, a := range audiences {
		if origin.CheckAudience(a) != nil && origin.Compare(a, a) != 0 {
			return badAudience(c, a)
		}
	}
	return nil
}

// CheckAudience returns an error if the value of --audience is not one origin, for which an
// assertion can be made.
func CheckAudience(c *cli.Call, audience string) error {
	if origin.Compare(audience, audience) != 0 {
		return badAudience(c, audience)
	}
	return nil
}

// badAudience returns the error for an audience. It names the origin that is meant, if that
// can be seen.
func badAudience(c *cli.Call, audience string) error {
	flag := "--audience"
	if !c.Given("audience") {
		flag = "VEPVERIFY_AUDIENCE"
	}
	scheme, rest, found := strings.Cut(strings.TrimSpace(audience), "://")
	if !found {
		scheme, rest = "https", strings.TrimLeft(scheme, "/")
	}
	host, _, _ := strings.Cut(rest, "/")
	host, _, _ = strings.Cut(host, "?")
	host, _, _ = strings.Cut(host, "#")
	meant, problem := strings.ToLower(scheme)+"://"+host, "not an origin: want scheme, host and port only"
	if !found {
		problem = "the scheme is missing"
	}
	switch {
	case strings.ContainsAny(strings.TrimSpace(audience), ", "):
		return c.UsageErrorf("%s %q: not an origin; give --audience once for each origin", flag, cli.Shown(audience))
	case strings.Contains(host, "*"):
		problem = "a wildcard stands for whole labels before a domain, as in https://*.rp.example, and an assertion is for one origin"
	}
	if origin.Compare(meant, meant) != 0 {
		meant = "https://rp.example"
	}
	return c.UsageErrorf("%s %q: %s, such as %s", flag, cli.Shown(audience), problem, cli.Shown(meant))
}
