package mediatype_test

import (
	"strings"
	"testing"

	"github.com/vepverify/vepverify/internal/mediatype"
)

func TestIs(t *testing.T) {
	const json = "application/json"
	longest := json + "; a=" + strings.Repeat("b", 256-len(json+"; a="))
	for value, want := range map[string]bool{
		json: true, "Application/JSON": true, json + "; charset=utf-8": true, " " + json + " ": true, longest: true,
		"": false, "json": false, "text/json": false, json + "x": false, json + "; charset": false, json + ", " + json: false,
		json + ";a=b;a=c": false, longest + "b": false,
	} {
		if got := mediatype.Is(value, json); got != want {
			t.Errorf("%.300q: %v", value, got)
		}
	}
}
