package servers_test

import (
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/servers"
)

func TestParseHost(t *testing.T) {
	for _, test := range []struct{ text, host, advice string }{
		{"127.0.0.1", "127.0.0.1", ""},
		{"0.0.0.0", "0.0.0.0", ""},
		{"::", "::", ""},
		{"::1", "::1", ""},
		{"[::1]", "::1", ""},
		{"[::]", "::", ""},
		{"fe80::1%eth0", "fe80::1%eth0", ""},
		{"[fe80::1%eth0]", "fe80::1%eth0", ""},
		{"localhost", "localhost", ""},
		{"verifier.internal", "verifier.internal", ""},
		{"fe80::1", "", "write fe80::1%eth0"},
		{"127.0.0.1:8080", "", "write 127.0.0.1, and the port 8080 separately"},
		{"localhost:8080", "", "write localhost, and the port 8080 separately"},
		{"[::1]:8080", "", "write ::1, and the port 8080 separately"},
		{":8080", "", "write ::, and the port 8080 separately"},
		{"*", "", "write 0.0.0.0"},
		{"*:8080", "", "write ::, and the port 8080 separately"},
		{"[127.0.0.1]", "", "127.0.0.1"},
		{"[::1", "", "127.0.0.1 or ::1"},
		{"::1]", "", "127.0.0.1 or ::1"},
		{"10.0.0.0/8", "", "127.0.0.1 or ::1"},
		{"http://127.0.0.1", "", "127.0.0.1 or ::1"},
		{"not an address", "", "127.0.0.1 or ::1"},
	} {
		host, err := servers.ParseHost(test.text)
		checkAddress(t, test.text, host, test.host, err, test.advice)
	}
}

func TestSplitHostPort(t *testing.T) {
	for _, test := range []struct{ text, want, advice string }{
		{"127.0.0.1:9090", "127.0.0.1:9090", ""},
		{"[::1]:9090", "[::1]:9090", ""},
		{"[::]:0", "[::]:0", ""},
		{":9090", ":9090", ""},
		{"localhost:9090", "localhost:9090", ""},
		{"::1:9090", "", "write [::1]:9090"},
		{"2001:db8::1:9090", "", "write [2001:db8::1]:9090"},
		{"::9090", "", "write [::]:9090"},
		{"::1", "", "write [::]:1"},
		{"::", "", "write [::]:9090"},
		{"2001:db8::", "", "write [2001:db8::]:9090"},
		{"127.0.0.1", "", "write 127.0.0.1:9090"},
		{"9091", "", "write 127.0.0.1:9091"},
		{"[::1]", "", "[::1]:9090"},
		{":::9090", "", "[::1]:9090"},
		{"localhost", "", "127.0.0.1:9090"},
		{"127.0.0.1:99999", "", "0 to 65535"},
		{"127.0.0.1:", "", "0 to 65535"},
		{"127.0.0.1:http", "127.0.0.1:http", ""},
		{"http://127.0.0.1:9090", "", "127.0.0.1:9090"},
		{"*:9090", "", "write 0.0.0.0"},
	} {
		host, port, err := servers.SplitHostPort(test.text)
		got := ""
		if err == nil {
			got = net.JoinHostPort(host, port)
		}
		checkAddress(t, test.text, got, test.want, err, test.advice)
	}
}

// TestListenErrors: the error names the system's cause and says what to do.
func TestListenErrors(t *testing.T) {
	taken, err := servers.Listen("127.0.0.1", "0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, err := net.SplitHostPort(taken.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		host, port string
		cause      error
		advice     string
	}{
		{"127.0.0.1", port, syscall.EADDRINUSE, "choose another port"},
		{"192.0.2.1", "0", syscall.EADDRNOTAVAIL, "0.0.0.0 means all"},
		{"::1:8080", "0", syscall.EADDRNOTAVAIL, "if 8080 is the port, write the address as ::1"},
	} {
		l, err := servers.Listen(test.host, test.port)
		if err == nil {
			l.Close()
		}
		if !errors.Is(err, test.cause) || !strings.Contains(err.Error(), test.advice) {
			t.Errorf("%s, %s: %v, want %v and the advice %q", test.host, test.port, err, test.cause, test.advice)
		}
	}
}

// TestListenLocalErrors: the errors for a port of this machine are those of Listen.
func TestListenLocalErrors(t *testing.T) {
	taken, err := servers.ListenLocal(0)
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, err = servers.ListenLocal(taken.Addr().(*net.TCPAddr).Port)
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.HasPrefix(err.Error(), "cannot listen on localhost:") || !strings.Contains(err.Error(), "choose another port") {
		t.Error(err)
	}
}

func checkAddress(t *testing.T, text, got, want string, err error, advice string) {
	t.Helper()
	switch {
	case got != want, (err != nil) != (advice != ""):
		t.Errorf("%q: %q, %v, want %q", text, got, err, want)
	case err != nil && !strings.Contains(err.Error(), advice):
		t.Errorf("%q: %v, want the advice %q", text, err, advice)
	}
}
