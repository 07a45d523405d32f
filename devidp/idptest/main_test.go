package idptest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/wellknown"
)

const (
	audience = "https://rp.example"
	email    = "alice@idp.example"
)

// now is the time at which every assertion of these tests is verified.
var now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// answer is the outcome of a verification (PROTOCOL §6).
type answer string

const (
	okay      answer = "okay"
	failure   answer = "failure"
	undecided answer = "undecided"
)

// outcome returns the answer, and checks that the result and the error fit each other.
func outcome(t testing.TB, r *assertion.Result, err error) answer {
	t.Helper()
	switch f := assertion.Failure(err); {
	case (r == nil) == (err == nil):
		t.Fatalf("result %v with error %v", r, err)
	case err == nil:
		return okay
	case f == nil:
		t.Fatalf("not an error of Verify: %v", err)
	case f.Undecided:
		return undecided
	}
	return failure
}

func verify(t testing.TB, c assertion.Config, text string) (*assertion.Result, error) {
	t.Helper()
	c.Now = func() time.Time { return now }
	c.Leeway = -1
	v, err := assertion.NewVerifier(c)
	if err != nil {
		t.Fatal(err)
	}
	return v.Verify(context.Background(), text, audience)
}

// static returns the keys of identity providers, without a network.
func static(t testing.TB, idps ...*idptest.IdP) *wellknown.Static {
	t.Helper()
	documents := idptest.Object{}
	for _, p := range idps {
		documents = documents.With(p.Domain, p.Document())
	}
	s, err := wellknown.ParseStatic(documents.JSON())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newServer(t testing.TB, idps ...*idptest.IdP) *idptest.Server {
	s := idptest.NewServer(idps...)
	t.Cleanup(s.Close)
	return s
}

func wantClass(t testing.TB, err, class error) {
	t.Helper()
	if !errors.Is(err, class) {
		t.Errorf("%v, want %v", err, class)
	}
}

func newResolver(t testing.TB, c wellknown.Config) *wellknown.Resolver {
	t.Helper()
	r, err := wellknown.NewResolver(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
