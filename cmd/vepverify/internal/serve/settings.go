package serve

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
)

// setting is a flag of serve that the verifier of old took from a variable or
// from a configuration file, by names of its own. Its values are ours but for
// convert, nil when they are the same.
type setting struct {
	flag, variable, key string
	convert             func(string) (string, error)
}

var settings = []setting{
	{"address", "IP_ADDRESS", "ip", nil},
	{"port", "PORT", "port", nil},
	{"fallback", "FALLBACK_DOMAIN", "fallback", nil},
	{"timeout", "HTTP_TIMEOUT", "httpTimeout", seconds},
	{"insecure-ssl", "INSECURE_SSL", "insecureSSL", nil},
	{"insecure-http", "FORCE_INSECURE_LOOKUP_OVER_HTTP", "forceInsecureLookupOverHTTP", nil},
	{"test-service-failure", "TEST_SERVICE_FAILURE", "testServiceFailure", nil},
	{"log-level", "LOG_LEVEL", "", nil},
}

// ignoredKeys are members of the old configuration files that say how that
// program ran its processes and wrote its logs.
var ignoredKeys = []string{"computecluster", "logging", "toobusy"}

// inherit sets the flags that are neither given nor set by a variable of ours
// as the variables of old say, or else the files in CONFIG_FILES.
func inherit(c *cli.Call) error {
	filed, err := configFiles(c)
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
			f, ok := filed[s.key]
			if !ok {
				continue
			}
			where, value = f.file+": "+s.key, f.value
		}
		if err := setLegacy(c, s, value); err != nil {
			return c.UsageErrorf("%s: %w", where, err)
		}
	}
	return nil
}

func setLegacy(c *cli.Call, s setting, value string) error {
	c.KeepSecret(value)
	if s.convert != nil {
		var err error
		if value, err = s.convert(value); err != nil {
			return err
		}
	}
	if err := c.SetDefault(s.flag, value); err != nil {
		return fmt.Errorf("bad value %q: %w", cli.Shown(value), err)
	}
	return nil
}

// seconds makes a length of time out of a number of seconds.
func seconds(value string) (string, error) {
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || !(n > 0) || n > 300 {
		return "", errors.New("want a number of seconds, more than 0 and at most 300")
	}
	return time.Duration(n * float64(time.Second)).String(), nil
}

// filed is a value out of a configuration file.
type filed struct{ file, value string }

// configFiles reads the JSON files that CONFIG_FILES names, with commas between
// them. Later ones win.
func configFiles(c *cli.Call) (map[string]filed, error) {
	all := make(map[string]filed)
	names, _ := c.Env("CONFIG_FILES")
	for _, name := range strings.FieldsFunc(names, func(r rune) bool { return r == ',' }) {
		name = strings.TrimSpace(name)
		c.KeepSecret(name)
		if err := readConfig(all, name); err != nil {
			return nil, fmt.Errorf("CONFIG_FILES: %w", err)
		}
	}
	return all, nil
}

// readConfig adds a file's members.
func readConfig(all map[string]filed, name string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return fmt.Errorf("%s: want a JSON object, such as {\"fallback\":\"idp.example\"}: %w", name, err)
	}
	for key, raw := range members {
		value, err := configValue(key, raw)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		all[key] = filed{name, value}
	}
	return nil
}

// configValue gives a member's value as a flag takes it: that of a string is
// its text, numbers and booleans are as they are written.
func configValue(key string, raw json.RawMessage) (string, error) {
	for _, ignored := range ignoredKeys {
		if key == ignored {
			return "", nil
		}
	}
	known := false
	for _, s := range settings {
		known = known || s.key == key && key != ""
	}
	if !known {
		return "", fmt.Errorf("there is no setting %q", cli.Shown(key))
	}
	var text string
	if json.Unmarshal(raw, &text) == nil && raw[0] == '"' {
		return text, nil
	}
	if strings.ContainsAny(string(raw[:1]), "[{n") {
		return "", fmt.Errorf("%s is no text, number or boolean", key)
	}
	return string(raw), nil
}
