package verifyapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/evp/evptest"
	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/verifyapi"
)

// tokenCase is a case of the test vectors of the Email Verification Protocol.
type tokenCase struct {
	Name, Token, Nonce string
	Now                int64
	TXT                map[string]struct{ Records []string }
	HTTP               map[string]struct{ Body json.RawMessage }
}

// tokens returns the cases by name.
var tokens = sync.OnceValue(func() map[string]*tokenCase {
	data, err := os.ReadFile("../testdata/evp/vectors.json")
	if err != nil {
		panic(err)
	}
	var file struct{ Cases []*tokenCase }
	if err := json.Unmarshal(data, &file); err != nil {
		panic(err)
	}
	all := make(map[string]*tokenCase)
	for _, c := range file.Cases {
		all[c.Name] = c
	}
	return all
})

// goodToken is by alice@mail.example, for audience.
func goodToken() *tokenCase { return tokens()["chromium-156/algs-empty"] }

func (c *tokenCase) now() time.Time { return time.UnixMilli(c.Now) }

// bundle returns what the hosts of the case publish.
func (c *tokenCase) bundle(t testing.TB) *evp.Bundle {
	t.Helper()
	documents := make(map[string]any)
	for name, answer := range c.TXT {
		documents[name] = answer.Records
	}
	for location, answer := range c.HTTP {
		var body string
		if err := json.Unmarshal(answer.Body, &body); err != nil {
			t.Fatal(err)
		}
		documents[location] = json.RawMessage(body)
	}
	text, err := json.Marshal(documents)
	if err != nil {
		t.Fatal(err)
	}
	b, err := evp.ParseBundle(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// verifier returns a verifier at the time of the case, with its documents.
func (c *tokenCase) verifier(t testing.TB, config evp.Config) *evp.Verifier {
	t.Helper()
	config.Origins, config.Now = []string{"https://none.invalid"}, c.now
	if config.Resolver == nil && config.Bundle == nil {
		config.Bundle = c.bundle(t)
	}
	v, err := evp.NewVerifier(config)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// json returns the body of a request, with more members if given.
func (c *tokenCase) json(more ...string) string {
	return fmt.Sprintf(`{"token":%q,"audience":%q,"nonce":%q%s}`, c.Token, audience, c.Nonce, strings.Join(append([]string{""}, more...), ","))
}

// form returns the same as a form.
func (c *tokenCase) form() string {
	return url.Values{"token": {c.Token}, "audience": {audience}, "nonce": {c.Nonce}}.Encode()
}

const goodTokenAnswer = `{"status":"okay","email":"alice@mail.example","audience":"https://rp.example","expires":1795987808000,"issuer":"accounts.issuer.example"}`

// TestTokens checks requests to /evp and their responses.
func TestTokens(t *testing.T) {
	c := goodToken()
	s := serve(t, verifyapi.Config{Tokens: c.verifier(t, evp.Config{})})
	for name, test := range map[string]struct {
		path, contentType, body string
		status                  int
		want                    string
	}{
		"okay":                      {"/evp", jsonType, c.json(), 200, goodTokenAnswer},
		"a form":                    {"/evp", formType, c.form(), 200, goodTokenAnswer},
		"a trailing slash":          {"/evp/", jsonType, c.json(), 200, goodTokenAnswer},
		"the query is ignored":      {"/evp?nonce=x&token=%zz", jsonType, c.json(), 200, goodTokenAnswer},
		"the submitted address":     {"/evp", jsonType, c.json(`"email":"ALICE@mail.example"`), 200, goodTokenAnswer},
		"no submitted address":      {"/evp", jsonType, c.json(`"email":null`, `"more":{"x":[]}`), 200, goodTokenAnswer},
		"another address":           {"/evp", jsonType, c.json(`"email":"bob@mail.example"`), 200, ""},
		"another nonce":             {"/evp", jsonType, strings.Replace(c.json(), c.Nonce, "x", 1), 200, failed("nonce mismatch")},
		"another site":              {"/evp", jsonType, strings.Replace(c.json(), audience, "https://b.example", 1), 200, ""},
		"not a token":               {"/evp", jsonType, strings.Replace(c.json(), c.Token, "x", 1), 200, failed(`malformed token: not two parts joined by one "~"`)},
		"an assertion":              {"/evp", jsonType, strings.Replace(c.json(), c.Token, good, 1), 200, failed("malformed token: an assertion of BrowserID (POST it to /v2)")},
		"a token as an assertion":   {"/v2", jsonType, ask(c.Token), 200, failed("malformed assertion: a token of the Email Verification Protocol (POST it to /evp, with its nonce)")},
		"a token as a v1 assertion": {"/verify", jsonType, ask(c.Token), 200, failed("malformed assertion: a token of the Email Verification Protocol (POST it to /evp, with its nonce)")},
		"no token":                  {"/evp", jsonType, `{}`, 400, failed("missing token parameter")},
		"no body":                   {"/evp", formType, ``, 400, failed("missing token parameter: the body is empty")},
		"an assertion parameter":    {"/evp", jsonType, ask(good), 400, failed("missing token parameter: an assertion is verified by /v2")},
		"no audience":               {"/evp", jsonType, `{"token":"x","nonce":"y"}`, 400, failed("missing audience parameter")},
		"no nonce":                  {"/evp", jsonType, `{"token":"x","audience":"https://rp.example"}`, 400, failed("missing nonce parameter: it is the nonce that the page gave to the browser")},
		"an empty nonce":            {"/evp", formType, "token=x&audience=https://rp.example&nonce=", 400, failed("missing nonce parameter: it is the nonce that the page gave to the browser")},
		"not an origin":             {"/evp", jsonType, strings.Replace(c.json(), audience, audience+"/path", 1), 400, failed("audience is not an origin: want scheme, host and port only, such as https://rp.example")},
		"a list of audiences":       {"/evp", jsonType, `{"token":"x","nonce":"y","audience":["https://rp.example"]}`, 400, failed("audience must be a string")},
		"a nonce twice":             {"/evp", formType, c.form() + "&nonce=x", 400, failed("nonce is given twice")},
		"a member twice":            {"/evp", jsonType, c.json(`"nonce":"x"`), 400, ""},
		"a misspelt name":           {"/evp", jsonType, `{"Token":"x"}`, 400, failed("unknown parameter, did you mean token?")},
		"a misspelt optional name":  {"/evp", jsonType, c.json(`"e-mail":"x"`), 400, failed("unknown parameter, did you mean email?")},
		"another type":              {"/evp", "text/plain", c.json(), 415, failed("Unsupported Content-Type: text/plain (expected application/json or application/x-www-form-urlencoded)")},
		"a body that is too large":  {"/evp", jsonType, c.json(`"x":"` + strings.Repeat("x", 10<<10) + `"`), 413, ""},
		"another path":              {"/evp/x", jsonType, c.json(), 404, failed("not found: want /v2, /verify, / or /evp")},
	} {
		got := s.post(t, test.path, test.contentType, test.body)
		if got.StatusCode != test.status || test.want != "" && got.body != test.want {
			t.Errorf("%s: %s %s, want %d %s", name, got.Status, got.body, test.status, test.want)
		}
		if test.want == "" && reason(t, got.body) == "" {
			t.Errorf("%s: %s", name, got.body)
		}
		if policy := got.Header.Get("Content-Security-Policy"); strings.HasPrefix(test.path, "/evp") && policy != ownPolicy {
			t.Errorf("%s: policy %q", name, policy)
		}
		if strings.Contains(got.body, "bob") || strings.Contains(got.body, "eyJ") {
			t.Errorf("%s: the response repeats the request: %s", name, got.body)
		}
	}
	s.checkServes(t)
	resp, err := client(t).Get(s.url + "/evp")
	if got := read(t, resp, err); got.StatusCode != 405 || got.Header.Get("Allow") != "POST" || got.Header.Get("Content-Security-Policy") != ownPolicy {
		t.Errorf("GET: %s %s", got.Status, got.body)
	}
}

// TestWithoutTokens checks that there is no /evp without a verifier of tokens.
func TestWithoutTokens(t *testing.T) {
	s := serve(t, verifyapi.Config{})
	if got := s.post(t, "/evp", jsonType, goodToken().json()); got.StatusCode != 404 || got.body != failed("not found: want /v2, /verify or /") {
		t.Errorf("%s %s", got.Status, got.body)
	}
	if got := s.post(t, "/v2", jsonType, ask(goodToken().Token)); got.body != failed("malformed assertion: a token of the Email Verification Protocol") {
		t.Errorf("%s %s", got.Status, got.body)
	}
}

// TestTokenOutcomes checks answers that are not about the token, the log and the metrics.
func TestTokenOutcomes(t *testing.T) {
	c := goodToken()
	empty, err := evp.ParseBundle([]byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	w := serve(t, verifyapi.Config{Tokens: c.verifier(t, evp.Config{Bundle: empty}), UndecidedStatus: 503})
	got := w.post(t, "/evp", jsonType, c.json())
	want := `{"status":"failure","reason":"undecided, mail.example is unavailable","undecided":true}`
	if got.StatusCode != 503 || got.body != want || got.Header.Get("Retry-After") == "" {
		t.Errorf("%s %s", got.Status, got.body)
	}
	w.post(t, "/evp", jsonType, strings.Replace(c.json(), c.Nonce, "x", 1))
	w.post(t, "/evp", jsonType, "{}")
	log := w.log.String()
	for _, part := range []string{
		"level=WARN msg=undecided", "api=evp status=503 result=undecided class=unavailable", "class=nonce", "setting=Bundle",
		"api=evp status=400 result=refused class=parameter", " token=",
	} {
		if !strings.Contains(log, part) {
			t.Errorf("%s is not in the log:\n%s", part, log)
		}
	}
	for _, secret := range []string{c.Nonce, "nonce=x"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log has the nonce:\n%s", log)
		}
	}
	for name, want := range map[string]string{
		`vepverify_evp_verifications_total{class="unavailable",result="undecided"}`: "1",
		`vepverify_evp_verifications_total{class="nonce",result="failure"}`:         "1",
		`vepverify_evp_verifications_total{class="parameter",result="refused"}`:     "1",
		`vepverify_evp_verifications_total{class="none",result="okay"}`:             "0",
		`vepverify_verifications_total{class="unavailable",result="undecided"}`:     "0",
	} {
		if got := w.metric(t, name); got != want {
			t.Errorf("%s %s, not %s", name, got, want)
		}
	}
}

// TestTokenOnce checks that a one-use guard is for tokens, too.
func TestTokenOnce(t *testing.T) {
	c := goodToken()
	guard := assertion.NewMemoryOneUse(10, c.now)
	s := serve(t, verifyapi.Config{Tokens: c.verifier(t, evp.Config{OneUse: guard})})
	for i, want := range []string{goodTokenAnswer, failed("the token was used before")} {
		if got := s.post(t, "/evp", jsonType, c.json()); got.body != want {
			t.Errorf("use %d: %s", i+1, got.body)
		}
	}
}

// slowNames is a resolver that does not answer until it is released.
type slowNames struct {
	c        *tokenCase
	released chan struct{}
}

// LookupTXT implements evp.TXTResolver.
func (n *slowNames) LookupTXT(ctx context.Context, name string) ([]string, error) {
	select {
	case <-n.released:
		return n.c.TXT[strings.TrimSuffix(name, ".")].Records, nil
	case <-ctx.Done():
		return nil, &net.DNSError{Err: "timed out", Name: name, IsTimeout: true}
	}
}

// RoundTrip implements http.RoundTripper.
func (n *slowNames) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("no network")
}

// TestSlowNameServers checks that a token holds no place while name servers are slow.
func TestSlowNameServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := goodToken()
		names := &slowNames{c, make(chan struct{})}
		w := watch(t, verifyapi.Config{
			Tokens: c.verifier(t, evp.Config{Resolver: names, InsecureTransport: names}), InFlight: 1, Queue: -1, Lookups: 1,
		})
		ask := func() <-chan reply {
			answer := make(chan reply, 1)
			go func() {
				r := httptest.NewRequest("POST", "/evp", strings.NewReader(c.json()))
				r.Header.Set("Content-Type", jsonType)
				recorder := httptest.NewRecorder()
				w.ServeHTTP(recorder, r)
				answer <- reply{recorder.Result(), recorder.Body.String()}
			}()
			synctest.Wait()
			return answer
		}
		first := ask()
		w.checkGauges(t, "0", "0", "1")
		if got := <-ask(); got.StatusCode != 503 || got.body != failed("too busy") {
			t.Errorf("while all lookups are taken: %s %s", got.Status, got.body)
		}
		close(names.released)
		if got := <-first; !strings.Contains(got.body, `"undecided":true`) {
			t.Errorf("%s %s", got.Status, got.body)
		}
		w.checkGauges(t, "0", "0", "0")
		for name, want := range map[string]string{
			`vepverify_evp_verifications_total{class="lookups_full",result="shed"}`: "1",
			`vepverify_evp_lookups_total{result="found"}`:                           "1",
			`vepverify_evp_lookups_total{result="unavailable"}`:                     "1",
			`vepverify_evp_lookups_total{result="shed"}`:                            "1",
		} {
			if got := w.metric(t, name); got != want {
				t.Errorf("%s %s, not %s", name, got, want)
			}
		}
	})
}

// FuzzTokenRequest checks that every request to /evp has a documented response in JSON, and that
// none is a fault. A request that is accepted means the same to other parsers.
func FuzzTokenRequest(f *testing.F) {
	c := goodToken()
	f.Add(jsonType, c.json(`"email":"alice@mail.example"`))
	f.Add(formType, c.form())
	f.Add(formType, c.form()+"&email=alice%40mail.example")
	f.Add(jsonType, `{"token":"a.b.c~d.e.f","audience":"https://rp.example","nonce":"n","nonce":"n"}`)
	f.Add("text/plain", "")
	h := watch(f, verifyapi.Config{Tokens: c.verifier(f, evp.Config{})})
	f.Fuzz(func(t *testing.T, contentType, body string) {
		r := httptest.NewRequest("POST", "/evp?token=x", strings.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		var answer struct{ Status, Reason, Audience, Email string }
		if err := json.Unmarshal(rec.Body.Bytes(), &answer); err != nil {
			t.Fatalf("%v: %s", err, rec.Body)
		}
		if rec.Code != 200 {
			if rec.Code < 400 || rec.Code >= 500 || answer.Status != "failure" || answer.Reason == "" {
				t.Fatalf("%d %s", rec.Code, rec.Body)
			}
			return
		}
		asked := parsed(t, true, contentType, "", body)
		if asked("token") == "" || asked("audience") == "" || asked("nonce") == "" {
			t.Fatalf("accepted without a required parameter: %s", rec.Body)
		}
		site, _ := origin.Parse(asked("audience"))
		if answer.Status == "okay" && (asked("token") != c.Token || asked("nonce") != c.Nonce || site.String() != audience ||
			asked("email") != "" && !strings.EqualFold(asked("email"), answer.Email)) {
			t.Fatalf("%s: %s", body, rec.Body)
		}
	})
}

// slowDomains is a resolver that answers for one domain only. All others get no answer.
type slowDomains struct {
	evp.TXTResolver
	answered string
}

// LookupTXT implements evp.TXTResolver.
func (r slowDomains) LookupTXT(ctx context.Context, name string) ([]string, error) {
	if strings.TrimSuffix(name, ".") != "_email-verification."+r.answered {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return r.TXTResolver.LookupTXT(ctx, name)
}

// TestManyDomains checks that tokens for many domains whose name servers do not answer delay
// neither tokens whose issuer is cached, nor assertions.
func TestManyDomains(t *testing.T) {
	const attackers, lookups = 50, 8
	var domains []string
	for i := range attackers {
		domains = append(domains, fmt.Sprintf("attacker%d.example", i))
	}
	synctest.Test(t, func(t *testing.T) {
		world := evptest.New(evptest.Default(), evptest.NewIssuer("issuer.attacker.example", domains, evptest.TestKey("ES256"))).At(now)
		config := world.Config("https://none.invalid")
		config.Resolver = slowDomains{config.Resolver, "mail.example"}
		tokens, err := evp.NewVerifier(config)
		if err != nil {
			t.Fatal(err)
		}
		w := watch(t, verifyapi.Config{Tokens: tokens, InFlight: 1, Queue: -1, Lookups: lookups})
		send := func(path, body string) <-chan *http.Response {
			answer := make(chan *http.Response, 1)
			r := httptest.NewRequest("POST", path, strings.NewReader(body))
			r.Header.Set("Content-Type", jsonType)
			go func() {
				rec := httptest.NewRecorder()
				w.ServeHTTP(rec, r)
				answer <- rec.Result()
			}()
			synctest.Wait()
			return answer
		}
		body := func(address string) string {
			token := world.Token(evptest.Request{Email: address, Origin: audience, Nonce: "nonce"})
			return fmt.Sprintf(`{"token":%q,"audience":%q,"nonce":"nonce"}`, token, audience)
		}
		honest := func() {
			t.Helper()
			if got := responseOf(t, send("/evp", body("alice@mail.example"))); !strings.HasPrefix(got.body, `{"status":"okay"`) {
				t.Errorf("an honest token: %s %s", got.Status, got.body)
			}
			if got := responseOf(t, send("/v2", ask(good))); got.body != goodAnswer {
				t.Errorf("an honest assertion: %s %s", got.Status, got.body)
			}
		}
		honest()
		var answers []<-chan *http.Response
		for _, domain := range domains {
			answers = append(answers, send("/evp", body("alice@"+domain)))
		}
		if n := countAnswered(answers); n != attackers-lookups {
			t.Errorf("%d of %d are answered, want all but %d", n, attackers, lookups)
		}
		w.checkGauges(t, "0", "0", fmt.Sprint(lookups))
		honest()
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := countAnswered(answers); n != attackers {
			t.Errorf("%d of %d are answered in the end", n, attackers)
		}
	})
}
