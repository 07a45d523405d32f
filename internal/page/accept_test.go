package page_test

import (
	"net/http"
	"testing"

	"github.com/vepverify/vepverify/internal/page"
)

// TestPreferred checks which requests are for a page. Package login has more values.
func TestPreferred(t *testing.T) {
	for accept, want := range map[string]bool{
		"": false, "*/*": false, "application/json": false, "text/css,*/*;q=0.1": false, "image/avif,image/webp,*/*;q=0.8": false,
		"text/html": true, "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": true,
	} {
		r := &http.Request{Header: http.Header{"Accept": {accept}}}
		if got := page.Preferred(r); got != want {
			t.Errorf("%q: %v", accept, got)
		}
	}
}
