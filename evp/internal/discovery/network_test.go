package discovery_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/vepverify/vepverify/evp/internal/discovery"
	"github.com/vepverify/vepverify/internal/hosttest"
)

const metadataPath = "/.well-known/email-verification"

// TestNetwork checks a lookup with a key set on the issuer's host, and with one on another.
func TestNetwork(t *testing.T) {
	for name, location := range map[string]string{"same host": jwksURL, "another host": "https://keys.other.example/a?b=c"} {
		n, s, other := newInternet(t), newSite(), newSite()
		s.set(metadataPath, answer{body: metadata(location), media: "application/json; charset=utf-8"})
		other.set("/a?b=c", answer{body: keySet(ed25519Key, p256Key, "{}"), media: "application/jwk-set+json"})
		s.set("/jwks", answer{body: keySet(ed25519Key, p256Key, "{}"), media: "Application/JWK-Set+JSON"})
		n.Serve(issuer, s.ServeHTTP)
		n.Serve("keys.other.example", other.ServeHTTP)
		source := open(t, n.config())
		for range 3 {
			host, err := source.Issuer(t.Context(), mail)
			if err != nil || host != issuer {
				t.Fatalf("%s: %q, %v", name, host, err)
			}
			keys, err := source.Keys(t.Context(), issuer, mail, false)
			if err != nil || len(keys.Keys) != 2 || keys.Skipped != 1 || !keys.HasIssuer || time.Since(keys.Fetched) > time.Minute {
				t.Fatalf("%s: %+v, %v", name, keys, err)
			}
			keys.MarkVerified()
		}
		if n.lookups.Load() != 1 || s.count(metadataPath) != 1 || s.count("/jwks")+other.count("/a?b=c") != 1 {
			t.Errorf("%s: %d lookups, %v, %v", name, n.lookups.Load(), s.requests, other.requests)
		}
	}
}

// TestNotHosts checks that names that are not hosts cause no request.
func TestNotHosts(t *testing.T) {
	n := newInternet(t)
	source := open(t, n.config())
	for _, name := range []string{"", "localhost", "127.0.0.1", "Mail.example", "mail.example.", "mail.example:443", "a b.example", "[::1]", "mail.example/x", "u@mail.example"} {
		_, err := source.Issuer(t.Context(), name)
		checkError(t, name, err, discovery.Refused, "8.no-issuer")
		_, err = source.Keys(t.Context(), name, mail, false)
		checkError(t, name, err, discovery.Refused, "9.guard")
	}
	if n.lookups.Load() != 0 {
		t.Errorf("%d lookups", n.lookups.Load())
	}
}

// TestTXTLife checks how long the results of TXT lookups are used, and that none is used
// after it has expired.
func TestTXTLife(t *testing.T) {
	fails := errors.New("marker")
	for name, c := range map[string]struct {
		err     error
		records []string
		life    time.Duration
	}{
		"record":      {nil, []string{record}, 5 * time.Minute},
		"no record":   {nil, nil, time.Minute},
		"two records": {nil, []string{record, record}, time.Minute},
		"failure":     {fails, nil, 5 * time.Second},
	} {
		n, now := newInternet(t), newClock()
		config := n.config()
		config.Now = now.now
		source := open(t, config)
		n.setTXT(c.err, c.records...)
		_, first := source.Issuer(t.Context(), mail)
		now.advance(c.life * 7 / 10) // before it is renewed
		_, second := source.Issuer(t.Context(), mail)
		if n.lookups.Load() != 1 || (first == nil) != (second == nil) {
			t.Errorf("%s: %d lookups; %v, then %v", name, n.lookups.Load(), first, second)
		}
		now.advance(2 * c.life)
		n.setTXT(fails)
		_, err := source.Issuer(t.Context(), mail)
		checkError(t, name+", expired", err, discovery.Unavailable, "8.unavailable")
	}
}

// TestLife checks that documents are used for the shorter time that their headers say, from
// a minute to a day.
func TestLife(t *testing.T) {
	for name, c := range map[string]struct {
		metadata, keys string
		life           time.Duration
	}{
		"no headers":       {"", "", time.Hour},
		"metadata shorter": {"max-age=600", "max-age=900", 10 * time.Minute},
		"keys shorter":     {"max-age=900", "max-age=600", 10 * time.Minute},
		"keys longer":      {"", "max-age=86400", time.Hour},
		"too short":        {"max-age=86400", "no-store", time.Minute},
		"too long":         {"max-age=999999999", "max-age=999999", 24 * time.Hour},
	} {
		s := newSite()
		s.set(metadataPath, answer{body: metadata(jwksURL), cache: c.metadata})
		s.set("/jwks", answer{body: keySet(ed25519Key), cache: c.keys})
		config, now := clocked(s)
		source := open(t, config)
		for range 2 {
			if _, err := source.Keys(t.Context(), issuer, mail, false); err != nil {
				t.Fatal(err)
			}
			now.advance(c.life * 7 / 10)
		}
		if s.count("/jwks") != 1 {
			t.Errorf("%s: %d fetches", name, s.count("/jwks"))
		}
		if _, err := source.Keys(t.Context(), issuer, mail, false); err != nil || s.count("/jwks") != 2 || s.count(metadataPath) != 2 {
			t.Errorf("%s: %v after expiry, %v", name, err, s.requests)
		}
	}
}

// TestStale checks that documents count after they have expired until the issuer itself
// answers otherwise.
func TestStale(t *testing.T) {
	s := newSite()
	config, now := clocked(s)
	source := open(t, config)
	expect := func(what string, want int) {
		t.Helper()
		keys, err := source.Keys(t.Context(), issuer, mail, false)
		if want < 0 {
			checkError(t, what, err, discovery.Refused, "9.refused")
		} else if err != nil || len(keys.Keys) != want {
			t.Errorf("%s: %+v, %v", what, keys, err)
		}
		now.advance(2 * time.Hour)
	}
	expect("fetched", 1)
	s.set("/jwks", answer{status: 503})
	expect("key set down", 1)
	s.set(metadataPath, answer{status: 503})
	expect("metadata down", 1)
	s.set(metadataPath, answer{body: metadata(jwksURL)})
	s.set("/jwks", answer{body: keySet(ed25519Key, p256Key)})
	expect("back with other keys", 2)
	s.set("/jwks", answer{status: 404})
	expect("withdrawn", -1)
	s.set("/jwks", answer{status: 503})
	_, err := source.Keys(t.Context(), issuer, mail, false)
	checkError(t, "down after it was withdrawn", err, discovery.Unavailable, "9.unavailable")
}

// TestRefresh checks that a refresh returns keys that are at most a minute old, or that
// they are not known.
func TestRefresh(t *testing.T) {
	s := newSite()
	config, now := clocked(s)
	source := open(t, config)
	refresh := func(fetches int) error {
		t.Helper()
		keys, err := source.Keys(t.Context(), issuer, mail, true)
		if s.count(metadataPath) != fetches || err == nil && now.now().Sub(keys.Fetched) > time.Minute {
			t.Errorf("%d fetches, want %d; %v", s.count(metadataPath), fetches, err)
		}
		return err
	}
	for range 100 {
		if err := refresh(1); err != nil {
			t.Error(err)
		}
	}
	now.advance(time.Minute)
	if err := refresh(1); err != nil {
		t.Error(err)
	}
	now.advance(time.Second)
	if err := refresh(2); err != nil {
		t.Error(err)
	}
	now.advance(2 * time.Minute)
	s.set("/jwks", answer{status: 503})
	for range 100 {
		checkError(t, "refresh of a host that is down", refresh(3), discovery.Unavailable, "10.refresh")
	}
	if keys, err := source.Keys(t.Context(), issuer, mail, false); err != nil || len(keys.Keys) != 1 {
		t.Errorf("without refresh: %+v, %v", keys, err)
	}
}

// TestContext checks that a lookup ends with its caller's context.
func TestContext(t *testing.T) {
	n := newInternet(t)
	n.raw(issuer, hosttest.WaitForClose)
	config := n.config()
	config.Timeout = 2 * time.Second
	config.Resolver = txtFunc(func(ctx context.Context, _ string) ([]string, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	source := open(t, config)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := source.Issuer(ctx, mail)
	if e := checkError(t, "TXT", err, discovery.Unavailable, "8.unavailable"); !errors.Is(e, context.DeadlineExceeded) {
		t.Errorf("TXT: %v", e.Cause)
	}
	_, err = source.Keys(ctx, issuer, mail, false)
	if e := checkError(t, "keys", err, discovery.Unavailable, "9.unavailable"); !errors.Is(e, context.DeadlineExceeded) {
		t.Errorf("keys: %v", e.Cause)
	}
	_, err = source.Issuer(t.Context(), mail)
	if e := checkError(t, "TXT, timeout", err, discovery.Unavailable, "8.unavailable"); !errors.Is(e, context.DeadlineExceeded) {
		t.Errorf("TXT: %v", e.Cause)
	}
}
