package main

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/vepverify/vepverify/devidp/idptest"
)

func runPassport(ctx context.Context) (table, error) { return runSite(ctx, "passport-persona") }

func runExpress(ctx context.Context) (table, error) { return runSite(ctx, "express-browserid") }

// runSite signs in to a site that asks "vepverify serve" to verify assertions.
func runSite(ctx context.Context, name string) (table, error) {
	folder, err := os.MkdirTemp("", "peers")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	port, stop, err := startVerifier(ctx, folder)
	if err != nil {
		return nil, err
	}
	defer stop()
	trust := []string{"NODE_EXTRA_CA_CERTS=" + filepath.Join(folder, "cert.pem")}
	sitePort, stopSite, err := startServer(ctx, trust, "node", "npm/sites.js", name, "localhost", port, audience)
	if err != nil {
		return nil, err
	}
	defer stopSite()
	t := newTable("assertion", "status", "reason", "signed in as")
	for _, c := range signIns() {
		status, reason, email, err := signIn(ctx, "http://127.0.0.1:"+sitePort, c.assertion)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		t.add(c.name, status, reason, email)
	}
	return t, nil
}

// siteIDP certifies addresses. Its clock is the real one, as that of the service.
var siteIDP = idptest.New("idp.example")

// signInCase is an assertion that is posted to a site.
type signInCase struct{ name, assertion string }

func signIns() []signInCase {
	const email = "alice@idp.example"
	user := idptest.Key("DS128")
	certificate, valid := siteIDP.Certificate(email, user.Public()), siteIDP.Assertion(audience, user)
	var all []signInCase
	for _, alg := range algorithms[1:] { // without RS64, which is weak
		all = append(all, signInCase{"valid, key " + alg, siteIDP.Backed(email, idptest.Key(alg), audience)})
	}
	past := time.Now().Add(-time.Hour).UnixMilli()
	thief := valid
	thief.Key = idptest.Key("DS128-2")
	forged := certificate
	forged.Key = idptest.Key("RS256-2")
	return append(all,
		signInCase{"for another site", siteIDP.Backed(email, user, "https://other.example")},
		signInCase{"expired", idptest.Backed(certificate, valid.With("exp", past))},
		signInCase{"expired certificate", idptest.Backed(certificate.With("exp", past), valid)},
		signInCase{"signed with another user's key", idptest.Backed(certificate, thief)},
		signInCase{"certified with another issuer's key", idptest.Backed(forged, valid)},
		signInCase{"another domain's address", siteIDP.Backed("alice@other.example", user, audience)},
		signInCase{"a domain without BrowserID", idptest.New("none.example").Backed("alice@none.example", user, audience)},
		signInCase{"no certificate", valid.String()},
		signInCase{"not an assertion", "x"},
		signInCase{"empty", ""},
	)
}

// signIn posts an assertion as a browser would, and asks the site for the session's email.
func signIn(ctx context.Context, site, text string) (status int, reason, email string, err error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return 0, "", "", err
	}
	browser := &http.Client{Jar: jar}
	response, err := browser.PostForm(site+"/sign-in", url.Values{"assertion": {text}})
	if err != nil {
		return 0, "", "", err
	}
	defer response.Body.Close()
	var answer struct{ Reason string }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return 0, "", "", err
	}
	r, err := http.NewRequestWithContext(ctx, "GET", site+"/me", nil)
	if err != nil {
		return 0, "", "", err
	}
	me, err := send(browser, r)
	if err != nil {
		return 0, "", "", err
	}
	var session struct{ Email string }
	if err := json.Unmarshal([]byte(me.body), &session); err != nil {
		return 0, "", "", err
	}
	return response.StatusCode, answer.Reason, cmp.Or(session.Email, "nobody"), nil
}

// startVerifier starts the service of vepverify with TLS, and with the keys of
// idp.example and other.example. The folder gets the certificate, cert.pem.
func startVerifier(ctx context.Context, folder string) (port string, stop func(), err error) {
	if err := writeCertificate(folder); err != nil {
		return "", nil, err
	}
	documents := idptest.Object{
		siteIDP.Domain:  siteIDP.Document(),
		"other.example": idptest.New("other.example", idptest.Key("RS256-2")).Document(),
		"none.example":  nil,
	}
	if err := os.WriteFile(filepath.Join(folder, "keys.json"), documents.JSON(), 0o600); err != nil {
		return "", nil, err
	}
	line, stop, err := startServer(ctx, nil, "vepverify", "serve", "--log-level", "error", "--keys", filepath.Join(folder, "keys.json"),
		"--tls-cert", filepath.Join(folder, "cert.pem"), "--tls-key", filepath.Join(folder, "key.pem"))
	if err != nil {
		return "", nil, err
	}
	var listening struct{ Fields struct{ URL string } }
	if err := json.Unmarshal([]byte(line), &listening); err != nil {
		stop()
		return "", nil, fmt.Errorf("vepverify serve printed %q: %w", line, err)
	}
	u, err := url.Parse(listening.Fields.URL)
	if err != nil {
		stop()
		return "", nil, err
	}
	return u.Port(), stop, nil
}

// writeCertificate writes a certificate for the names of the verifier and its key,
// cert.pem and key.pem.
func writeCertificate(folder string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost", "verifier.login.persona.org"},
		IsCA:     true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: certificate},
		"key.pem":  {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(filepath.Join(folder, name), pem.EncodeToMemory(block), 0o600); err != nil {
			return err
		}
	}
	return nil
}
