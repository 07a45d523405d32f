package wellknown_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/wellknown"
)

// TestUnmade checks that nil pointers and a zero Resolver return errors that name the cause.
func TestUnmade(t *testing.T) {
	calls := make(map[string]error)
	for name, r := range map[string]*wellknown.Resolver{"nil": nil, "zero": new(wellknown.Resolver)} {
		_, calls[name+" Authority"] = r.Authority(t.Context(), host, host)
		_, calls[name+" AuthorityFor"] = r.AuthorityFor(t.Context(), host, host, &wellknown.SignatureCheck{Fallback: host})
		_, calls[name+" Refresh"] = r.Refresh(t.Context(), host, host)
		calls[name+" Save"] = r.Save(t.Context(), io.Discard, host)
	}
	var none *wellknown.Static
	_, calls["nil Static"] = none.Authority(t.Context(), host, host)
	for name, err := range calls {
		var l *wellknown.LookupError
		if !errors.As(err, &l) || !errors.Is(err, wellknown.ErrUnavailable) || l.Host != host || l.At != host || l.Advice == "" ||
			!strings.Contains(l.Reason, "not made by New") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if none.Len() != 0 {
		t.Error("a nil Static has entries")
	}
	_, err := new(wellknown.Static).Authority(t.Context(), host, host)
	if !errors.Is(err, wellknown.ErrUnavailable) {
		t.Errorf("zero Static: %v", err)
	}
	(*wellknown.Authority)(nil).MarkVerified()
}

// TestUnmadeDone checks that the hook Done gets these errors too.
func TestUnmadeDone(t *testing.T) {
	for name, source := range map[string]authoritySource{"Resolver": new(wellknown.Resolver), "Static": (*wellknown.Static)(nil)} {
		var got []error
		ctx := wellknown.WithHooks(t.Context(), &wellknown.Hooks{Done: func(cached bool, err error) { got = append(got, err) }})
		if _, err := source.Authority(ctx, host, host); err == nil || len(got) != 1 || got[0] != err {
			t.Errorf("%s: Done got %v, want %v", name, got, err)
		}
	}
}

// TestNilContext checks that a nil context is an error that names the cause, as in the packages
// assertion and evp.
func TestNilContext(t *testing.T) {
	r := resolver(t, wellknown.Config{InsecureTransport: roundTripper(func(*http.Request) (*http.Response, error) {
		return reply(200, document(1))
	})})
	static, err := wellknown.NewStatic(map[string]json.RawMessage{host: json.RawMessage(document(1))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Authority(t.Context(), host, host); err != nil { // now it is cached
		t.Fatal(err)
	}
	calls := make(map[string]error)
	for name, host := range map[string]string{"cached": host, "not cached": "other.example"} {
		//lint:ignore SA1012 a nil context is what is tested
		_, calls["Authority, "+name] = r.Authority(nil, host, host)
		//lint:ignore SA1012 a nil context is what is tested
		_, calls["AuthorityFor, "+name] = r.AuthorityFor(nil, host, host, &wellknown.SignatureCheck{})
		//lint:ignore SA1012 a nil context is what is tested
		_, calls["Refresh, "+name] = r.Refresh(nil, host, host)
		//lint:ignore SA1012 a nil context is what is tested
		calls["Save, "+name] = r.Save(nil, io.Discard, host)
		//lint:ignore SA1012 a nil context is what is tested
		_, calls["Static, "+name] = static.Authority(nil, host, host)
	}
	for name, err := range calls {
		var l *wellknown.LookupError
		if !errors.As(err, &l) || !errors.Is(err, wellknown.ErrUnavailable) || l.Host == "" || l.Reason != "nil context" || l.Advice == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
