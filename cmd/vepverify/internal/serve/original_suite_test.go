package serve_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/devidp/idptest"
)

// These tests cover the differences that the test suite of the original verifier found
// when it was run, unchanged, against serve.

// suiteIssuer starts an issuer like those of the suite: at an address of this
// machine, with a TLS certificate of an unknown authority.
func suiteIssuer(t *testing.T, start func(http.Handler) *httptest.Server, key string) *idptest.IdP {
	t.Helper()
	idp := idptest.New("placeholder.example", idptest.Key(key)).At(sampleTime)
	document, err := json.Marshal(idp.Document())
	if err != nil {
		t.Fatal(err)
	}
	host := start(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(document)
	}))
	t.Cleanup(host.Close)
	idp.Domain = host.Listener.Addr().String()
	return idp
}

// TestServeWeakKeysInTests: two in five keys of the suite's issuers have 1023 bits.
// The settings for tests accept weak keys, unless the flag for weak keys is off.
func TestServeWeakKeysInTests(t *testing.T) {
	secure := suiteIssuer(t, httptest.NewTLSServer, "RS128-1023")
	plain := suiteIssuer(t, httptest.NewServer, "RS128-1023")
	for _, test := range []struct {
		variable, flag string
		idp            *idptest.IdP
		want           string
	}{
		{"INSECURE_SSL=true", "", secure, "okay"},
		{"FORCE_INSECURE_LOOKUP_OVER_HTTP=true", "", plain, "okay"},
		{"INSECURE_SSL=true", "--insecure-weak-keys=false", secure, "failure"},
	} {
		var args []string
		if test.flag != "" {
			args = append(args, test.flag)
		}
		s := startServe(t, []string{test.variable}, args...)
		r := ask(t, http.DefaultClient, s.URL, test.idp.Backed("alice@"+test.idp.Domain, idptest.Key("DS128"), relyingParty))
		if r.Status != test.want {
			t.Errorf("%s %s: %+v", test.variable, test.flag, r)
		}
		if _, log := s.end(t); strings.Contains(log, `"flag":"insecure-weak-keys"`) != (test.want == "okay") {
			t.Errorf("%s %s: the warning is missing, or out of place: %s", test.variable, test.flag, log)
		}
	}
}

// TestServePrintsFallback: the suite reads on standard output which of several
// configuration files has won.
func TestServePrintsFallback(t *testing.T) {
	dir := t.TempDir()
	var files []string
	for _, domain := range []string{"a.example", "b.example"} {
		name := filepath.Join(dir, domain+".json")
		if err := os.WriteFile(name, []byte(`{"fallback":"`+domain+`"}`), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, name)
	}
	if s := startServe(t, []string{"CONFIG_FILES=" + strings.Join(files, ",")}); s.Fallback != "b.example" {
		t.Errorf("the line on standard output has the fallback %q", s.Fallback)
	}
	if s := startServe(t, nil); s.Fallback != "" {
		t.Errorf("without a fallback it has %q", s.Fallback)
	}
}

// TestServeIPv4: 0.0.0.0 means all addresses of IPv4, and none of IPv6.
func TestServeIPv4(t *testing.T) {
	s := startServe(t, []string{"IP_ADDRESS=0.0.0.0"})
	if !strings.HasPrefix(s.URL, "http://0.0.0.0:") {
		t.Errorf("it listens at %s", s.URL)
	}
}
