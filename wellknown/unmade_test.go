package wellknown_test

import (
	"errors"
	"io"
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
