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
	for name, m := range map[string]mint{
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
	m := mint{
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

	_, err = v.Verify(context.Background(), mint{}.String(), "https://other.example")
	checkJSON(t, assertion.Failure(err), `{"status":"failure","reason":"audience mismatch: domain mismatch"}`)

	_, err = verifier(t, assertion.Config{}).Verify(context.Background(), mint{email: "al@unknown.example"}.String(), rp)
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

// largeKey is an RSA key of more than 4096 bits, and no real one.
var largeKey = map[string]any{"algorithm": "RS", "n": strings.Repeat("9", 2400), "e": "65537"}

// TestLargeKey checks that the reason and the advice for a key that is too large
// are not those of a malformed one.
func TestLargeKey(t *testing.T) {
	_, err := verifier(t, assertion.Config{}).Verify(context.Background(), mint{cert: map[string]any{"public-key": largeKey}}.String(), rp)
	var e *assertion.Error
	if !errors.As(err, &e) || !errors.Is(err, keys.ErrTooLarge) || !strings.Contains(e.Reason, "too large") || !strings.Contains(e.Expected, "4096") {
		t.Errorf("%+v", err)
	}
}

// reasons are rejections: what is presented, under which configuration, and
// the class of error that must come of it.
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
	good := mint{}.String()
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
		"other user's":      {a: mint{signingKey: otherDSA}.String(), want: assertion.ErrSignature},
		"other algorithm":   {a: mint{signingKey: userRSA}.String(), want: assertion.ErrAlgorithm},
		"other issuer key":  {a: mint{issuerKey: otherDSA}.String(), want: assertion.ErrSignature},
		"unpublished kind":  {a: mint{issuerKey: otherDS256}.String(), want: assertion.ErrAlgorithm},
		"no key":            {a: mint{cert: map[string]any{"public-key": nil}}.String(), want: assertion.ErrKey},
		"weak key":          {a: mint{userKey: weakRSA}.String(), want: assertion.ErrWeakKey},
		"large key":         {a: mint{cert: map[string]any{"public-key": largeKey}}.String(), want: assertion.ErrKey},
		"no aud":            {a: mint{assertion: map[string]any{"aud": nil}}.String(), want: assertion.ErrMalformed},
		"other aud":         {a: mint{assertion: map[string]any{"aud": "https://evil.example"}}.String(), want: assertion.ErrAudience},
		"expired":           {a: mint{assertion: map[string]any{"exp": now.Add(-time.Minute).UnixMilli()}}.String(), want: assertion.ErrExpired},
		"expired certificate": {
			a: mint{cert: map[string]any{"exp": now.Add(-time.Minute).UnixMilli()}}.String(), want: assertion.ErrExpired},
		"from the future": {a: mint{assertion: map[string]any{"iat": now.Add(time.Minute).UnixMilli()}}.String(), want: assertion.ErrNotYetValid},
		"not yet":         {a: mint{cert: map[string]any{"nbf": now.Add(time.Minute).UnixMilli()}}.String(), want: assertion.ErrNotYetValid},
		"no email":        {a: mint{cert: map[string]any{"principal": nil}}.String(), want: assertion.ErrIssuer},
		"malformed email": {a: mint{email: "alice"}.String(), want: assertion.ErrIssuer},
		"malformed email, trusted": {
			a: mint{email: "alice"}.String(), want: assertion.ErrMalformed, config: assertion.Config{TrustedIssuers: []string{"idp.example"}}},
		"other issuer": {a: mint{issuer: "evil.example"}.String(), want: assertion.ErrIssuer},
		"expired, no leeway": {
			a:    mint{assertion: map[string]any{"exp": now.UnixMilli() - 1}}.String(),
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

// TestErrorsKeepSecrets holds that no error, nor anything it wraps, shows the
// token or the email.
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
	a := mint{}.String()
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
		for name, m := range map[string]mint{
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
	user := mint{issuer: "sub.example", issuerKey: userRSA, email: "alice@idp.example"}.String()
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
	_, err = v.Verify(context.Background(), host+"~"+mint{issuer: "other.example", issuerKey: userRSA}.String(), rp)
	if !errors.Is(err, assertion.ErrChain) {
		t.Errorf("another host's: %v", err)
	}
}

func TestNewVerifierRefuses(t *testing.T) {
	for name, c := range map[string]assertion.Config{
		"trusted issuer":   {TrustedIssuers: []string{"https://idp.example"}},
		"fallback":         {Fallback: "idp.example/"},
		"leeway":           {Leeway: 5*time.Minute + 1},
		"chain negative":   {MaxChain: -1},
		"chain endless":    {MaxChain: assertion.MaxChainLimit + 1},
		"fallback on what": {InsecureFallbackOnUnavailable: true},

		"life without guard":    {MaxLife: time.Minute},
		"no limit of no guard":  {MaxLife: -1},
		"life beyond the store": {MaxLife: 24 * time.Hour, OneUse: assertion.NewMemoryOneUse(1, clock)},
		"life and leeway beyond the store": {
			MaxLife: 24*time.Hour - time.Minute + time.Millisecond, OneUse: assertion.NewMemoryOneUse(1, clock),
		},
		"store shorter than the leeway": {OneUse: lifetimes(time.Minute)},
	} {
		if v, err := assertion.NewVerifier(c); !errors.Is(err, assertion.ErrMisuse) || v != nil {
			t.Errorf("%s: %v, %v", name, v, err)
		}
	}
}

func TestMisuse(t *testing.T) {
	var none *assertion.Verifier
	for name, v := range map[string]*assertion.Verifier{"nil": none, "zero": new(assertion.Verifier)} {
		if res, err := v.Verify(context.Background(), mint{}.String(), rp); !errors.Is(err, assertion.ErrMisuse) || res != nil {
			t.Errorf("%s: %v, %v", name, res, err)
		}
		if e := v.Explain(context.Background(), mint{}.String(), rp); !errors.Is(e.Err, assertion.ErrMisuse) {
			t.Errorf("%s: explains %v", name, e.Err)
		}
	}
	//lint:ignore SA1012 a nil context is what is tested
	if _, err := verifier(t, assertion.Config{}).Verify(nil, mint{}.String(), rp); !errors.Is(err, assertion.ErrMisuse) {
		t.Errorf("a nil context: %v", err)
	}
	if _, err := verifier(t, assertion.Config{}).Verify(context.Background(), mint{}.String()); !errors.Is(err, assertion.ErrMisuse) {
		t.Errorf("no audience: %v", err)
	}
	if _, err := assertion.Verify(context.Background(), mint{}.String()); !errors.Is(err, assertion.ErrMisuse) {
		t.Errorf("no audience, default verifier: %v", err)
	}
}

func TestWithTrustedIssuers(t *testing.T) {
	source := &recorder{KeySource: static(t, map[string]json.RawMessage{"other.example": document(idpKey.Public())})}
	v := verifier(t, assertion.Config{Keys: source})
	a := mint{issuer: "other.example"}.String()
	if _, err := v.Verify(context.Background(), a, rp); !errors.Is(err, assertion.ErrIssuer) {
		t.Errorf("untrusted: %v", err)
	}
	trusting, err := v.WithTrustedIssuers("OTHER.example")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := trusting.Verify(context.Background(), a, rp); err != nil {
		t.Errorf("trusted: %v", err)
	}
	if want := []string{"idp.example idp.example", "other.example idp.example"}; !slices.Equal(source.asked, want) {
		t.Errorf("asked %q, want %q", source.asked, want)
	}
	distrusting, err := trusting.WithTrustedIssuers()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := distrusting.Verify(context.Background(), a, rp); !errors.Is(err, assertion.ErrIssuer) {
		t.Errorf("trusted no more: %v", err)
	}
	if _, err := v.Verify(context.Background(), a, rp); !errors.Is(err, assertion.ErrIssuer) {
		t.Errorf("the first verifier changed: %v", err)
	}
	if v, err := v.WithTrustedIssuers("other.example", "not a domain"); !errors.Is(err, assertion.ErrMisuse) || v != nil {
		t.Errorf("a malformed name: %v, %v", v, err)
	}
	if _, err := (*assertion.Verifier)(nil).WithTrustedIssuers(); !errors.Is(err, assertion.ErrMisuse) {
		t.Errorf("a nil verifier: %v", err)
	}
}

// recorder is a source that notes what it is asked.
type recorder struct {
	assertion.KeySource
	asked []string
}

func (r *recorder) Authority(ctx context.Context, host, emailDomain string) (*wellknown.Authority, error) {
	r.asked = append(r.asked, host+" "+emailDomain)
	return r.KeySource.Authority(ctx, host, emailDomain)
}

// TestOfflineFirst holds that nothing is looked up for what is not consistent
// in itself.
func TestOfflineFirst(t *testing.T) {
	online := []string{"other issuer key", "unpublished kind", "other issuer"}
	rows := reasons()
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		source := &recorder{KeySource: static(t, nil)}
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
	v := verifier(t, assertion.Config{Keys: waiting{}})
	_, err := v.Verify(ctx, mint{}.String(), rp)
	if !errors.Is(err, assertion.ErrUndecided) || !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context: %v", err)
	}
}

// waiting is a source that answers when the context ends.
type waiting struct{}

func (waiting) Authority(ctx context.Context, _, _ string) (*wellknown.Authority, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestOneUse(t *testing.T) {
	store := assertion.NewMemoryOneUse(10, clock)
	v := verifier(t, assertion.Config{OneUse: store, Leeway: -1})
	a := mint{}.String()
	bad := mint{issuerKey: otherRSA}.String()
	if e := v.Explain(context.Background(), a, rp); e.Err != nil {
		t.Errorf("explained: %v", e.Err)
	}
	if _, err := v.Verify(context.Background(), bad, rp); !errors.Is(err, assertion.ErrSignature) {
		t.Errorf("a forged certificate: %v", err)
	}
	if _, err := v.Verify(context.Background(), a, rp); err != nil {
		t.Errorf("first use, after what must not count: %v", err)
	}
	if res, err := v.Verify(context.Background(), a, rp); !errors.Is(err, assertion.ErrReplayed) || res != nil {
		t.Errorf("second use: %v", err)
	}
	// The same assertion behind another certificate of the same key.
	_, token, _ := strings.Cut(a, "~")
	cert, _, _ := strings.Cut(mint{cert: map[string]any{"x": 1}}.String(), "~")
	if _, err := v.Verify(context.Background(), cert+"~"+token, rp); !errors.Is(err, assertion.ErrReplayed) {
		t.Errorf("another certificate: %v", err)
	}
	// An equal assertion of another user is another assertion.
	if _, err := v.Verify(context.Background(), mint{userKey: otherDSA}.String(), rp); err != nil {
		t.Errorf("another user: %v", err)
	}
}

func TestOneUseUnavailable(t *testing.T) {
	v := verifier(t, assertion.Config{OneUse: assertion.NewMemoryOneUse(0, clock)})
	res, err := v.Verify(context.Background(), mint{}.String(), rp)
	if res != nil || !errors.Is(err, assertion.ErrUndecided) || !errors.Is(err, assertion.ErrFull) {
		t.Errorf("a full store: %v, %v", res, err)
	}
}
