package evptest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/evp/evptest"
)

// steps verifies tokens with one verifier, and with a guard.
type steps struct {
	*testing.T
	world    *evptest.World
	verifier *evp.Verifier
}

func newSteps(t *testing.T, world *evptest.World) steps {
	c := world.Config(origin)
	c.OneUse = assertion.NewMemoryOneUse(100, world.Now)
	v, err := evp.NewVerifier(c)
	if err != nil {
		t.Fatal(err)
	}
	return steps{t, world, v}
}

// want checks the error for a token.
func (s steps) want(step, token string, want error) {
	s.Helper()
	_, err := s.verifier.Verify(s.Context(), token, evp.Expected{Nonce: nonce})
	if (err == nil) != (want == nil) || !errors.Is(err, want) {
		s.Errorf("%s: %v, want %v", step, err, want)
	}
}

// TestAlgorithms checks each issuer with each holder and each kind of kid.
func TestAlgorithms(t *testing.T) {
	for _, issuer := range algorithms {
		for _, holder := range algorithms {
			for _, kid := range []any{nil, "", "k1"} {
				request := request
				request.Holder = evptest.TestKey(holder + "-2")
				world := evptest.New(evptest.Default(evptest.TestKey(issuer).WithID(kid))).At(now)
				if _, err := verify(t, world, evp.Default, world.Token(request)); err != nil {
					t.Errorf("%s, %s, %v: %v", issuer, holder, kid, err)
				}
			}
		}
	}
}

func TestGmail(t *testing.T) {
	world := evptest.New(evptest.Gmail()).At(now)
	token := world.Token(evptest.Request{Email: "Bob@gmail.example", Origin: origin, Nonce: nonce})
	for profile, want := range map[evp.Profile]error{evp.Default: nil, evp.Draft02: assertion.ErrAlgorithm} {
		c := world.Config(origin)
		c.Profile = profile
		v, err := evp.NewVerifier(c)
		if err != nil {
			t.Fatal(err)
		}
		_, err = v.Verify(t.Context(), token, evp.Expected{Nonce: nonce, Email: email})
		if profile == evp.Default {
			_, err = v.Verify(t.Context(), token, evp.Expected{Nonce: nonce, Email: "bob@gmail.example"})
		}
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", profile, err, want)
		}
	}
}

func TestPrivate(t *testing.T) {
	request := request
	request.Private = true
	world := evptest.New().At(now)
	result, err := verify(t, world, evp.Default, world.Token(request))
	if err != nil || !result.Private {
		t.Errorf("%v, %v", result, err)
	}
}

// TestRotation checks that a verifier fetches new keys once they are used.
func TestRotation(t *testing.T) {
	s := newSteps(t, evptest.New().At(now))
	s.want("before", s.world.Token(request), nil)
	old := s.world.Token(request, evptest.ClaimsOthers)
	s.world.Rotate(s.world.Issuer(), evptest.TestKey("ES256").WithID("k2"))
	s.want("old key, cached", old, nil)
	s.world.Advance(2 * time.Minute)
	s.want("new key", s.world.Token(request), nil)
}

// TestRefreshFails checks that a token of a new key is undecided while the new keys cannot
// be fetched.
func TestRefreshFails(t *testing.T) {
	s := newSteps(t, evptest.New().At(now))
	s.want("old key", s.world.Token(request), nil)
	s.world.Rotate(s.world.Issuer(), evptest.TestKey("ES256").WithID("k2"))
	s.world.Set(evptest.KeysError503)
	s.world.Advance(2 * time.Minute)
	token := s.world.Token(request)
	s.want("new key, down", token, assertion.ErrUndecided)
	s.world.Restore()
	s.world.Advance(time.Minute)
	s.want("new key, up", token, nil)
}

// TestOutage checks that a token which could not be verified is verified later.
func TestOutage(t *testing.T) {
	s := newSteps(t, evptest.New().At(now))
	s.world.SetTXT(evptest.DefaultDomain, evptest.ServFail(), evptest.Records("iss="+evptest.DefaultHost))
	token := s.world.Token(request)
	s.want("DNS down", token, assertion.ErrUndecided)
	s.world.Set(evptest.KeysTimeout)
	s.world.Advance(time.Minute)
	s.want("hosts down", token, assertion.ErrUndecided)
	s.world.Restore()
	s.world.Advance(time.Minute)
	s.want("up", token, nil)
}

// TestRecordChanges checks that a changed record counts once the old one has expired.
func TestRecordChanges(t *testing.T) {
	s := newSteps(t, evptest.New().At(now))
	s.world.Set(evptest.RecordChanges)
	s.want("first", s.world.Token(request), nil)
	s.world.Advance(10 * time.Minute)
	s.want("later", s.world.Token(request), assertion.ErrIssuer)
}

func TestOneUse(t *testing.T) {
	s := newSteps(t, evptest.New().At(now))
	request := request
	request.Holder = evptest.TestKey("ES256-2")
	s.want("first", s.world.Token(request), nil)
	s.want("again", s.world.Token(request), assertion.ErrReplayed)
	s.want("other signature", s.world.Token(request, evptest.Malleated), assertion.ErrReplayed)
	other := request
	other.Email = "bob@mail.example"
	s.want("other token", s.world.Token(other), nil)
}

// TestPair checks that any part of a token can be changed.
func TestPair(t *testing.T) {
	world := evptest.New().At(now)
	pair := world.Pair(request).EditKB(func(j evptest.JWS) evptest.JWS { return j.Without("aud") })
	if _, err := verify(t, world, evp.Default, pair.String()); !errors.Is(err, assertion.ErrAudience) {
		t.Error(err)
	}
	pair = world.Pair(request).SignedBy(evptest.TestKey("ES256").WithID("k1"))
	if _, err := verify(t, world, evp.Default, pair.String()); !errors.Is(err, assertion.ErrSignature) {
		t.Error(err)
	}
	if _, err := (evptest.Pair{EVT: evptest.JWS{Claims: make(chan int)}}).Encode(); err == nil {
		t.Error("no error for claims that are not JSON")
	}
}
