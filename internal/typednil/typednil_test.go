package typednil_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/internal/typednil"
)

func TestCheck(t *testing.T) {
	for name, test := range map[string]struct {
		value any
		want  string // empty means no error
	}{
		"nil":            {nil, ""},
		"nil pointer":    {(*strings.Reader)(nil), "a nil *strings.Reader"},
		"pointer":        {strings.NewReader(""), ""},
		"value":          {http.Dir(""), ""},
		"nil map, valid": {http.Header(nil), ""},
	} {
		got := ""
		if err := typednil.Check(test.value); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
