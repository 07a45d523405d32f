package wellknown_test

import (
	"context"
	"crypto/x509"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/wellknown"
)

func TestConfig(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.pem")
	if err := os.WriteFile(empty, []byte("no certificate\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	transport := roundTripper(nil)
	dial := func(context.Context, string, string) (net.Conn, error) { return nil, errors.ErrUnsupported }
	pool, dns, ca := x509.NewCertPool(), new(net.Resolver), caFile(t)
	for name, c := range map[string]wellknown.Config{
		"zero":                 {},
		"timeout":              {Timeout: time.Minute},
		"CA file":              {CAFile: ca},
		"pool":                 {RootCAs: pool},
		"http proxy":           {Proxy: "http://proxy.example:3128/"},
		"https proxy":          {Proxy: "https://user:password@proxy.example"},
		"socks5 proxy":         {Proxy: "socks5://127.0.0.1:1080", DNS: dns},
		"transport":            {InsecureTransport: transport, InsecureAllowPrivate: true},
		"dial":                 {InsecureDialContext: dial, CAFile: ca, InsecureAllowPrivate: true},
		"bounds":               {MaxEntries: 1, MaxBytes: 1 << 18, MaxFetches: 1},
		"! negative timeout":   {Timeout: -1},
		"! long timeout":       {Timeout: time.Hour},
		"! entries":            {MaxEntries: -1},
		"! bytes":              {MaxBytes: -1},
		"! fetches":            {MaxFetches: -1},
		"! few bytes":          {MaxBytes: 1000},
		"! two CAs":            {CAFile: ca, RootCAs: pool},
		"! no CA file":         {CAFile: filepath.Join(dir, "absent.pem")},
		"! empty CA file":      {CAFile: empty},
		"! proxy scheme":       {Proxy: "ftp://proxy.example"},
		"! proxy, no scheme":   {Proxy: "proxy.example:3128"},
		"! proxy, no host":     {Proxy: "http://:3128"},
		"! proxy path":         {Proxy: "http://proxy.example/path"},
		"! proxy query":        {Proxy: "http://proxy.example?x"},
		"! proxy, no URL":      {Proxy: "http://user:password@%zz"},
		"! transport, CA":      {InsecureTransport: transport, CAFile: ca},
		"! transport, pool":    {InsecureTransport: transport, RootCAs: pool},
		"! transport, proxy":   {InsecureTransport: transport, Proxy: "http://proxy.example"},
		"! transport, DNS":     {InsecureTransport: transport, DNS: dns},
		"! transport and dial": {InsecureTransport: transport, InsecureDialContext: dial},
		"! dial, proxy":        {InsecureDialContext: dial, Proxy: "http://proxy.example"},
		"! dial, DNS":          {InsecureDialContext: dial, DNS: dns},
	} {
		r, err := wellknown.NewResolver(c)
		if bad := strings.HasPrefix(name, "!"); (err != nil) != bad || (r == nil) != bad {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "password") {
			t.Errorf("%s: the error shows the password", name)
		}
	}
	if _, err := wellknown.NewResolver(wellknown.Config{CAFile: filepath.Join(dir, "absent.pem")}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
