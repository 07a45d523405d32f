package vepauth_test

import (
	"net/http"
	"testing"

	"github.com/vepverify/vepverify/vepauth"
)

// twoApplications returns a site with applications, one of them in two versions.
func twoApplications(t *testing.T, change func(*vepauth.Config)) *site {
	c := vepauth.Config{
		TokenURL:     "/{application}/{version}/token",
		Applications: map[string][]string{"sync": {"1.0", "1.5"}, "aitc": {"1.0"}, "a b": {"1"}},
	}
	if change != nil {
		change(&c)
	}
	return newSite(t, &c)
}

// TestTokenIsBoundToApplication checks that a token is valid for the application and version
// that it was issued for, and refused elsewhere, whatever the spelling of the path.
func TestTokenIsBoundToApplication(t *testing.T) {
	s := twoApplications(t, nil)
	c := s.login(rp + "/sync/1.5/token")
	for path, status := range map[string]int{
		"/sync/1.5/":                        200,
		"/sync/1.5":                         200,
		"/sync/1.5/a/b%2Fc//d?e":            200,
		"/%73ync/1%2e5/a":                   200,
		"/sync/1.0/a":                       401,
		"/aitc/1.0/a":                       401,
		"/sync/1.6/a":                       401,
		"/sync/a":                           401,
		"/sync":                             401,
		"/":                                 401,
		"/other":                            401,
		"/Sync/1.5/a":                       401,
		"//sync/1.5/a":                      401,
		"/sync//1.5/a":                      401,
		"/sync%2F1.5/a":                     401,
		"/sync%2F1.5/1.5/a":                 401,
		"/sync/1.5/../../aitc/1.0/a":        401,
		"/sync/1.5/%2e%2E/..%2Faitc/1.0/a":  401,
		"/sync/1.5/x%2F..%2F..%2F..%2Faitc": 401,
		"/sync/1.5/./a":                     401,
		"/x/../sync/1.5/a":                  401,
	} {
		got := s.do(s.signed(request("GET", rp+path), c))
		check(t, path, got, status)
		if status == 200 && got.body != alice+" " {
			t.Errorf("%s: %s", path, got.body)
		}
	}
}

// TestApplicationsWithoutVersions has applications without versions, and other placeholders.
func TestApplicationsWithoutVersions(t *testing.T) {
	s := newSite(t, &vepauth.Config{
		TokenURL:     "/{region}/apps/{application}/tokens/{node}",
		Applications: map[string][]string{"sync": nil, "aitc": {}},
	})
	c := s.login(rp + "/eu/apps/sync/tokens/n1")
	for path, status := range map[string]int{
		"/eu/apps/sync/a": 200, "/us/apps/sync/a": 200, "/eu/apps/aitc/a": 401, "/eu/sync/a": 401,
	} {
		check(t, path, s.do(s.signed(request("GET", rp+path), c)), status)
	}
	check(t, "unknown", s.do(tokenRequest(rp+"/eu/apps/other/tokens/n1", backed())), 404)
}

// TestUnknownApplications checks the token endpoint of unknown applications.
func TestUnknownApplications(t *testing.T) {
	s := twoApplications(t, nil)
	for path, status := range map[string]int{
		"/sync/1.0/token":            200,
		"/sync/1%2E0/token":          200,
		"/a%20b/1/token":             200,
		"/sync/2.0/token":            404,
		"/other/1.0/token":           404,
		"/SYNC/1.0/token":            404,
		"/sync%00/1.0/token":         404,
		"/aitc/1.5/token":            404,
		"/%7Bapplication%7D/1/token": 404,
	} {
		got := s.do(tokenRequest(rp+path, backed()))
		check(t, path, got, status)
		if status == 404 {
			checkFailure(t, path, got)
		}
	}
}

// TestChallengeOfApplications checks that a challenge names the token endpoint of the
// application that the request is for, and no endpoint if there is none.
func TestChallengeOfApplications(t *testing.T) {
	byHeader := func(c *vepauth.Config) {
		c.ApplicationOf = func(r *http.Request) (name, version string) { return r.Header.Get("App"), "1.0" }
	}
	for _, test := range []struct {
		name   string
		change func(*vepauth.Config)
		r      *http.Request
		want   string
	}{
		{"by path", nil, request("GET", rp+"/sync/1.5/data"), `OAuth+VEP url="/sync/1.5/token"`},
		{"by path, encoded", nil, request("GET", rp+"/a%20%62/1/data"), `OAuth+VEP url="/a%20b/1/token"`},
		{"unknown", nil, request("GET", rp+"/other/1/data"), `OAuth+VEP`},
		{"no application", nil, request("GET", rp+"/"), `OAuth+VEP`},
		{"the endpoint itself", nil, request("GET", rp+"/sync/1.5/token"), `OAuth+VEP url="/sync/1.5/token"`},
		{"the endpoint of none", nil, request("GET", rp+"/sync/9/token"), `OAuth+VEP`},
		{"by header", byHeader, header(request("GET", rp+"/data"), "App", "aitc"), `OAuth+VEP url="/aitc/1.0/token"`},
		{"by header, unknown", byHeader, header(request("GET", rp+"/data"), "App", "other"), `OAuth+VEP`},
		{"without applications", func(c *vepauth.Config) { c.TokenURL, c.Applications = "/api/{node}/token", nil },
			request("GET", rp+"/api/n1/data"), `OAuth+VEP url="/api/n1/token"`},
		{"without applications, elsewhere", func(c *vepauth.Config) { c.TokenURL, c.Applications = "/api/{node}/token", nil },
			request("GET", rp+"/"), `OAuth+VEP`},
	} {
		s := twoApplications(t, test.change)
		checkRefused(t, test.name, do(s.auth.Require(nil), test.r), test.want)
	}
}

// TestApplicationOf checks applications that a function determines.
func TestApplicationOf(t *testing.T) {
	only := func(name string) func(*vepauth.Config) {
		return func(c *vepauth.Config) {
			c.TokenURL = "/tokens/{application}/{version}"
			c.ApplicationOf = func(*http.Request) (string, string) { return name, "1.0" }
		}
	}
	s := twoApplications(t, only("sync"))
	c := s.login(rp + "/tokens/sync/1.0")
	check(t, "its own", s.do(s.signed(request("GET", data), c)), 200)
	check(t, "another's", s.do(s.signed(request("GET", data), s.login(rp+"/tokens/aitc/1.0"))), 401)
	other := twoApplications(t, only("unknown"))
	check(t, "of none", other.do(other.signed(request("GET", data), other.login(rp+"/tokens/sync/1.0"))), 401)
}

// TestApplicationsWithoutEndpoint checks applications of a server that issues no tokens.
func TestApplicationsWithoutEndpoint(t *testing.T) {
	tokens, err := vepauth.NewSignedTokens(vepauth.SignedTokensConfig{Now: newClock().now})
	if err != nil {
		t.Fatal(err)
	}
	issuer := twoApplications(t, func(c *vepauth.Config) { c.Tokens = tokens })
	s := newSite(t, &vepauth.Config{
		Tokens: tokens, DisableTokenEndpoint: true, Applications: map[string][]string{"sync": {"1.0"}},
		ApplicationOf: func(*http.Request) (string, string) { return "sync", "1.0" },
	})
	check(t, "its own", s.do(s.signed(request("GET", data), issuer.login(rp+"/sync/1.0/token"))), 200)
	check(t, "another version's", s.do(s.signed(request("GET", data), issuer.login(rp+"/sync/1.5/token"))), 401)
	checkRefused(t, "challenge", do(s.auth.Require(nil), request("GET", data)), "OAuth+VEP")
}

// TestTokenOfUnknownApplication checks that a token does not create an application.
func TestTokenOfUnknownApplication(t *testing.T) {
	tokens := signedTokens(t, vepauth.SignedTokensConfig{})
	before := twoApplications(t, func(c *vepauth.Config) { c.Tokens = tokens })
	after := twoApplications(t, func(c *vepauth.Config) {
		c.Tokens, c.Applications = tokens, map[string][]string{"aitc": {"1.0"}}
	})
	dropped := before.login(rp + "/sync/1.5/token")
	check(t, "an application that was dropped", after.do(after.signed(request("GET", rp+"/sync/1.5/a"), dropped)), 401)

	plain := newSite(t, &vepauth.Config{Tokens: tokens}).login(endpoint)
	for _, path := range []string{"/", "/other", "/sync/1.5/a"} {
		check(t, "a token without application at "+path, before.do(before.signed(request("GET", rp+path), plain)), 401)
	}
}
