package issuer_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/evp/issuer"
)

// recorded is a request of Chromium, in testdata/evp/requests.json.
type recorded struct {
	Name    string
	Now     int64 // ms
	Typed   string
	Request struct {
		Method, Target, Authority, Body string
		Headers                         [][2]string
	}
}

func (r recorded) message() message {
	return message{r.Request.Method, r.Request.Target, r.Request.Body, r.Request.Headers}
}

func recordings(t testing.TB) []recorded {
	t.Helper()
	data, err := os.ReadFile("../../testdata/evp/requests.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Requests []recorded }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Requests) == 0 {
		t.Fatal("no requests")
	}
	return file.Requests
}

// recordedIssuer returns the issuer of a recorded request, after changes of its
// configuration.
func recordedIssuer(t testing.TB, r recorded, change ...func(*issuer.Config)) *issuer.Issuer {
	t.Helper()
	c := config(t)
	c.Accounts = accountsOf(issuer.Account{Email: strings.TrimSpace(r.Typed)})
	c.Now = func() time.Time { return time.UnixMilli(r.Now) }
	for _, f := range change {
		f(&c)
	}
	return newIssuer(t, c)
}

func TestRequestsOfChromiumAreAnswered(t *testing.T) {
	for _, r := range recordings(t) {
		t.Run(r.Name, func(t *testing.T) {
			got := claims(t, issued(t, r.message().send(t, recordedIssuer(t, r))))
			var asked struct{ Email string }
			if err := json.Unmarshal([]byte(r.Request.Body), &asked); err != nil {
				t.Fatal(err)
			}
			if got["email"] != asked.Email || got["iss"] != issuerOrigin {
				t.Errorf("got %v", got)
			}
		})
	}
}

// mutation changes one thing of a request.
type mutation struct {
	name   string
	change func(message) message
	want   string
}

const (
	badSignature = "400 invalid_signature"
	badRequest   = "400 invalid_request"
	badType      = "415 invalid_request"
	noSession    = "401 authentication_required"
)

func header(name, value string) func(message) message {
	return func(m message) message { return m.set(name, value) }
}

func replaced(name, old, by string) func(message) message {
	return func(m message) message { return m.set(name, strings.Replace(m.get(name), old, by, 1)) }
}

// mutations returns changes of a request that must fail.
func mutations(other message) []mutation {
	list := []mutation{
		{"method", func(m message) message { m.method = "PUT"; return m }, "405 invalid_request"},
		{"method in lower case", func(m message) message { m.method = "post"; return m }, "405 invalid_request"},
		{"path", func(m message) message { m.target = "/issue2"; return m }, "404"},
		{"path in other case", func(m message) message { m.target = "/Issue"; return m }, "404"},
		{"path escaped", func(m message) message { m.target = "/%69ssue"; return m }, badSignature},
		{"authority", header("Host", "other.example"), badSignature},
		{"authority with another port", header("Host", issuerHost+":8443"), badSignature},
		{"absolute target", func(m message) message { m.target = "https://other.example/issue"; return m }, badSignature},
		{"body", func(m message) message { return m.withBody(strings.Replace(m.body, "@", "x@", 1)) }, badSignature},
		{"space in body", func(m message) message { return m.withBody(m.body + " ") }, badSignature},
		{"body and digest of another", func(m message) message {
			return m.withBody(other.body).set("Content-Digest", other.get("Content-Digest"))
		}, badSignature},
		{"body not JSON", func(m message) message { return m.withBody(m.body[1:]) }, badRequest},
		{"no body", func(m message) message { return m.withBody("") }, badRequest},
		{"key of another", header("Signature-Key", other.get("Signature-Key")), badSignature},
		{"signature of another", header("Signature", other.get("Signature")), badSignature},
		{"created", replaced("Signature-Input", ";created=1", ";created=2"), badSignature},
		{"created a second later", func(m message) message {
			v := m.get("Signature-Input")
			last := v[len(v)-1]
			return m.set("Signature-Input", v[:len(v)-1]+string('0'+(last-'0'+1)%10))
		}, badSignature},
		{"no created", func(m message) message {
			before, _, _ := strings.Cut(m.get("Signature-Input"), ";created")
			return m.set("Signature-Input", before)
		}, badSignature},
		{"a parameter added", func(m message) message { return m.set("Signature-Input", m.get("Signature-Input")+`;tag="x"`) }, badSignature},
		{"a component added", replaced("Signature-Input", `"@path"`, `"@path" "origin"`), badSignature},
		{"components swapped", replaced("Signature-Input", `"@method" "@authority"`, `"@authority" "@method"`), badSignature},
		{"a component repeated", replaced("Signature-Input", `"@method"`, `"@method" "@method"`), badSignature},
		{"type", header("Content-Type", "text/plain"), badType},
		{"type of forms", header("Content-Type", "application/x-www-form-urlencoded"), badType},
		{"destination of fetch", header("Sec-Fetch-Dest", "empty"), badRequest},
		{"destination of a document", header("Sec-Fetch-Dest", "document"), badRequest},
		{"no cookie", func(m message) message { return m.without("Cookie") }, noSession},
		{"another cookie", header("Cookie", "session=other"), noSession},
	}
	for _, c := range strings.Fields(five) {
		list = append(list, mutation{"without " + c, func(m message) message {
			v := strings.Replace(m.get("Signature-Input"), c, "", 1)
			return m.set("Signature-Input", strings.ReplaceAll(strings.ReplaceAll(v, "( ", "("), " )", ")"))
		}, badSignature})
	}
	return append(list, headerMutations()...)
}

// headerMutations removes, doubles and spoils each header that counts.
func headerMutations() (list []mutation) {
	for name, want := range map[string]string{
		"Content-Digest": badSignature, "Signature-Key": badSignature, "Signature-Input": badSignature,
		"Signature": badSignature, "Content-Type": badType, "Sec-Fetch-Dest": badRequest,
	} {
		list = append(list,
			mutation{"no " + name, func(m message) message { return m.without(name) }, want},
			mutation{"doubled " + name, func(m message) message { return m.doubled(name) }, want},
			mutation{"empty " + name, header(name, ""), want},
			mutation{"comma after " + name, func(m message) message { return m.set(name, m.get(name)+",") }, want},
			mutation{"repeated in " + name, func(m message) message { return m.set(name, m.get(name)+", "+m.get(name)) }, want},
			mutation{"cut " + name, func(m message) message { return m.set(name, m.get(name)[:len(m.get(name))-1]) }, want},
			mutation{"junk in " + name, header(name, `sig="`), want},
		)
	}
	return list
}

func TestMutatedRequestsOfChromiumAreRefused(t *testing.T) {
	all := recordings(t)
	for n, r := range all {
		i := recordedIssuer(t, r)
		other := all[(n+1)%len(all)].message()
		for k := n + 2; other.body == r.Request.Body; k++ {
			other = all[k%len(all)].message()
		}
		if strings.Contains(r.Request.Target, "?") {
			continue // the path is replaced: see TestQuery
		}
		for _, m := range mutations(other) {
			t.Run(r.Name+"/"+m.name, func(t *testing.T) {
				w := m.change(r.message().clone()).send(t, i)
				if got := code(t, w); got != m.want {
					t.Errorf("got %s, want %s", got, m.want)
				}
			})
		}
	}
}

func TestRequestsOfChromiumToAnotherIssuerAreRefused(t *testing.T) {
	r := recordings(t)[0]
	for name, test := range map[string]struct {
		change  func(*issuer.Config)
		message message
	}{
		"another host":       {func(c *issuer.Config) { c.Issuer = "https://other.example" }, r.message().set("Host", "other.example")},
		"host not compared":  {func(c *issuer.Config) { c.Issuer, c.AnyHost = "https://other.example", true }, r.message()},
		"another path":       {func(c *issuer.Config) { c.IssuancePath = "/other" }, message{"POST", "/other", r.Request.Body, r.Request.Headers}},
		"clock 301 s behind": {func(c *issuer.Config) { c.Now = func() time.Time { return time.Unix(created(t, r)-301, 0) } }, r.message()},
		"clock 301 s ahead":  {func(c *issuer.Config) { c.Now = func() time.Time { return time.Unix(created(t, r)+301, 0) } }, r.message()},
		"forwarded headers": {func(c *issuer.Config) { c.Issuer = "https://other.example" },
			r.message().set("Host", "other.example").set("X-Forwarded-Host", issuerHost).set("Forwarded", "host="+issuerHost)},
	} {
		t.Run(name, func(t *testing.T) {
			if got := code(t, test.message.send(t, recordedIssuer(t, r, test.change))); got != badSignature {
				t.Errorf("got %s", got)
			}
		})
	}
}

func created(t testing.TB, r recorded) int64 {
	t.Helper()
	_, text, _ := strings.Cut(r.message().get("Signature-Input"), ";created=")
	var n int64
	if err := json.Unmarshal([]byte(text), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestQuery(t *testing.T) {
	for _, r := range recordings(t) {
		if !strings.Contains(r.Request.Target, "?") {
			continue
		}
		m := r.message()
		m.target = "/issue?other"
		issued(t, m.send(t, recordedIssuer(t, r))) // @path has no query, and nothing else covers it
		return
	}
	t.Fatal("no recorded request has a query")
}

func TestBehindAProxy(t *testing.T) {
	r := recordings(t)[0]
	any := recordedIssuer(t, r, func(c *issuer.Config) { c.AnyHost = true })
	issued(t, r.message().set("Host", "10.0.0.7:8080").send(t, any))
	issued(t, r.message().set("Host", "Accounts.Issuer.Example:443").send(t, recordedIssuer(t, r)))
}
