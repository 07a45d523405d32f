package vepauth_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/vepauth"
)

// TestBadConfigurations checks that New returns an error for mistakes.
func TestBadConfigurations(t *testing.T) {
	apps := func(m map[string][]string) vepauth.Config {
		return vepauth.Config{Audiences: []string{rp}, TokenURL: "/{application}/{version}/token", Applications: m}
	}
	of := func(*http.Request) (string, string) { return "sync", "1.0" }
	one := map[string][]string{"sync": {"1.0"}}
	for name, c := range map[string]vepauth.Config{
		"no audience":                {},
		"empty audience":             {Audiences: []string{""}},
		"one bad audience":           {Audiences: []string{rp, "rp.example"}},
		"audience with path":         {Audiences: []string{rp + "/path"}},
		"audience with query":        {Audiences: []string{rp + "?"}},
		"audience with user":         {Audiences: []string{"https://u@rp.example"}},
		"audience of another scheme": {Audiences: []string{"ftp://rp.example"}},
		"audience with odd port":     {Audiences: []string{rp + ":0443"}},
		"audience with two dots":     {Audiences: []string{"https://rp..example"}},
		"audience that is a glob":    {Audiences: []string{"https://mozilla.com*"}},
		"audience that is any":       {Audiences: []string{"*"}},
		"any host":                   {Audiences: []string{"https://*"}},
		"any host of a top domain":   {Audiences: []string{"https://*.example"}},
		"an asterisk inside":         {Audiences: []string{"https://a.*.example"}},
		"an asterisk before a name":  {Audiences: []string{"https://*rp.example"}},
		"two asterisks":              {Audiences: []string{"https://*.*.rp.example"}},
		"any address":                {Audiences: []string{"https://*.0.0.1"}},
		"any IPv6 address":           {Audiences: []string{"https://*.[::1]"}},
		"any mapped address":         {Audiences: []string{"https://*.[::ffff:1.2.3.4]"}},
		"IPv6 without brackets":      {Audiences: []string{"https://::1"}},
		"unknown scheme":             {Audiences: []string{rp}, Scheme: "OAuth"},
		"unparsable pattern":         {Audiences: []string{rp}, TokenURL: "/{application"},
		"pattern that is a URL":      {Audiences: []string{rp}, TokenURL: rp + "/token"},
		"negative leeway":            {Audiences: []string{rp}, Leeway: -1},
		"much leeway":                {Audiences: []string{rp}, Leeway: time.Hour},
		"negative form":              {Audiences: []string{rp}, MaxForm: -1},
		"huge form":                  {Audiences: []string{rp}, MaxForm: 1 << 40},
		"public origin with path":    {Audiences: []string{rp}, PublicOrigin: rp + "/path"},
		"public origin, no scheme":   {Audiences: []string{rp}, PublicOrigin: "rp.example"},
		"public origin, pattern":     {Audiences: []string{rp}, PublicOrigin: "https://*.rp.example"},
		"two sources of the origin":  {Audiences: []string{rp}, PublicOrigin: rp, TrustForwarded: true},

		"application with a slash":          apps(map[string][]string{"sync/1": {"1.0"}}),
		"application without a name":        apps(map[string][]string{"": {"1.0"}}),
		"application that is a dot segment": apps(map[string][]string{"..": {"1.0"}}),
		"version with a slash":              apps(map[string][]string{"sync": {"1.0", "1/5"}}),
		"empty version":                     apps(map[string][]string{"sync": {""}}),
		"application without versions":      apps(map[string][]string{"sync": {"1.0"}, "aitc": nil}),
		"no applications":                   apps(nil),
		"versions that nothing names":       {Audiences: []string{rp}, TokenURL: "/{application}/token", Applications: one},
		"version without application":       {Audiences: []string{rp}, TokenURL: "/{version}/token"},
		"applications, plain URL":           {Audiences: []string{rp}, Applications: one},
		"a misspelt placeholder":            {Audiences: []string{rp}, TokenURL: "/{aplication}/{version}/token", Applications: one},
		"ApplicationOf, plain URL":          {Audiences: []string{rp}, Applications: one, ApplicationOf: of},
		"ApplicationOf alone":               {Audiences: []string{rp}, ApplicationOf: of},
		"nothing below":                     {Audiences: []string{rp}, TokenURL: "/token/{application}/{version}", Applications: one},
		"no URL and no function":            {DisableTokenEndpoint: true, Applications: one},

		"nil verifier":        {Audiences: []string{rp}, Verifier: (*assertion.Verifier)(nil)},
		"zero verifier":       {Audiences: []string{rp}, Verifier: new(assertion.Verifier)},
		"nil token manager":   {Audiences: []string{rp}, Tokens: (*vepauth.SignedTokens)(nil)},
		"nil store of nonces": {Audiences: []string{rp}, Nonces: (*assertion.MemoryOneUse)(nil)},
		"short-lived nonces":  {Audiences: []string{rp}, Nonces: limitedStore(3*time.Minute - 1)},
		"a longer leeway":     {Audiences: []string{rp}, Nonces: limitedStore(3 * time.Minute), Leeway: 61 * time.Second},
	} {
		if auth, err := vepauth.New(c); err == nil || auth != nil {
			t.Errorf("%s is accepted", name)
		} else if !strings.HasPrefix(err.Error(), "vepauth: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// limitedStore is a store of nonces that keeps no entry for longer.
type limitedStore time.Duration

func (limitedStore) FirstUse(context.Context, string, time.Time) (bool, error) { return true, nil }
func (s limitedStore) MaxLife() time.Duration                                  { return time.Duration(s) }

func TestGoodConfigurations(t *testing.T) {
	for name, c := range map[string]vepauth.Config{
		"defaults":           {Audiences: []string{rp}},
		"many audiences":     {Audiences: []string{rp, "https://*.rp.example", "https://*.rp.example:8443", "http://localhost:8000", "http://[::1]:80", rp + "/"}},
		"a name in Unicode":  {Audiences: []string{"https://bücher.example", "https://*.bücher.example:8443"}, PublicOrigin: "https://bücher.example:444"},
		"no token endpoint":  {DisableTokenEndpoint: true},
		"longest leeway":     {Audiences: []string{rp}, Leeway: 10 * time.Minute},
		"a placeholder only": {Audiences: []string{rp}, TokenURL: "/{node}/token"},
		"short-lived nonces": {Audiences: []string{rp}, Nonces: limitedStore(3 * time.Minute)},
	} {
		if _, err := vepauth.New(c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAudiences checks that exactly the configured audiences are accepted.
func TestAudiences(t *testing.T) {
	for _, test := range []struct {
		accepted, signed string
		status           int
	}{
		{"https://rp.example", "https://rp.example", 200},
		{"https://rp.example", "https://rp.example:443", 200},
		{"https://rp.example", "http://rp.example", 400},
		{"https://rp.example", "https://rp.example:8443", 400},
		{"https://rp.example", "https://www.rp.example", 400},
		{"https://rp.example", "https://rp.example.evil.org", 400},
		{"https://*.rp.example", "https://www.rp.example", 200},
		{"https://*.rp.example", "https://a.b.rp.example", 200},
		{"https://*.rp.example", "https://rp.example", 400},
		{"https://*.rp.example", "https://www.rp.example.evil.org", 400},
		{"https://*.rp.example", "https://evil-rp.example", 400},
	} {
		s := newSite(t, &vepauth.Config{Audiences: []string{"https://first.example", test.accepted}})
		got := s.do(tokenRequest(test.signed+"/request_token", idp.Backed(alice, userKey, test.signed)))
		check(t, test.signed+" at "+test.accepted, got, test.status)
	}
}

// TestDefaults checks the visible defaults: tokens that no other process accepts, and keys
// from the network.
func TestDefaults(t *testing.T) {
	c := vepauth.Config{Audiences: []string{rp}}
	one, err := vepauth.New(c)
	if err != nil {
		t.Fatal(err)
	}
	got := do(one.TokenEndpoint(), tokenRequest(endpoint, "x~y"))
	check(t, "malformed", got, 400)
	s := newSite(t, &vepauth.Config{Now: time.Now})
	r := request("GET", data)
	credentials := newSite(t, nil).login(endpoint)
	if err := vepauth.Sign(r, credentials); err != nil {
		t.Fatal(err)
	}
	checkRefused(t, "another's token", s.do(r), oauthChallenge)
}

// TestConfigIsCopied checks that modifying the slices and maps of a Config later has no
// effect.
func TestConfigIsCopied(t *testing.T) {
	c := vepauth.Config{
		Audiences: []string{rp}, TokenURL: "/{application}/{version}/token", Applications: map[string][]string{"sync": {"1"}},
	}
	s := newSite(t, &c)
	c.Audiences[0], c.Applications["sync"][0] = "https://other.example", "2"
	clear(c.Applications)
	check(t, "a listed application", s.do(tokenRequest(rp+"/sync/1/token", backed())), 200)
	check(t, "an unlisted version", s.do(tokenRequest(rp+"/sync/2/token", backed())), 404)
}
