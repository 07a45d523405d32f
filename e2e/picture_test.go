package e2e

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/chromedp/cdproto/emulation"
)

// TestPictureWaits: a picture that is taken while one document replaces another
// waits until the new one has a size.
func TestPictureWaits(t *testing.T) {
	needBrowser(t)
	l, port := listen(t)
	serveOn(t, l, port, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!DOCTYPE html><html lang="en"><meta name="viewport" content="width=device-width"><title>Here</title><h1>Here</h1></html>`))
	}))
	w := newTab(t)
	w.open("http://localhost:" + port + "/")
	for i := range 40 {
		eval[any](w, fmt.Sprintf("void (location.href = '/%d')", i))
		call(w, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: int64(360 + i), Height: 640, DeviceScaleFactor: 1, Mobile: i%2 == 0})
		if png := w.picture(); len(png) < 100 {
			t.Errorf("a picture of %d bytes", len(png))
		}
	}
}
