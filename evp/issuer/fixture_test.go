package issuer_test

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/evp/issuer"
)

const (
	issuerOrigin = "https://accounts.issuer.example"
	issuerHost   = "accounts.issuer.example"
	alice        = "alice@mail.example"
)

var now = time.Unix(1795987472, 0)

// config returns a configuration of an issuer where the cookie session=s3cr3t is alice's
// session. It has one key for all tests.
func config(t testing.TB) issuer.Config {
	t.Helper()
	return issuer.Config{
		Issuer: issuerOrigin, Keys: testKeys(t, issuer.Ed25519), LoginURL: "/login", IssuancePath: "/issue",
		Accounts: accountsOf(issuer.Account{Email: alice}),
		Now:      func() time.Time { return now },
		Logger:   slog.New(slog.DiscardHandler),
	}
}

// accountsOf returns a hook by which the cookie session=s3cr3t controls the accounts.
func accountsOf(accounts ...issuer.Account) func(*http.Request) ([]issuer.Account, error) {
	return func(r *http.Request) ([]issuer.Account, error) {
		if c, err := r.Cookie("session"); err != nil || c.Value != "s3cr3t" {
			return nil, nil
		}
		return accounts, nil
	}
}

func testKeys(t testing.TB, alg string) *issuer.Keys {
	t.Helper()
	keys, err := issuer.GenerateKeys(alg)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func newIssuer(t testing.TB, c issuer.Config) *issuer.Issuer {
	t.Helper()
	i, err := issuer.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// message is an HTTP request as text.
type message struct {
	method, target, body string
	headers              [][2]string
}

func (m message) clone() message {
	m.headers = slices.Clone(m.headers)
	return m
}

// get returns the first value of a header.
func (m message) get(name string) string {
	for _, h := range m.headers {
		if strings.EqualFold(h[0], name) {
			return h[1]
		}
	}
	return ""
}

// set replaces the value of a header.
func (m message) set(name, value string) message {
	m = m.clone()
	for i, h := range m.headers {
		if strings.EqualFold(h[0], name) {
			m.headers[i][1] = value
			return m
		}
	}
	m.headers = append(m.headers, [2]string{name, value})
	return m
}

func (m message) without(name string) message {
	m = m.clone()
	m.headers = slices.DeleteFunc(m.headers, func(h [2]string) bool { return strings.EqualFold(h[0], name) })
	return m
}

func (m message) doubled(name string) message {
	m = m.clone()
	m.headers = append(m.headers, [2]string{name, m.get(name)})
	return m
}

// withBody replaces the body and its length.
func (m message) withBody(body string) message {
	m = m.set("Content-Length", fmt.Sprint(len(body)))
	m.body = body
	return m
}

// request parses the message as net/http's server does.
func (m message) request(t testing.TB) *http.Request {
	t.Helper()
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", m.method, m.target)
	for _, h := range m.headers {
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	b.WriteString("\r\n" + m.body)
	r, err := http.ReadRequest(bufio.NewReader(&b))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (m message) send(t testing.TB, h http.Handler) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, m.request(t))
	return w
}

// code returns the status and the member error of an answer.
func code(t testing.TB, w *httptest.ResponseRecorder) string {
	t.Helper()
	var answer struct {
		Error string `json:"error"`
	}
	if w.Header().Get("Content-Type") == "application/json" {
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
	}
	return strings.TrimSpace(fmt.Sprint(w.Code, " ", answer.Error))
}

// issued returns the token of an answer, without its tilde.
func issued(t testing.TB, w *httptest.ResponseRecorder) string {
	t.Helper()
	var answer struct {
		Token string `json:"issuance_token"`
	}
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	token, ok := strings.CutSuffix(answer.Token, "~")
	if !ok || strings.Contains(token, "~") {
		t.Fatal("want one tilde, at the end")
	}
	return token
}

// claims returns the claims of a token that is not verified.
func claims(t testing.TB, token string) map[string]any {
	t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var c map[string]any
	if err := json.Unmarshal(payload, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// browser signs requests. It is written apart from the package under test.
type browser struct{ key ed25519.PrivateKey }

func newBrowser() browser { return browser{ed25519.NewKeyFromSeed(make([]byte, 32))} }

// stranger returns a request by another browser for another address.
func stranger() message {
	b := browser{ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32))}
	return b.ask(bodyFor("bob@mail.example"))
}

// five are the components that browsers cover.
const five = `"@method" "@authority" "@path" "content-digest" "signature-key"`

// ask returns a request for a token, as Chromium sends it.
func (b browser) ask(body string) message {
	return b.sign(body, five, fmt.Sprintf(";created=%d", now.Unix()))
}

// sign returns a request with this list of components and these parameters of the
// signature.
func (b browser) sign(body, components, params string) message {
	sum := sha256.Sum256([]byte(body))
	m := message{"POST", "/issue", body, [][2]string{
		{"Host", issuerHost},
		{"Content-Length", fmt.Sprint(len(body))},
		{"Content-Digest", "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"},
		{"Signature-Key", `sig=hwk;alg="Ed25519";crv="Ed25519";kty="OKP";x="` + base64.RawURLEncoding.EncodeToString(b.key.Public().(ed25519.PublicKey)) + `"`},
		{"Content-Type", "application/json"},
		{"Origin", "null"},
		{"Sec-Fetch-Dest", "email-verification"},
		{"Cookie", "session=s3cr3t"},
	}}
	return b.resign(m, components, params)
}

// resign signs a request again.
func (b browser) resign(m message, components, params string) message {
	path, query, _ := strings.Cut(m.target, "?")
	known := map[string]string{"@method": m.method, "@authority": issuerHost, "@path": path, "@query": "?" + query}
	var base strings.Builder
	for _, c := range strings.Fields(components) {
		name := strings.Trim(c, `"`)
		value, ok := known[name]
		if !ok {
			value = m.get(name)
		}
		base.WriteString(c + ": " + value + "\n")
	}
	base.WriteString(`"@signature-params": (` + components + ")" + params)
	sig := base64.StdEncoding.EncodeToString(ed25519.Sign(b.key, []byte(base.String())))
	return m.set("Signature-Input", "sig=("+components+")"+params).set("Signature", "sig=:"+sig+":")
}

func bodyFor(email string) string {
	body, _ := json.Marshal(map[string]string{"email": email})
	return string(body)
}
