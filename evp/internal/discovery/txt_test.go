package discovery_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/evp/internal/discovery"
)

// host253 is a host name of the largest size.
var host253 = strings.Repeat(strings.Repeat("a", 63)+".", 3) + strings.Repeat("b", 53) + ".example"

func TestIsHost(t *testing.T) {
	for host, want := range map[string]bool{
		"a.b": true, issuer: true, "1-2.3.is-suer.example": true, "xn--bcher-kva.example": true, host253: true, "1.e": true, "a.0xg": true,
		"x" + host253: false, strings.Repeat("a", 64) + ".example": false, "": false, "example": false, "localhost": false,
		".example": false, "example.": false, "a..example": false, "-a.example": false, "a-.example": false, "a.example-": false,
		"A.example": false, "a_b.example": false, "a.example:443": false, "a.example/": false, "u@a.example": false, "bücher.example": false,
		"127.0.0.1": false, "10.1": false, "a.0x7f": false, "a.0x": false, "a.1": false, "[::1]": false, "::1": false, "a.example\n": false, "a.example\x00": false, "*.example": false, "a b.example": false,
	} {
		if got := discovery.IsHost(host); got != want {
			t.Errorf("%q: %v, want %v", host, got, want)
		}
	}
}

func TestRecords(t *testing.T) {
	for name, c := range map[string]struct {
		records []string
		rule    string // empty means that they name the issuer
	}{
		"one":                    {[]string{record}, ""},
		"none":                   {nil, "8.no-issuer"},
		"empty":                  {[]string{""}, "8.record"},
		"two":                    {[]string{record, record}, "8.record"},
		"one and another":        {[]string{"v=spf1 marker", record}, "8.record"},
		"another":                {[]string{"v=spf1 marker"}, "8.record"},
		"no host":                {[]string{"iss="}, "8.record"},
		"capitals of the prefix": {[]string{"ISS=" + issuer}, "8.record"},
		"capitals":               {[]string{"iss=Marker.example"}, "8.record"},
		"quoted":                 {[]string{`"` + record + `"`}, "8.record"},
		"space before":           {[]string{" " + record}, "8.record"},
		"space in it":            {[]string{"iss= " + issuer}, "8.record"},
		"more after it":          {[]string{record + "; marker=1"}, "8.record"},
		"line feed":              {[]string{record + "\n"}, "8.record"},
		"scheme":                 {[]string{"iss=https://" + issuer}, "8.record"},
		"path":                   {[]string{record + "/marker"}, "8.record"},
		"port":                   {[]string{record + ":443"}, "8.record"},
		"user":                   {[]string{"iss=marker@" + issuer}, "8.record"},
		"final dot":              {[]string{record + "."}, "8.record"},
		"localhost":              {[]string{"iss=localhost"}, "8.record"},
		"IPv4 address":           {[]string{"iss=127.0.0.1"}, "8.record"},
		"short IPv4 address":     {[]string{"iss=127.1"}, "8.record"},
		"hexadecimal address":    {[]string{"iss=0x7f.0x1"}, "8.record"},
		"metadata of the cloud":  {[]string{"iss=169.254.169.254"}, "8.record"},
		"IPv6 address":           {[]string{"iss=[::1]"}, "8.record"},
		"64 KiB":                 {[]string{record + strings.Repeat("x", 64<<10)}, "8.record"},
		"10 000":                 {make([]string, 10_000), "8.record"},
	} {
		got, err := discovery.ParseRecords(c.records)
		switch {
		case c.rule == "" && (err != nil || got != issuer):
			t.Errorf("%s: %q, %v", name, got, err)
		case c.rule != "" && got != "":
			t.Errorf("%s: %q", name, got)
		case c.rule != "":
			checkError(t, name, err, discovery.Refused, c.rule)
		}
	}
}

// txtFunc is a TXTResolver.
type txtFunc func(ctx context.Context, name string) ([]string, error)

func (f txtFunc) LookupTXT(ctx context.Context, name string) ([]string, error) { return f(ctx, name) }

// TestTXTErrors checks which errors of a resolver mean that there is no record.
func TestTXTErrors(t *testing.T) {
	marked := "marker"
	for name, c := range map[string]struct {
		err     error
		none    bool // the name has no record
		cause   error
		setting string
	}{
		"no such host":            {&net.DNSError{Err: marked, IsNotFound: true}, true, nil, ""},
		"wrapped":                 {errors.Join(&net.DNSError{IsNotFound: true}), true, nil, ""},
		"not found for now":       {&net.DNSError{IsNotFound: true, IsTemporary: true}, false, nil, "Resolver"},
		"not found in time":       {&net.DNSError{IsNotFound: true, IsTimeout: true}, false, context.DeadlineExceeded, "Timeout"},
		"server failure":          {&net.DNSError{Err: marked, IsTemporary: true}, false, nil, "Resolver"},
		"server misbehaves":       {&net.DNSError{Err: marked}, false, nil, "Resolver"},
		"timeout":                 {&net.DNSError{Err: marked, IsTimeout: true}, false, context.DeadlineExceeded, "Timeout"},
		"deadline":                {context.DeadlineExceeded, false, context.DeadlineExceeded, "Timeout"},
		"canceled":                {context.Canceled, false, context.Canceled, ""},
		"something else":          {errors.New(marked), false, nil, "Resolver"},
		"records beside an error": {errors.New(marked), false, nil, "Resolver"},
	} {
		records, err := discovery.LookUpTXT(t.Context(), txtFunc(func(context.Context, string) ([]string, error) {
			return []string{record}, c.err
		}), mail)
		if len(records) != 0 {
			t.Errorf("%s: %q", name, records)
		}
		if c.none {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		e := checkError(t, name, err, discovery.Unavailable, "8.unavailable")
		if e.Cause != c.cause || e.Setting != c.setting {
			t.Errorf("%s: cause %v, setting %q", name, e.Cause, e.Setting)
		}
	}
}

func TestTXTName(t *testing.T) {
	var asked []string
	r := txtFunc(func(_ context.Context, name string) ([]string, error) {
		asked = append(asked, name)
		return []string{record}, nil
	})
	if got, err := discovery.LookUpTXT(t.Context(), r, mail); err != nil || len(got) != 1 || got[0] != record {
		t.Errorf("%q, %v", got, err)
	}
	if len(asked) != 1 || asked[0] != "_email-verification."+mail {
		t.Errorf("asked for %q", asked)
	}
}

// TestLongAnswers checks that long answers are cut, and that no part of them becomes valid.
func TestLongAnswers(t *testing.T) {
	long := record + strings.Repeat("x", 64<<10)
	for _, answer := range [][]string{{long}, {long, record}, make([]string, 10_000)} {
		got, err := discovery.LookUpTXT(t.Context(), txtFunc(func(context.Context, string) ([]string, error) { return answer, nil }), mail)
		if err != nil || len(got) == 0 || len(got) > 16 || len(got[0]) > 512 {
			t.Errorf("%d records, %v", len(got), err)
		}
		if host, err := discovery.ParseRecords(got); err == nil {
			t.Errorf("names %q", host)
		}
	}
}

func FuzzTXT(f *testing.F) {
	for _, s := range []string{record, "iss=localhost", "iss=127.1", "iss=a.0x7f", "iss=A.example", record + "\n", ""} {
		f.Add(s, "")
	}
	f.Add(record, record)
	f.Fuzz(func(t *testing.T, one, two string) {
		records := []string{one, two}
		if two == "" {
			records = records[:1]
		}
		host, err := discovery.ParseRecords(records)
		if err != nil {
			if err.Outcome != discovery.Refused || !strings.HasPrefix(err.Rule, "8.") {
				t.Errorf("%+v", err)
			}
			return
		}
		if two != "" || one != "iss="+host || host != strings.ToLower(host) || len(host) > 253 ||
			net.ParseIP(host) != nil || strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" {
			t.Errorf("%q of %q", host, records)
		}
	})
}
