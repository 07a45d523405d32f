package redact_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/internal/redact"
)

type redacted = redact.Text

type key struct {
	redacted
	Secret string
}

type credentials struct{ Secret string }

func (c credentials) String() string                { return "credentials" }
func (c credentials) Format(f fmt.State, verb rune) { redact.Text(c.String()).Format(f, verb) }
func (c credentials) LogValue() slog.Value          { return redact.Text(c.String()).LogValue() }

// TestNothingShowsTheSecret checks the two uses of the package comment with all verbs
// and loggers.
func TestNothingShowsTheSecret(t *testing.T) {
	const secret = "s3cret"
	for _, value := range []any{key{"a private key", secret}, &key{"a private key", secret}, credentials{secret}, &credentials{secret}} {
		want := fmt.Sprint(value)
		if want != "a private key" && want != "credentials" {
			t.Errorf("%T is printed as %q", value, want)
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%b", "%08.3f", "%!", "%t"} {
			if got := fmt.Sprintf(verb, value); !strings.HasPrefix(got, want) && verb != "%!" || strings.Contains(got, secret) {
				t.Errorf("%T: %s prints %q", value, verb, got)
			}
		}
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("made", "value", value)
		slog.New(slog.NewTextHandler(&log, nil)).Info("made", "value", value)
		fmt.Fprintf(&log, "%v %+v %#v", []any{value}, map[string]any{"a": value}, struct{ V any }{value})
		if strings.Contains(log.String(), secret) || strings.Count(log.String(), want) != 5 {
			t.Errorf("%T: the log is %s", value, log.String())
		}
	}
	k := key{"a private key", secret}
	if k.GoString() != "a private key" || k.String() != k.GoString() {
		t.Errorf("String returns %q, GoString %q", k.String(), k.GoString())
	}
}
