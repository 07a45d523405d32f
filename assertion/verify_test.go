package assertion_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/wellknown"
)

func TestVerify(t *testing.T) {
	v := verifier(t, assertion.Config{})
	for name, m := range map[string]spec{
		"RS256 DS128": {}, "RS256 RS256": {userKey: userRSA}, "DS128 DS128": {issuerKey: idpDSA}, "DS128 RS256": {issuerKey: idpDSA, userKey: userRSA},
	} {
		res, err := v.Verify(context.Background(), m.String(), rp)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := &assertion.Result{
			Email: "alice@idp.example", Audience: rp, Issuer: "idp.example", Expires: now.Add(2 * time.Minute),
		}
		if diff := cmp.Diff(want, res); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestAnswers(t *testing.T) {
	v := verifier(t, assertion.Config{TrustedIssuers: []string{"IDP.example"}})
	m := spec{
		cert: map[string]any{
			"big": json.Number("12345678901234567890"), "principal": map[string]any{"unverified-email": "bob@other.example"},
		},
		assertion: map[string]any{"note": "<&>", "aud": "HTTPS://rp.example:443/"},
	}
	res, err := v.Verify(context.Background(), m.String(), rp)
	if err != nil {
		t.Fatal(err)
	}
	const okay = `{"status":"okay","audience":"HTTPS://rp.example:443/","expires":1700000120000,"issuer":"idp.example",` +
		`"idpClaims":{"big":12345678901234567890,"unverified-email":"bob@other.example"},"userClaims":{"note":"\u003c\u0026\u003e"}}`
	checkJSON(t, res, okay)
	checkJSON(t, *res, okay)

	_, err = v.Verify(context.Background(), spec{}.String(), "https://other.example")
	checkJSON(t, assertion.Failure(err), `{"status":"failure","reason":"audience mismatch: domain mismatch"}`)

	_, err = verifier(t, assertion.Config{}).Verify(context.Background(), spec{email: "al@unknown.example"}.String(), rp)
	if f := assertion.Failure(err); f == nil || !f.Undecided || !errors.Is(err, assertion.ErrUndecided) {
		t.Errorf("an unknown domain: %+v, %v", f, err)
	}
	if f := assertion.Failure(errors.New("other")); f != nil {
		t.Errorf("not about an assertion: %+v", f)
	}
	if f := assertion.Failure(nil); f != nil {
		t.Errorf("nil: %+v", f)
	}
}

func checkJSON(t *testing.T, v any, want string) {
	t.Helper()
	got, err := json.Marshal(v)
	if err != nil || string(got) != want {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
}

// largeKey has the form of an RSA key of more than 4096 bits.
var largeKey = map[string]any{"algorithm": "RS", "n": strings.Repeat("9", 2400), "e": "65537"}

// TestLargeKey checks that the error for a key that is too large is not that for a
// malformed one.
func TestLargeKey(t *testing.T) {
	_, err := verifier(t, assertion.Config{}).Verify(context.Background(), spec{cert: map[string]any{"public-key": largeKey}}.String(), rp)
	var e *assertion.Error
	if !errors.As(err, &e) || !errors.Is(err, keys.ErrTooLarge) || !strings.Contains(e.Reason, "too large") || !strings.Contains(e.Expected, "4096") {
		t.Errorf("%+v", err)
	}
}

// reasons returns assertions that are rejected or malformed, the configuration, and
// the error that Verify must match.
func reasons() map[string]struct {
	a      string
	want   error
	config assertion.Config
} {
	type row = struct {
		a      string
		want   error
		config assertion.Config
	}
	good := spec{}.String()
	cert, token, _ := strings.Cut(good, "~")
	return map[string]row{
		"empty":             {a: "", want: assertion.ErrChain},
		"no certificate":    {a: token, want: assertion.ErrChain},
		"two certificates":  {a: cert + "~" + good, want: assertion.ErrChain},
		"trailing tilde":    {a: good + "~", want: assertion.ErrChain},
		"trailing newline":  {a: good + "\n", want: assertion.ErrMalformed},
		"leading space":     {a: " " + good, want: assertion.ErrMalformed},
		"nonsense":          {a: "a~b", want: assertion.ErrMalformed},
		"too large":         {a: good + strings.Repeat("A", assertion.MaxSize), want: assertion.ErrMalformed},
		"certificate twice": {a: cert + "~" + cert, want: assertion.ErrAlgorithm},
		"other user's":      {a: spec{signingKey: otherDSA}.String(), want: assertion.ErrSignature},
		"other algorithm":   {a: spec{signingKey: userRSA}.String(), want: assertion.ErrAlgorithm},
		"other issuer key":  {a: spec{issuerKey: otherDSA}.String(), want: assertion.ErrSignature},
		"unpublished kind":  {a: spec{issuerKey: otherDS256}.String(), want: assertion.ErrAlgorithm},
		"no key":            {a: spec{cert: map[string]any{"public-key": nil}}.String(), want: assertion.ErrKey},
		"weak key":          {a: spec{userKey: weakRSA}.String(), want: assertion.ErrWeakKey},
		"large key":         {a: spec{cert: map[string]any{"public-key": largeKey}}.String(), want: assertion.ErrKey},
		"no aud":            {a: spec{assertion: map[string]any{"aud": nil}}.String(), want: assertion.ErrMalformed},
		"other aud":         {a: spec{assertion: map[string]any{"aud": "https://evil.example"}}.String(), want: assertion.ErrAudience},
		"expired":           {a: spec{assertion: map[string]any{"exp": now.Add(-time.Minute).UnixMilli()}}.String(), want: assertion.ErrExpired},
		"expired certificate": {
			a: spec{cert: map[string]any{"exp": now.Add(-time.Minute).UnixMilli()}}.String(), want: assertion.ErrExpired},
		"from the future": {a: spec{assertion: map[string]any{"iat": now.Add(time.Minute).UnixMilli()}}.String(), want: assertion.ErrNotYetValid},
		"not yet":         {a: spec{cert: map[string]any{"nbf": now.Add(time.Minute).UnixMilli()}}.String(), want: assertion.ErrNotYetValid},
		"no email":        {a: spec{cert: map[string]any{"principal": nil}}.String(), want: assertion.ErrIssuer},
		"malformed email": {a: spec{email: "alice"}.String(), want: assertion.ErrIssuer},
		"malformed email, trusted": {
			a: spec{email: "alice"}.String(), want: assertion.ErrMalformed, config: assertion.Config{TrustedIssuers: []string{"idp.example"}}},
		"other issuer": {a: spec{issuer: "evil.example"}.String(), want: assertion.ErrIssuer},
		"expired, no leeway": {
			a:    spec{assertion: map[string]any{"exp": now.UnixMilli() - 1}}.String(),
			want: assertion.ErrExpired, config: assertion.Config{Leeway: -1}},
	}
}

func TestReasons(t *testing.T) {
	named := map[string]error{
		"chain": assertion.ErrChain, "algorithm": assertion.ErrAlgorithm, "key": assertion.ErrKey, "weak": assertion.ErrWeakKey,
		"signature": assertion.ErrSignature, "audience": assertion.ErrAudience, "expired": assertion.ErrExpired,
		"not yet": assertion.ErrNotYetValid, "lifetime": assertion.ErrLifetime, "issuer": assertion.ErrIssuer, "malformed": assertion.ErrMalformed,
		"unavailable": assertion.ErrUndecided, "misuse": assertion.ErrMisuse, "replayed": assertion.ErrReplayed,
	}
	for name, row := range reasons() {
		res, err := verifier(t, row.config).Verify(context.Background(), row.a, rp)
		if res != nil {
			t.Errorf("%s: a result", name)
		}
		for other, sentinel := range named {
			if errors.Is(err, sentinel) != (sentinel == row.want) {
				t.Errorf("%s: matches %s: %v (%v)", name, other, errors.Is(err, sentinel), err)
			}
		}
		rejected := row.want != assertion.ErrMalformed
		if errors.Is(err, assertion.ErrRejected) != rejected {
			t.Errorf("%s: rejected: %v", name, !rejected)
		}
		f := assertion.Failure(err)
		if text, _ := json.Marshal(f); !strings.HasPrefix(string(text), `{"status":"failure","reason":"`) {
			t.Errorf("%s: answer %s", name, text)
		}
		if f == nil || f.Reason != err.Error() || f.Undecided {
			t.Errorf("%s: answer %+v", name, f)
		}
	}
}

// TestErrorsKeepSecrets checks that no error, and nothing that it wraps, contains the
// token or the email address.
func TestErrorsKeepSecrets(t *testing.T) {
	for name, row := range reasons() {
		v := verifier(t, row.config)
		_, err := v.Verify(context.Background(), row.a, rp)
		shown := fmt.Sprintf("%v %+v %+v", err, err, assertion.Failure(err))
		var e *assertion.Error
		if errors.As(err, &e) {
			shown += e.Found + e.Expected + e.Advice
		}
		for _, step := range v.Explain(context.Background(), row.a, rp).Steps {
			shown += fmt.Sprintf("%v %+v", step.Facts, step.Err)
		}
		for _, part := range strings.FieldsFunc(row.a, func(r rune) bool { return r == '~' || r == '.' }) {
			if len(part) > 16 && strings.Contains(shown, part) {
				t.Errorf("%s: shows a part of the token", name)
			}
		}
		if strings.Contains(shown, "alice") {
			t.Errorf("%s: shows the email: %s", name, shown)
		}
	}
}

func TestSeveralAudiences(t *testing.T) {
	v := verifier(t, assertion.Config{})
	a := spec{}.String()
	if _, err := v.Verify(context.Background(), a, "https://other.example", "https://*.other.example", rp); err != nil {
		t.Error(err)
	}
	_, err := v.Verify(context.Background(), a, "http://rp.example", "https://rp.example:8443", "https://other.example")
	if f := assertion.Failure(err); f == nil || f.Reason != "audience mismatch: port mismatch" {
		t.Errorf("the closest mismatch is not the one told: %v", err)
	}
}

func TestLeeway(t *testing.T) {
	for _, c := range []struct {
		leeway time.Duration
		late   time.Duration
		okay   bool
	}{
		{0, 30 * time.Second, true}, {0, 30*time.Second + time.Millisecond, false},
		{-1, 0, true}, {-1, time.Millisecond, false},
		{5 * time.Minute, 5 * time.Minute, true}, {5 * time.Minute, 5*time.Minute + time.Millisecond, false},
	} {
		v := verifier(t, assertion.Config{Leeway: c.leeway})
		for name, m := range map[string]spec{
			"exp": {assertion: map[string]any{"exp": now.Add(-c.late).UnixMilli()}},
			"iat": {cert: map[string]any{"iat": now.Add(c.late).UnixMilli()}},
			"nbf": {assertion: map[string]any{"nbf": now.Add(c.late).UnixMilli()}},
		} {
			if _, err := v.Verify(context.Background(), m.String(), rp); (err == nil) != c.okay {
				t.Errorf("leeway %v, %s off by %v: %v", c.leeway, name, c.late, err)
			}
		}
	}
}

func TestChains(t *testing.T) {
	host := sign(map[string]any{
		"iss": "idp.example", "exp": now.Add(time.Hour).UnixMilli(), "public-key": userRSA.Public(), "principal": map[string]any{"host": "sub.example"},
	}, idpKey)
	user := spec{issuer: "sub.example", issuerKey: userRSA, email: "alice@idp.example"}.String()
	v := verifier(t, assertion.Config{MaxChain: 2})
	res, err := v.Verify(context.Background(), host+"~"+user, rp)
	if err != nil {
		t.Fatal(err)
	}
	if res.Issuer != "idp.example" || res.Email != "alice@idp.example" {
		t.Errorf("%+v", res)
	}
	_, err = verifier(t, assertion.Config{}).Verify(context.Background(), host+"~"+user, rp)
	if !errors.Is(err, assertion.ErrChain) || assertion.Failure(err).Reason != "certificate chaining is not yet allowed" {
		t.Errorf("chains not allowed: %v", err)
	}
	_, err = v.Verify(context.Background(), host+"~"+spec{issuer: "other.example", issuerKey: userRSA}.String(), rp)
	if !errors.Is(err, assertion.ErrChain) {
		t.Errorf("another host's: %v", err)
	}
}

// TestOfflineFirst checks that there is no lookup for an assertion that fails a check
// offline.
func TestOfflineFirst(t *testing.T) {
	online := []string{"other issuer key", "unpublished kind", "other issuer"}
	rows := reasons()
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		source := &recordingSource{KeySource: static(t, nil)}
		c := rows[name].config
		c.Keys = source
		_, err := verifier(t, c).Verify(context.Background(), rows[name].a, rp)
		if asked := len(source.asked) > 0; asked != slices.Contains(online, name) {
			t.Errorf("%s: asked %q (%v)", name, source.asked, err)
		}
	}
}

func TestContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(nil)
	v := verifier(t, assertion.Config{Keys: blockingSource{}})
	_, err := v.Verify(ctx, spec{}.String(), rp)
	if !errors.Is(err, assertion.ErrUndecided) || !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context: %v", err)
	}
}

// blockingSource is a KeySource that returns when the context ends.
type blockingSource struct{}

func (blockingSource) Authority(ctx context.Context, _, _ string) (*wellknown.Authority, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// FuzzVerify checks that Verify returns either a result or an error with an answer,
// that Explain agrees, and that only texts that were signed here are accepted: the
// valid seeds.
func FuzzVerify(f *testing.F) {
	seeds(f)
	v := verifier(f, assertion.Config{MaxChain: 2, InsecureWeakKeys: true})
	good := map[string]bool{}
	for _, m := range []spec{{}, {userKey: userRSA}, {issuerKey: idpDSA}} {
		good[m.String()] = true
	}
	for _, row := range reasons() {
		if _, err := v.Verify(context.Background(), row.a, rp); err == nil {
			good[row.a] = true // with the configuration of this verifier
		}
	}
	f.Fuzz(func(t *testing.T, a string) {
		res, err := v.Verify(context.Background(), a, rp)
		if (res == nil) != (err != nil) {
			t.Fatalf("%v with %v", res, err)
		}
		if err == nil && !good[a] {
			t.Fatalf("accepted %q", a)
		}
		if err != nil && assertion.Failure(err) == nil {
			t.Fatalf("no answer for %v", err)
		}
		e := v.Explain(context.Background(), a, rp)
		if (e.Err == nil) != (err == nil) {
			t.Fatalf("verified %v, explained %v", err, e.Err)
		}
	})
}
