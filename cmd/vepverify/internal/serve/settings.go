package serve

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
)

// setting is a setting of the original verifier: a flag of serve, and the original's
// names for it as a variable and as a member of a configuration file.
type setting struct {
	flag, variable, member string
	// convert converts a value of the original to a value of the flag. Nil means
	// that they are the same.
	convert func(string) (string, error)
	note    string // for the man page; may be empty
}

var settings = []setting{
	{"address", "IP_ADDRESS", "ip", nil, ""},
	{"port", "PORT", "port", nil, ""},
	{"fallback", "FALLBACK_DOMAIN", "fallback", nil, ""},
	{"timeout", "HTTP_TIMEOUT", "httpTimeout", seconds, "The value is a number of seconds, such as 8 or 2.5."},
	{"insecure-ssl", "INSECURE_SSL", "insecureSSL", nil, "Set by accident, it turns off all checks of issuers' TLS certificates."},
	{"insecure-http", "FORCE_INSECURE_LOOKUP_OVER_HTTP", "forceInsecureLookupOverHTTP", nil, "It must not be set in production."},
	{"test-service-failure", "TEST_SERVICE_FAILURE", "testServiceFailure", nil, ""},
	{"log-level", "LOG_LEVEL", "", nil, ""},
}

// ignoredMembers are members of the original's configuration files about its
// processes and logs.
var ignoredMembers = []string{"computecluster", "logging", "toobusy"}

// applyOriginalSettings sets flags from the variables of the original verifier, or
// else from the files in CONFIG_FILES. It does not change flags that are given or
// set by a variable of this program.
func applyOriginalSettings(c *cli.Call) error {
	members, err := readConfigFiles(c)
	if err != nil {
		return err
	}
	for _, s := range settings {
		if c.IsSet(s.flag) {
			continue
		}
		where := s.variable
		value, _ := c.Env(s.variable)
		if value == "" {
			f, ok := members[s.member]
			if !ok {
				continue
			}
			where, value = f.file+": "+s.member, f.value
		}
		if err := apply(c, s, value, where); err != nil {
			return c.UsageErrorf("%s: %w", where, err)
		}
	}
	return nil
}

// apply sets the flag of a setting.
func apply(c *cli.Call, s setting, value, where string) error {
	c.KeepSecret(value)
	if s.convert != nil {
		var err error
		if value, err = s.convert(value); err != nil {
			return err
		}
	}
	if err := c.SetDefault(s.flag, value, where); err != nil {
		return fmt.Errorf("bad value %q: %w", cli.Shown(value), err)
	}
	return nil
}

// seconds converts a number of seconds, such as 2.5, to the form of --timeout.
func seconds(value string) (string, error) {
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || !(n > 0) || n > 300 {
		return "", errors.New("want a number of seconds, more than 0 and at most 300")
	}
	return time.Duration(n * float64(time.Second)).String(), nil
}

// member is the value of a member of a configuration file.
type member struct{ file, value string }

// readConfigFiles reads the JSON files that CONFIG_FILES names, separated by
// commas. Later ones win.
func readConfigFiles(c *cli.Call) (map[string]member, error) {
	all := make(map[string]member)
	names, _ := c.Env("CONFIG_FILES")
	for _, name := range strings.FieldsFunc(names, func(r rune) bool { return r == ',' }) {
		name = strings.TrimSpace(name)
		c.KeepSecret(name)
		if err := readConfigFile(all, name); err != nil {
			return nil, fmt.Errorf("CONFIG_FILES: %w", err)
		}
	}
	return all, nil
}

// readConfigFile adds a file's members.
func readConfigFile(all map[string]member, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return fmt.Errorf("%s: want a JSON object, such as {\"fallback\":\"idp.example\"}: %w", file, err)
	}
	for name, raw := range members {
		value, err := memberValue(name, raw)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		all[name] = member{file, value}
	}
	return nil
}

// memberValue returns a member's value in the form of a flag: the text of a string,
// and numbers and booleans as they are written.
func memberValue(name string, raw json.RawMessage) (string, error) {
	if slices.Contains(ignoredMembers, name) {
		return "", nil
	}
	if name == "" || !slices.ContainsFunc(settings, func(s setting) bool { return s.member == name }) {
		return "", fmt.Errorf("unknown setting %q", cli.Shown(name))
	}
	var text string
	if json.Unmarshal(raw, &text) == nil && raw[0] == '"' {
		return text, nil
	}
	if strings.ContainsAny(string(raw[:1]), "[{n") {
		return "", fmt.Errorf("%s: not a string, number or boolean", name)
	}
	return string(raw), nil
}
