package evptest_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/evp/evptest"
)

// get returns the status and the body of a response.
func get(t *testing.T, transport http.RoundTripper, url string) (int, string) {
	t.Helper()
	client := http.Client{Transport: transport}
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestWorldAnswers(t *testing.T) {
	world := evptest.New()
	records, err := world.LookupTXT(t.Context(), "_Email-Verification.MAIL.example.")
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, records, []string{"iss=accounts.issuer.example"})
	status, body := get(t, world, "https://accounts.issuer.example/.well-known/email-verification")
	if want := string(world.Issuer().Metadata().JSON()); status != 200 || body != want {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := get(t, world, "https://accounts.issuer.example/other"); status != 404 {
		t.Errorf("%d", status)
	}
	wantEqual(t, world.Asked(), []string{
		"_email-verification.mail.example",
		"https://accounts.issuer.example/.well-known/email-verification",
		"https://accounts.issuer.example/other",
	})
}

func TestNoSuchName(t *testing.T) {
	_, err := evptest.New().LookupTXT(t.Context(), "_email-verification.other.example")
	var dns *net.DNSError
	if !errors.As(err, &dns) || !dns.IsNotFound || dns.Name != "_email-verification.other.example" {
		t.Error(err)
	}
}

// TestSequence checks that each answer but the last is given once.
func TestSequence(t *testing.T) {
	world := evptest.New()
	world.SetTXT("mail.example", evptest.Records("a"), evptest.ServFail(), evptest.Records("b"))
	var got []string
	for range 4 {
		records, err := world.LookupTXT(t.Context(), evptest.RecordName("mail.example"))
		if err != nil {
			records = []string{"failed"}
		}
		got = append(got, records...)
	}
	wantEqual(t, got, []string{"a", "failed", "b", "b"})
}

func TestRestore(t *testing.T) {
	world := evptest.New()
	url := world.Issuer().KeysURL()
	world.Set(evptest.KeysError503)
	if status, _ := get(t, world, url); status != 503 {
		t.Errorf("%d", status)
	}
	world.Restore()
	if status, _ := get(t, world, url); status != 200 {
		t.Errorf("%d", status)
	}
}

func TestClock(t *testing.T) {
	world := evptest.New().At(now)
	world.Advance(time.Minute)
	if got := world.Now(); !got.Equal(now.Add(time.Minute)) {
		t.Error(got)
	}
}

func TestRotate(t *testing.T) {
	world := evptest.New()
	before := world.Issuer().JWKS()
	world.Rotate(world.Issuer(), evptest.TestKey("ES256").WithID("k2"))
	_, body := get(t, world, world.Issuer().KeysURL())
	if body == string(before.JSON()) || body != string(world.Issuer().JWKS().JSON()) {
		t.Error(body)
	}
}

// TestServe checks that the world answers over real TLS.
func TestServe(t *testing.T) {
	world := evptest.New(evptest.Gmail())
	server := idptest.NewServer()
	t.Cleanup(server.Close)
	world.Serve(server)
	status, body := get(t, transport(t, server), world.Issuer().KeysURL())
	if status != 200 || body != string(world.Issuer().JWKS().JSON()) {
		t.Errorf("%d %s", status, body)
	}
}

// transport returns a transport that reaches the server's hosts.
func transport(t *testing.T, server *idptest.Server) http.RoundTripper {
	transport := &http.Transport{
		DialContext: server.DialContext, TLSClientConfig: &tls.Config{RootCAs: server.RootCAs()},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}
