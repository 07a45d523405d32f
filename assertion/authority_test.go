package assertion_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/wellknown"
)

// scripted is a source whose answers are written down by host; what is not is
// unsupported.
type scripted map[string]any

func (s scripted) Authority(_ context.Context, host, _ string) (*wellknown.Authority, error) {
	switch answer := s[host].(type) {
	case error:
		return nil, answer
	case *wellknown.Authority:
		return answer, nil
	}
	return nil, wellknown.ErrUnsupported
}

func authority(domain string, published ...keys.PublicKey) *wellknown.Authority {
	return &wellknown.Authority{Domain: domain, Keys: published, Authentication: "/a", Provisioning: "/p", Fetched: now}
}

func incomplete(domain string) error {
	a := authority(domain, idpKey.Public())
	a.Authentication, a.Provisioning = "", ""
	return &wellknown.IncompleteError{Authority: a}
}

// TestRows goes through the table of PROTOCOL §4: what the hosts answer, who
// issued the certificate, and what comes of it.
func TestRows(t *testing.T) {
	own := authority("idp.example", idpKey.Public())
	fallback := authority("fallback.example", idpKey.Public())
	refused := errors.New("refused by policy")
	outage := wellknown.ErrUnavailable
	for _, c := range []struct {
		name   string
		issuer string
		hosts  scripted
		config assertion.Config
		want   error
		reason string
	}{
		{"row 1: trusted", "t.example", scripted{"t.example": authority("t.example", idpKey.Public()), "idp.example": own},
			assertion.Config{TrustedIssuers: []string{"t.example"}}, nil, ""},
		{"row 1: trusted, delegating", "t.example", scripted{"t.example": authority("d.example", idpKey.Public())},
			assertion.Config{TrustedIssuers: []string{"t.example"}}, nil, ""},
		{"row 1: trusted, unsupported", "t.example", scripted{"idp.example": own, "fallback.example": fallback},
			assertion.Config{TrustedIssuers: []string{"t.example"}, Fallback: "fallback.example"}, assertion.ErrIssuer, ""},
		{"row 1: trusted, unavailable", "t.example", scripted{"t.example": outage},
			assertion.Config{TrustedIssuers: []string{"t.example"}}, assertion.ErrUndecided, ""},
		{"row 1: trusted, incomplete", "t.example", scripted{"t.example": incomplete("t.example")},
			assertion.Config{TrustedIssuers: []string{"t.example"}}, assertion.ErrIssuer, ""},
		{"row 2: itself", "idp.example", scripted{"idp.example": own}, assertion.Config{}, nil, ""},
		{"row 2: by delegation", "d.example", scripted{"idp.example": authority("d.example", idpKey.Public())}, assertion.Config{}, nil, ""},
		{"row 2: another", "evil.example", scripted{"idp.example": own, "evil.example": authority("evil.example", idpKey.Public())},
			assertion.Config{}, assertion.ErrIssuer, "untrusted issuer, expected 'idp.example', got 'evil.example'"},
		{"row 2: itself although it delegates", "idp.example", scripted{"idp.example": authority("d.example", idpKey.Public())},
			assertion.Config{}, assertion.ErrIssuer, "untrusted issuer, expected 'd.example', got 'idp.example'"},
		{"row 2: the fallback", "fallback.example", scripted{"idp.example": own, "fallback.example": fallback},
			assertion.Config{Fallback: "fallback.example"}, assertion.ErrIssuer, "untrusted issuer, expected 'idp.example', got 'fallback.example'"},
		{"row 2: no usable key", "idp.example", scripted{"idp.example": authority("idp.example"), "fallback.example": fallback},
			assertion.Config{Fallback: "fallback.example"}, assertion.ErrAlgorithm, "algorithms do not match"},
		{"row 3: no fallback", "idp.example", scripted{}, assertion.Config{}, assertion.ErrIssuer, ""},
		{"row 3: the fallback", "fallback.example", scripted{"fallback.example": fallback}, assertion.Config{Fallback: "Fallback.example"}, nil, ""},
		{"row 3: the fallback, incomplete", "fallback.example", scripted{"fallback.example": incomplete("fallback.example")},
			assertion.Config{Fallback: "fallback.example"}, nil, ""},
		{"row 3: itself, incomplete", "idp.example", scripted{"idp.example": incomplete("idp.example")}, assertion.Config{}, assertion.ErrIssuer, ""},
		{"row 3: not the fallback", "idp.example", scripted{"fallback.example": fallback},
			assertion.Config{Fallback: "fallback.example"}, assertion.ErrIssuer, "untrusted issuer, expected 'fallback.example', got 'idp.example'"},
		{"row 3: the fallback is unavailable", "fallback.example", scripted{"fallback.example": outage},
			assertion.Config{Fallback: "fallback.example"}, assertion.ErrUndecided, ""},
		{"row 3: the fallback is unsupported", "fallback.example", scripted{}, assertion.Config{Fallback: "fallback.example"}, assertion.ErrIssuer, ""},
		{"row 3: the fallback delegates", "fallback.example", scripted{"fallback.example": authority("d.example", idpKey.Public())},
			assertion.Config{Fallback: "fallback.example"}, assertion.ErrIssuer, ""},
		{"row 4: unavailable", "fallback.example", scripted{"idp.example": outage, "fallback.example": fallback},
			assertion.Config{Fallback: "fallback.example"}, assertion.ErrUndecided, ""},
		{"row 4: out of time", "fallback.example", scripted{"idp.example": context.DeadlineExceeded, "fallback.example": fallback},
			assertion.Config{Fallback: "fallback.example"}, assertion.ErrUndecided, ""},
		{"row 4: opted out", "fallback.example", scripted{"idp.example": outage, "fallback.example": fallback},
			assertion.Config{Fallback: "fallback.example", InsecureFallbackOnUnavailable: true}, nil, ""},
		{"row 4: opted out, not the fallback", "idp.example", scripted{"idp.example": outage},
			assertion.Config{Fallback: "fallback.example", InsecureFallbackOnUnavailable: true}, assertion.ErrIssuer,
			"untrusted issuer, expected 'fallback.example', got 'idp.example'"},
		{"row 5: refused", "fallback.example", scripted{"idp.example": refused, "fallback.example": fallback},
			assertion.Config{Fallback: "fallback.example"}, assertion.ErrIssuer, ""},
		{"row 5: refused, opted out of row 4", "fallback.example", scripted{"idp.example": refused, "fallback.example": fallback},
			assertion.Config{Fallback: "fallback.example", InsecureFallbackOnUnavailable: true}, assertion.ErrIssuer, ""},
		{"weak keys", "idp.example", scripted{"idp.example": &wellknown.Authority{Domain: "idp.example", WeakKeys: []keys.PublicKey{weakRSA.Public()}}},
			assertion.Config{}, assertion.ErrAlgorithm, "algorithms do not match"},
		{"weak keys, allowed", "idp.example", scripted{"idp.example": &wellknown.Authority{Domain: "idp.example", WeakKeys: []keys.PublicKey{idpKey.Public()}}},
			assertion.Config{InsecureWeakKeys: true}, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.config.Keys = c.hosts
			res, err := verifier(t, c.config).Verify(context.Background(), mint{issuer: c.issuer}.String(), rp)
			if !errors.Is(err, c.want) || (res == nil) != (c.want != nil) {
				t.Fatalf("%+v, %v; want %v", res, err, c.want)
			}
			if c.reason != "" && assertion.Failure(err).Reason != c.reason {
				t.Errorf("reason %q, want %q", err, c.reason)
			}
			if res != nil && res.Issuer != c.issuer {
				t.Errorf("issuer %q", res.Issuer)
			}
		})
	}
}

// rotating is a source that can ask again.
type rotating struct {
	held, fresh *wellknown.Authority
	err         error
	refreshed   int
}

func (r *rotating) Authority(context.Context, string, string) (*wellknown.Authority, error) {
	return r.held, nil
}

func (r *rotating) Refresh(context.Context, string, string) (*wellknown.Authority, error) {
	r.refreshed++
	return r.fresh, r.err
}

func TestRefresh(t *testing.T) {
	old := authority("idp.example", otherDSA.Public())
	renewed := authority("idp.example", idpKey.Public())
	renewed.Fetched = now.Add(time.Second)
	moved := authority("d.example", idpKey.Public())
	moved.Fetched = now.Add(time.Second)
	for _, c := range []struct {
		name      string
		source    rotating
		want      error
		refreshed int
	}{
		{"a key that fits", rotating{held: authority("idp.example", idpKey.Public())}, nil, 0},
		{"new keys", rotating{held: old, fresh: renewed}, nil, 1},
		{"nothing newer", rotating{held: old, fresh: old}, assertion.ErrAlgorithm, 1},
		{"newer, and no better", rotating{held: old, fresh: &wellknown.Authority{Domain: "idp.example", Fetched: now.Add(1)}}, assertion.ErrAlgorithm, 1},
		{"delegated away since", rotating{held: old, fresh: moved}, assertion.ErrIssuer, 1},
		{"unavailable now", rotating{held: old, err: wellknown.ErrUnavailable}, assertion.ErrUndecided, 1},
		{"given up since", rotating{held: old, err: wellknown.ErrUnsupported}, assertion.ErrIssuer, 1},
	} {
		_, err := verifier(t, assertion.Config{Keys: &c.source}).Verify(context.Background(), mint{}.String(), rp)
		if !errors.Is(err, c.want) || c.source.refreshed != c.refreshed {
			t.Errorf("%s: %v after %d refreshes; want %v after %d", c.name, err, c.source.refreshed, c.want, c.refreshed)
		}
	}
}

func TestTrustedWithoutEmail(t *testing.T) {
	source := &recorder{KeySource: static(t, nil)}
	v := verifier(t, assertion.Config{Keys: source, TrustedIssuers: []string{"idp.example"}})
	a := mint{cert: map[string]any{"principal": nil}}.String()
	res, err := v.Verify(context.Background(), a, rp)
	if err != nil {
		t.Fatal(err)
	}
	if res.Email != "" || len(source.asked) != 1 || source.asked[0] != "idp.example idp.example" {
		t.Errorf("%+v, asked %q", res, source.asked)
	}
	var members map[string]any
	data, _ := json.Marshal(res)
	if err := json.Unmarshal(data, &members); err != nil {
		t.Fatal(err)
	}
	if _, there := members["email"]; there {
		t.Errorf("an email in %s", data)
	}
}
