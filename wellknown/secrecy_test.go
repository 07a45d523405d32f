package wellknown_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/internal/hosttest"
	"github.com/vepverify/vepverify/wellknown"
)

// marker is text of hosts that must not appear in errors and logs.
const marker = "m4rker"

// TestNothingRemoteInErrors checks that no text of a host is in an error, in anything that
// it wraps, or in the program's log, to which net/http writes.
func TestNothingRemoteInErrors(t *testing.T) {
	var logged bytes.Buffer
	log.SetOutput(&logged)
	defer log.SetOutput(os.Stderr)
	now := time.Now().Add(-time.Minute)
	head := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-M: " + marker + "\r\n"
	body := func(text string) string { return head + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(text), text) }
	answers := map[string]string{
		"status":              "HTTP/1.1 503 " + marker + "\r\n\r\n" + marker,
		"refusal":             "HTTP/1.1 404 " + marker + "\r\n\r\n" + marker,
		"redirect":            "HTTP/1.1 302 " + marker + "\r\nLocation: https://" + marker + ".example/\r\n\r\n",
		"bad redirect":        "HTTP/1.1 302 Found\r\nLocation: https://%zz" + marker + "\r\n\r\n",
		"type":                "HTTP/1.1 200 OK\r\nContent-Type: text/" + marker + "\r\n\r\n",
		"no HTTP":             marker + "\r\n\r\n",
		"bad version":         "HTTP/" + marker + " 200 OK\r\n\r\n",
		"bad status":          "HTTP/1.1 " + marker + " OK\r\n\r\n",
		"bad header":          "HTTP/1.1 200 OK\r\n" + marker + "\r\n\r\n",
		"bad length":          head + "Content-Length: " + marker + "\r\n\r\n",
		"two lengths":         head + "Content-Length: 1\r\nContent-Length: 2\r\nX: " + marker + "\r\n\r\n",
		"bad transfer":        head + "Transfer-Encoding: " + marker + "\r\n\r\n",
		"bad chunk":           head + "Transfer-Encoding: chunked\r\n\r\n" + marker + "\r\n",
		"bad gzip":            head + "Content-Encoding: gzip\r\n\r\n" + marker + marker,
		"no JSON":             body(marker),
		"string":              body(`"` + marker + `"`),
		"authority":           body(`{"authority":"` + marker + `/"}`),
		"disabled":            body(`{"disabled":"` + marker + `"}`),
		"public-key":          body(`{"public-key":"` + marker + `"}`),
		"public-key, kty":     body(`{"public-key":{"kty":"` + marker + `"}}`),
		"public-key, n":       body(`{"public-key":{"algorithm":"RS","n":"` + marker + `","e":"3"}}`),
		"public-key, member":  body(`{"public-key":{"` + marker + `":1}}`),
		"keys":                body(`{"keys":["` + marker + `"]}`),
		"keys, kty":           body(`{"keys":[{"kty":7,"x":"` + marker + `"}]}`),
		"keys, twice":         body(`{"keys":[{"` + marker + `":1,"` + marker + `":1}]}`),
		"path":                body(`{"keys":[],"authentication":"` + marker + `"}`),
		"incomplete":          body(`{"keys":[],"authentication":"/` + marker + `"}`),
		"delegation":          body(`{"authority":"` + marker + `.example"}`),
		"delegation, address": body(`{"authority":"` + marker + `.1"}`),
		"delegation, port":    body(`{"authority":"` + marker + `.example:22"}`),
		"cut":                 head + "Content-Length: 1000\r\n\r\n" + marker,
	}
	for name, text := range answers {
		n := newNetwork(t)
		n.answer(host, text)
		expectNoMarkerFrom(t, name, n)
	}
	for name, c := range map[string]*tls.Config{
		"other name":     {Certificates: []tls.Certificate{certificate(t, now, marker+".example")}},
		"expired":        {Certificates: []tls.Certificate{certificate(t, now.Add(-48*time.Hour), host, marker+".example")}},
		"certificate":    {Certificates: []tls.Certificate{certificate(t, now, host, marker+"..\x00")}},
		"client, please": {Certificates: []tls.Certificate{certificate(t, now, host, marker+".example")}, ClientAuth: tls.RequireAnyClientCert},
	} {
		n := newNetwork(t)
		n.ServeTLS(host, c, jsonHandler(marker))
		expectNoMarkerFrom(t, name, n)
	}
	n := newNetwork(t)
	n.raw(host, false, func(c net.Conn) { fmt.Fprint(c, marker+marker); hosttest.ReadHeader(c) })
	expectNoMarkerFrom(t, "no TLS", n)
	if logged.Len() > 0 {
		t.Errorf("logged %s", &logged)
	}
}

func expectNoMarkerFrom(t *testing.T, name string, n *network) {
	t.Helper()
	_, err := resolver(t, n.config()).Authority(t.Context(), host, host)
	if err == nil {
		t.Errorf("%s: no error", name)
	}
	expectNoMarker(t, name, err)
}

// expectNoMarker checks the texts of err and of all that it wraps.
func expectNoMarker(t *testing.T, name string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if strings.Contains(strings.ToLower(err.Error()), marker) {
		t.Errorf("%s: %v", name, err)
	}
	var lookup *wellknown.LookupError
	if errors.As(err, &lookup) && strings.Contains(lookup.Reason, marker) {
		t.Errorf("%s: reason %s", name, lookup.Reason)
	}
	switch w := err.(type) {
	case interface{ Unwrap() error }:
		expectNoMarker(t, name, w.Unwrap())
	case interface{ Unwrap() []error }:
		for _, err := range w.Unwrap() {
			expectNoMarker(t, name, err)
		}
	}
}
