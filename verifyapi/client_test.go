package verifyapi_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/verifyapi"
)

// The tests of this file send what deployed clients send, to the byte except for the
// values, and read the responses as those clients do.

// pythonForm returns the request that Python's requests.post(url, {…}) sends.
func pythonForm(path string, pairs ...string) string {
	var body []string
	for i := 0; i < len(pairs); i += 2 {
		body = append(body, url.QueryEscape(pairs[i])+"="+url.QueryEscape(pairs[i+1]))
	}
	text := strings.Join(body, "&")
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: verifier.example\r\nUser-Agent: python-requests/2.31.0\r\nAccept-Encoding: gzip, deflate\r\n"+
		"Accept: */*\r\nConnection: keep-alive\r\nContent-Length: %d\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n%s", path, len(text), text)
}

// pythonJSON returns the request of
// requests.post(url, data=json.dumps(…), headers={"content-type": …}).
func pythonJSON(path, body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: verifier.example\r\nUser-Agent: python-requests/2.31.0\r\nAccept-Encoding: gzip, deflate\r\n"+
		"Accept: */*\r\nConnection: keep-alive\r\ncontent-type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
}

// nodeJSON returns the request of request({method: 'post', json: true, body: …}) of
// Node's module request.
func nodeJSON(path, body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/json\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"+
		"Connection: close\r\n\r\n%s", path, len(body), body)
}

// send returns the status and the answer, which must be JSON.
func (s *service) send(t *testing.T, request string) (status int, answer map[string]any) {
	t.Helper()
	conn := s.dial(t)
	if _, err := conn.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	got, err := readRaw(conn, "POST")
	if err != nil {
		t.Fatal(err)
	}
	checkHeaders(t, got.Response)
	decoder := json.NewDecoder(strings.NewReader(got.body))
	decoder.UseNumber()
	if err := decoder.Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return got.StatusCode, answer
}

// pyBrowserID reads an answer as PyBrowserID's RemoteVerifier does.
func pyBrowserID(status int, answer map[string]any, audience string) string {
	switch {
	case status == 500:
		return "ValueError"
	case answer["status"] != "okay":
		return "InvalidSignatureError"
	case answer["audience"] != audience:
		return "AudienceMismatchError"
	}
	return fmt.Sprint(answer["email"])
}

func TestPyBrowserID(t *testing.T) {
	s := serve(t, verifyapi.Config{})
	for _, tt := range []struct{ assertion, audience, want string }{
		{good, audience, email},
		{good, "https://rp.example:443", email}, // compared with what it wrote itself
		{good, "https://other.example", "InvalidSignatureError"},
		{"bogus", audience, "InvalidSignatureError"},
		{foreign, audience, "InvalidSignatureError"},
		{"", audience, "InvalidSignatureError"},
	} {
		status, answer := s.send(t, pythonForm("/verify", "assertion", tt.assertion, "audience", tt.audience))
		if got := pyBrowserID(status, answer, tt.audience); got != tt.want {
			t.Errorf("%.20s… at %s: %s, not %s", tt.assertion, tt.audience, got, tt.want)
		}
	}
}

// tokenServer reads an answer as the verifier of Mozilla's token server does.
func tokenServer(status int, answer map[string]any) string {
	if status != 200 {
		return "ConnectionError"
	}
	if answer["status"] != "okay" {
		reason := fmt.Sprint(answer["reason"])
		switch {
		case strings.Contains(reason, "audience mismatch"):
			return "AudienceMismatchError"
		case strings.Contains(reason, "expired"), strings.Contains(reason, "issued later than"):
			return "ExpiredSignatureError"
		}
		return "InvalidSignatureError"
	}
	claims, _ := answer["idpClaims"].(map[string]any)
	return fmt.Sprint(answer["issuer"], " ", answer["email"], " ", claims["fxa-generation"], " ", claims["fxa-keysChangedAt"])
}

func TestTokenServer(t *testing.T) {
	s := serve(t, verifyapi.Config{})
	// Firefox Accounts certified addresses at its own host; there is one issuer.
	account := other.Certificate("0123abcd@other.example", user.Public()).With("fxa-generation", int64(1767225600123)).
		With("fxa-keysChangedAt", int64(1767225600456)).With("fxa-verifiedEmail", email)
	statement := other.Assertion(audience, user)
	for name, tt := range map[string]struct{ assertion, want string }{
		"okay":      {idptest.Backed(account, statement), "other.example 0123abcd@other.example 1767225600123 1767225600456"},
		"no claims": {idptest.Backed(account.Without("fxa-generation", "fxa-keysChangedAt"), statement), "other.example 0123abcd@other.example <nil> <nil>"},
		"audience":  {idptest.Backed(account, other.Assertion("https://elsewhere.example", user)), "AudienceMismatchError"},
		"expired":   {idptest.Backed(account, statement.With("exp", 1)), "ExpiredSignatureError"},
		"too early": {idptest.Backed(account, statement.With("iat", now.UnixMilli()+3600000)), "ExpiredSignatureError"},
		"forged":    {idptest.Backed(account, idp.Assertion(audience, idptest.Key("DS128-2"))), "InvalidSignatureError"},
		"issuer":    {idptest.Backed(idp.Certificate("0123abcd@other.example", user.Public()), statement), "InvalidSignatureError"},
		"bogus":     {"bogus", "InvalidSignatureError"},
		"nothing":   {"", "ConnectionError"},
	} {
		status, answer := s.send(t, pythonJSON("/v2", ask(tt.assertion, `"trustedIssuers": ["other.example"]`)))
		if got := tokenServer(status, answer); got != tt.want {
			t.Errorf("%s: %s, not %s", name, got, tt.want)
		}
	}
}

// TestFlaskBrowserID reads as Flask-BrowserID does: it passes an answer with status 200
// to the application, and any other to the user.
func TestFlaskBrowserID(t *testing.T) {
	s := serve(t, verifyapi.Config{})
	for a, want := range map[string]string{good: "okay", "bogus": "failure"} {
		status, answer := s.send(t, pythonForm("/verify", "assertion", a, "audience", "https://rp.example/"))
		if status != 200 || answer["status"] != want || want == "okay" && answer["audience"] != "https://rp.example/" {
			t.Errorf("%.20s…: %d %v", a, status, answer)
		}
	}
}

// TestUnverifiedClients reads as clients that accept unverified addresses do.
func TestUnverifiedClients(t *testing.T) {
	s := serve(t, verifyapi.Config{})
	status, answer := s.send(t, pythonForm("/verify", "assertion", noEmail, "audience", audience,
		"experimental_forceIssuer", "other.example", "experimental_forceAuthentication", "true", "experimental_allowUnverified", "true"))
	if status != 200 || answer["unverified-email"] != "alice@nowhere.example" || answer["email"] != nil {
		t.Errorf("%d %v", status, answer)
	}
}

// TestNode sends the requests that the tests of browserid-verifier send.
func TestNode(t *testing.T) {
	s := serve(t, verifyapi.Config{})
	for _, path := range []string{"/v2", "/", "/verify"} {
		if status, answer := s.send(t, nodeJSON(path, ask(good))); status != 200 || answer["email"] != email {
			t.Errorf("%s: %d %v", path, status, answer)
		}
		for header, want := range map[string]string{"": "Unsupported Content-Type: none", "content-type: text/plain\r\n": "Unsupported Content-Type: text/plain"} {
			status, answer := s.send(t, "POST "+path+" HTTP/1.1\r\nhost: 127.0.0.1\r\n"+header+"content-length: 0\r\nConnection: close\r\n\r\n")
			if status != 415 || !strings.HasPrefix(fmt.Sprint(answer["reason"]), want) {
				t.Errorf("%s: %d %v", path, status, answer)
			}
		}
		status, answer := s.send(t, nodeJSON(path, `{"assertion":"x"}`))
		if status != 400 || answer["reason"] != "missing audience parameter" {
			t.Errorf("%s: %d %v", path, status, answer)
		}
	}
}
