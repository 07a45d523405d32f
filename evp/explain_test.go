package evp_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/evp/internal/jose"
)

// TestExplainVectors checks that Explain and Verify agree, that steps after a failure are
// skipped, and that facts contain neither address, nor nonce, nor token.
func TestExplainVectors(t *testing.T) {
	for _, c := range cases(t) {
		v, err := evp.NewVerifier(c.Config())
		if err != nil {
			t.Fatal(err)
		}
		want := evp.Expected{Nonce: c.Nonce, Email: c.Email}
		res, err := v.Verify(t.Context(), c.Token, want)
		e := v.Explain(t.Context(), c.Token, want)
		if !reflect.DeepEqual(e.Result, res) || fmt.Sprint(e.Err) != fmt.Sprint(err) {
			t.Errorf("%s: %v, Verify %v", c.Name, e.Err, err)
		}
		checkSteps(t, c.Name, e)
		checkFacts(t, c.Name, e, c.Token, c.Nonce)
	}
}

func checkSteps(t *testing.T, name string, e *evp.Explanation) {
	t.Helper()
	failed := slices.IndexFunc(e.Steps, func(s assertion.StepReport) bool { return s.Err != nil })
	for i, s := range e.Steps {
		want := assertion.StepPassed
		switch {
		case i == failed:
			want = assertion.StepFailed
		case failed >= 0 && i > failed, i == len(e.Steps)-1: // the last is one use
			want = assertion.StepSkipped
		}
		if s.Outcome != want || (s.Outcome == assertion.StepSkipped) != (s.Took == 0 && s.Facts == nil) && s.Outcome == assertion.StepSkipped {
			t.Errorf("%s: step %s is %s, want %s", name, s.Name, s.Outcome, want)
		}
	}
	if (failed >= 0) != (e.Err != nil) || failed >= 0 && !errors.Is(e.Steps[failed].Err, e.Err) {
		t.Errorf("%s: step %d failed, %v", name, failed, e.Err)
	}
}

func checkFacts(t *testing.T, name string, e *evp.Explanation, token, nonce string) {
	t.Helper()
	parsed, err := evp.Parse(token)
	if err != nil {
		return
	}
	for _, s := range e.Steps {
		for _, f := range s.Facts {
			for _, secret := range append(strings.FieldsFunc(token, func(r rune) bool { return r == '.' || r == '~' }), parsed.Email, nonce) {
				if len(secret) > 5 && strings.Contains(f.Value, secret) {
					t.Errorf("%s: fact %s contains a secret", name, f.Name)
				}
			}
		}
	}
}

// TestVectorsOfflineFirst checks that a token that breaks a rule before DNS causes no
// lookup, and that the errors of all vectors contain no secret.
func TestVectorsOfflineFirst(t *testing.T) {
	for _, c := range cases(t) {
		config := c.Config()
		v, err := evp.NewVerifier(config)
		if err != nil {
			t.Fatal(err)
		}
		_, err = v.Verify(t.Context(), c.Token, evp.Expected{Nonce: c.Nonce, Email: c.Email})
		var e *evp.Error
		if !errors.As(err, &e) {
			continue
		}
		checkSilent(t, e, c.Token)
		s := sourceOf()
		v, err = evp.NewVerifier(config)
		if err != nil {
			t.Fatal(err)
		}
		if _, again := v.WithSource(s).Verify(t.Context(), c.Token, evp.Expected{Nonce: c.Nonce, Email: c.Email}); again == nil {
			t.Errorf("%s: okay without keys", c.Name)
		}
		offline := !strings.HasPrefix(e.Rule, "8.") && !strings.HasPrefix(e.Rule, "9.") && !strings.HasPrefix(e.Rule, "10.")
		if offline && len(s.calls) > 0 {
			t.Errorf("%s, rule %s: looked up %q", c.Name, e.Rule, s.calls)
		}
	}
}

func TestExplain(t *testing.T) {
	m := newMint(t, jose.Ed25519, jose.RS256)
	m.evt["is_private_email"] = true
	e := verifier(t, config(), sourceOf(m.issuer.Public())).Explain(t.Context(), m.token(t), expected)
	if e.Err != nil {
		t.Fatal(e.Err)
	}
	facts := map[string]string{}
	for _, s := range e.Steps {
		for _, f := range s.Facts {
			facts[f.Name] = f.Value
		}
	}
	for name, want := range map[string]string{
		"profile": "default", "email domain": mailDomain, "issuer": host, "private address": "yes",
		"browser's key": "RS256 of 2048 bits", "submitted": "the same", "keys tried": "1 of 1",
		"key published": `Ed25519 of 256 bits, kid "k1"`,
	} {
		if facts[name] != want {
			t.Errorf("%s: got %q, want %q", name, facts[name], want)
		}
	}
}

// TestExplainUnreadTimes checks that a half whose times cannot be read has none in the report.
func TestExplainUnreadTimes(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*mint)
		rule   string
	}{
		"no iat": {func(m *mint) { delete(m.kb, "iat") }, "3.iat"},
		"exp":    {func(m *mint) { m.kb["exp"] = "x" }, "3.exp-nbf"},
		"nbf":    {func(m *mint) { m.kb["nbf"] = 1.5 }, "3.exp-nbf"},
	} {
		m := newMint(t, jose.Ed25519, jose.Ed25519)
		test.change(m)
		e := verifier(t, config(), sourceOf(m.issuer.Public())).Explain(t.Context(), m.token(t), expected)
		wantError(t, e.Err, evp.ErrClaims, test.rule)
		var names []string
		for _, s := range e.Steps {
			if s.Name == "times" {
				for _, f := range s.Facts {
					names = append(names, f.Name)
				}
			}
		}
		if want := []string{"now", "the issuer's half"}; !slices.Equal(names, want) {
			t.Errorf("%s: facts %q, want %q", name, names, want)
		}
	}
}
