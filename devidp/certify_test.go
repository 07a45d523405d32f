package devidp_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/devidp"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/keys"
)

const audience = "http://localhost:8080"

// body returns a request for a certificate, with the key in its legacy form.
func body(t testing.TB, email string, key keys.PublicKey, seconds any) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{"email": email, "public-key": key, "duration": seconds})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestCertify checks that a relying party with the provider's keys accepts assertions
// with the certificate until it expires, and that one with other keys does not.
func TestCertify(t *testing.T) {
	for _, name := range []string{"RS256", "RS128", "DS128", "DS256"} {
		user := idptest.Key(name)
		jwk := strings.Replace(body(t, "ada@idp.localhost", user.Public(), 600), string(idptest.Legacy(user.Public()).JSON()), string(idptest.JWK(user.Public()).JSON()), 1)
		for _, request := range []string{body(t, "Ada@IDP.LocalHost", user.Public(), 600), jwk} {
			_, c := certify(t, certifyRequest(request))
			text, err := assertion.Sign(assertion.Template{Audience: audience, Expires: now.Add(10 * time.Minute)}, user, c.Certificate)
			if err != nil {
				t.Fatal(err)
			}
			for _, at := range []time.Time{now, now.Add(10 * time.Minute)} {
				result, err := verifier(t, idp(), at).Verify(t.Context(), text, audience)
				if err != nil || !strings.HasSuffix(result.Email, "da@idp.localhost") || result.Issuer != devidp.DefaultDomain {
					t.Fatalf("%s at %v: %v, %v", name, at, result, err)
				}
			}
			for at, want := range map[time.Time]error{now.Add(-1): assertion.ErrNotYetValid, now.Add(10*time.Minute + time.Millisecond): assertion.ErrExpired} {
				if _, err := verifier(t, idp(), at).Verify(t.Context(), text, audience); !errors.Is(err, want) {
					t.Errorf("%s at %v: %v", name, at, err)
				}
			}
			if _, err := verifier(t, newProvider(t, devidp.DefaultDomain), now).Verify(t.Context(), text, audience); !errors.Is(err, assertion.ErrSignature) {
				t.Errorf("%s: another provider's keys: %v", name, err)
			}
		}
	}
}

// TestCertifyInProcess checks Provider.Certify, which has the rules of /certify.
func TestCertifyInProcess(t *testing.T) {
	user, weak := idptest.Key("DS128").Public(), idptest.Key("RS64").Public()
	for name, c := range map[string]struct {
		email    string
		key      keys.PublicKey
		duration time.Duration
		want     string // the certified address; empty means an error
	}{
		"good":             {"Ada@IDP.LocalHost", user, devidp.MaxDuration, "Ada@idp.localhost"},
		"a second":         {"ada@idp.localhost", user, time.Second, "ada@idp.localhost"},
		"no address":       {"ada", user, time.Hour, ""},
		"empty address":    {"", user, time.Hour, ""},
		"another domain":   {"ada@idp.example", user, time.Hour, ""},
		"no key":           {"ada@idp.localhost", nil, time.Hour, ""},
		"weak key":         {"ada@idp.localhost", weak, time.Hour, ""},
		"no duration":      {"ada@idp.localhost", user, 0, ""},
		"negative":         {"ada@idp.localhost", user, -time.Hour, ""},
		"under a second":   {"ada@idp.localhost", user, time.Second - 1, ""},
		"longer than most": {"ada@idp.localhost", user, devidp.MaxDuration + 1, ""},
	} {
		text, err := idp().Certify(c.email, c.key, c.duration)
		if c.want == "" {
			if err == nil || text != "" {
				t.Errorf("%s: %q, no error", name, text)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		certificate, err := certchain.ParseCertificate(text)
		if err != nil {
			t.Fatal(err)
		}
		if email, _, err := certificate.Email(); email != c.want || err != nil {
			t.Errorf("%s: certified %s, %v", name, email, err)
		}
		if life := certificate.Validity.Expires.Sub(now); life != c.duration || !certificate.Validity.IssuedAt.Equal(now) {
			t.Errorf("%s: valid for %v", name, life)
		}
	}
}

func TestDurations(t *testing.T) {
	user := idptest.Key("DS128")
	for text, want := range map[string]time.Duration{
		"1": time.Second, "600": 10 * time.Minute, "86400": devidp.MaxDuration,
		"0": 0, "-1": 0, "86401": 0, "1e3": 0, "600.0": 0, "600.5": 0, `"600"`: 0, "null": 0, "true": 0, "[600]": 0,
		"99999999999999999999": 0, "4294967297": 0, "18446744073709551617": 0, "9223372036": 0,
	} {
		request := strings.Replace(body(t, "ada@idp.localhost", user.Public(), 12345), "12345", text, 1)
		_, c := certify(t, certifyRequest(request))
		if want == 0 {
			if c.Field != "duration" {
				t.Errorf("%s: %+v", text, c)
			}
			continue
		}
		signed, err := assertion.Sign(assertion.Template{Audience: audience, Expires: now.Add(48 * time.Hour)}, user, c.Certificate)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := verifier(t, idp(), now.Add(want)).Verify(t.Context(), signed, audience); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if _, err := verifier(t, idp(), now.Add(want+time.Millisecond)).Verify(t.Context(), signed, audience); !errors.Is(err, assertion.ErrExpired) {
			t.Errorf("%s, a millisecond later: %v", text, err)
		}
	}
}

// TestOrigin checks that only the provider's own pages can request certificates.
func TestOrigin(t *testing.T) {
	good := body(t, "ada@idp.localhost", idptest.Key("DS128").Public(), 600)
	for _, c := range []struct {
		host, origin string
		status       int
	}{
		{"localhost:8400", "http://localhost:8400", 200},
		{"LOCALHOST:8400", "http://localhost:8400", 200},
		{"127.0.0.1:8400", "http://127.0.0.1:8400", 200},
		{"[::1]:8400", "http://[::1]:8400", 200},
		{"idp.localhost", "http://idp.localhost", 200},
		{"localhost:8400", "", 403},
		{"localhost:8400", "null", 403},
		{"localhost:8400", "http://localhost:8080", 403},
		{"localhost:8400", "http://localhost", 403},
		{"localhost:8400", "https://localhost:8400", 403},
		{"localhost:8400", "http://127.0.0.1:8400", 403},
		{"localhost:8400", "http://evil.example", 403},
		{"localhost:8400", "http://localhost:8400.evil.example", 403},
		{"localhost:8400", "http://localhost:8400/", 403},
		{"evil.example:8400", "http://evil.example:8400", 421},
	} {
		r := certifyRequest(good)
		r.Host = c.host
		r.Header.Set("Origin", c.origin)
		if c.origin == "" {
			r.Header.Del("Origin")
			r.Header.Set("Referer", own+"/sign_in")
		}
		if response, _ := certify(t, r); response.StatusCode != c.status {
			t.Errorf("Host %s, Origin %s: %d", c.host, c.origin, response.StatusCode)
		}
	}
	twice := certifyRequest(good)
	twice.Header.Add("Origin", "http://evil.example")
	if response, _ := certify(t, twice); response.StatusCode != http.StatusForbidden {
		t.Errorf("two origins: %d", response.StatusCode)
	}
}

func TestContentType(t *testing.T) {
	good := body(t, "ada@idp.localhost", idptest.Key("DS128").Public(), 600)
	for contentType, status := range map[string]int{
		"application/json": 200, "Application/JSON; charset=utf-8": 200,
		"": 415, "text/plain": 415, "application/x-www-form-urlencoded": 415, "multipart/form-data": 415,
		"application/json" + strings.Repeat(";a=b", 100): 415,
		"text/plain; application/json":                   415, "application/json;": 200, "application/json, text/plain": 415, "application/jsonp": 415,
	} {
		r := certifyRequest(good)
		r.Header.Set("Content-Type", contentType)
		if response, _ := certify(t, r); response.StatusCode != status {
			t.Errorf("%q: %d", contentType, response.StatusCode)
		}
	}
}

// TestRefusals checks that a refusal names the member at fault, and repeats nothing
// of the request.
func TestRefusals(t *testing.T) {
	key := string(idptest.Legacy(idptest.Key("DS128").Public()).JSON())
	weak := string(idptest.Legacy(idptest.Key("RS64").Public()).JSON())
	otherGroup := string(idptest.Legacy(idptest.Key("DS128").Public()).With("y", "3").JSON())
	large := `{"algorithm":"RS","n":"1` + strings.Repeat("0", 1234) + `1","e":"65537"}`
	with := func(email, key, duration string) string {
		return fmt.Sprintf(`{"email":%s,"public-key":%s,"duration":%s}`, email, key, duration)
	}
	const ada = `"secret-name@idp.localhost"`
	for name, c := range map[string]struct {
		body   string
		status int
		field  string
	}{
		"nothing":              {"", 400, ""},
		"no JSON":              {"secret-name", 400, ""},
		"no object":            {"[]", 400, ""},
		"null":                 {"null", 400, ""},
		"two objects":          {with(ada, key, "60") + with(ada, key, "60"), 400, ""},
		"cut off":              {with(ada, key, "60")[:100], 400, ""},
		"email twice":          {`{"email":` + ada + `,` + with(ada, key, "60")[1:], 400, ""},
		"another member":       {`{"secret-name":1,` + with(ada, key, "60")[1:], 400, ""},
		"no member":            {"{}", 400, "email"},
		"no email":             {`{"public-key":` + key + `,"duration":60}`, 400, "email"},
		"no key":               {`{"email":` + ada + `,"duration":60}`, 400, "public-key"},
		"no duration":          {`{"email":` + ada + `,"public-key":` + key + `}`, 400, "duration"},
		"Email":                {strings.Replace(with(ada, key, "60"), "email", "Email", 1), 400, ""},
		"email a number":       {with("1", key, "60"), 400, "email"},
		"email null":           {with("null", key, "60"), 400, "email"},
		"email empty":          {with(`""`, key, "60"), 400, "email"},
		"no address":           {with(`"secret-name"`, key, "60"), 400, "email"},
		"two addresses":        {with(`"secret-name@idp.localhost,b@idp.localhost"`, key, "60"), 400, "email"},
		"markup":               {with(`"<b>@idp.localhost"`, key, "60"), 400, "email"},
		"line break":           {with(`"secret-name@idp.localhost\n"`, key, "60"), 400, "email"},
		"NUL":                  {with(`"secret-name\u0000@idp.localhost"`, key, "60"), 400, "email"},
		"dot at the end":       {with(`"secret-name@idp.localhost."`, key, "60"), 400, "email"},
		"too long":             {with(`"`+strings.Repeat("a", 250)+`@idp.localhost"`, key, "60"), 400, "email"},
		"another domain":       {with(`"secret-name@gmail.com"`, key, "60"), 403, "email"},
		"a subdomain":          {with(`"secret-name@a.idp.localhost"`, key, "60"), 403, "email"},
		"the domain above":     {with(`"secret-name@localhost"`, key, "60"), 403, "email"},
		"with a port":          {with(`"secret-name@idp.localhost:8400"`, key, "60"), 403, "email"},
		"key a string":         {with(ada, `"secret-name"`, "60"), 400, "public-key"},
		"key null":             {with(ada, `null`, "60"), 400, "public-key"},
		"key of no kind":       {with(ada, `{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}`, "60"), 400, "public-key"},
		"weak key":             {with(ada, weak, "60"), 400, "public-key"},
		"key not of its group": {with(ada, otherGroup, "60"), 400, "public-key"},
		"RSA of 4104 bits":     {with(ada, large, "60"), 400, "public-key"},
		"large":                {`{"email":"` + strings.Repeat("a", 16<<10) + `"}`, 413, ""},
	} {
		response, got := certify(t, certifyRequest(c.body))
		if response.StatusCode != c.status || got.Field != c.field {
			t.Errorf("%s: %d, %+v", name, response.StatusCode, got)
		}
		if strings.Contains(got.Error, "secret-name") {
			t.Errorf("%s: the answer repeats the request: %s", name, got.Error)
		}
	}
}

func TestBodyCutOff(t *testing.T) {
	r := certifyRequest("")
	r.Body = io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF))
	if response, _ := certify(t, r); response.StatusCode != http.StatusBadRequest {
		t.Errorf("status %d", response.StatusCode)
	}
}

// BenchmarkCertify measures one request for a certificate: with usual keys, with the
// most expensive keys, and with malformed bodies.
func BenchmarkCertify(b *testing.B) {
	bodies := map[string]string{
		"RSA of 4096 bits": `{"email":"ada@idp.localhost","duration":60,"public-key":{"algorithm":"RS","n":"` + strings.Repeat("9", 1233) + `","e":"65537"}}`,
		"garbage":          strings.Repeat("[", 8<<10),
		"members":          "{" + strings.Repeat(`"a":1,`, 1300) + `"b":1}`,
	}
	for _, name := range []string{"RS256", "DS128", "DS256", "DS128-own-group", "DS256-own-group"} {
		bodies[name] = body(b, "ada@idp.localhost", idptest.Key(name).Public(), 60)
	}
	for name, text := range bodies {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if response, _ := answer(b, certifyRequest(text)); response.StatusCode >= http.StatusInternalServerError {
					b.Fatal(response.Status)
				}
			}
		})
	}
}
