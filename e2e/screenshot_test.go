package e2e

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// view is a size and a colour scheme in which a page is shown.
type view struct {
	name          string
	width, height int64
	scheme        string
	mobile        bool
}

// small are views of the size in which the dialog opens; large are views of pages.
var (
	small = []view{{"light", 440, 680, "light", false}, {"dark", 440, 680, "dark", false}, {"phone", 320, 640, "light", true}}
	large = []view{{"light", 1000, 800, "light", false}, {"dark", 1000, 800, "dark", false}, {"phone", 320, 640, "light", true}}
)

// screenshots takes a screenshot of the page in every view, and checks its layout and
// contrasts.
func (w *tab) screenshots(name string, views ...view) {
	w.t.Helper()
	dir := screenshotDir()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		w.t.Fatal(err)
	}
	for _, v := range views {
		w.viewAs(v)
		if err := os.WriteFile(filepath.Join(dir, name+"-"+v.name+".png"), w.picture(), 0o644); err != nil {
			w.t.Fatal(err)
		}
		for _, fault := range eval[[]string](w, "[..."+layoutFaults+", ..."+contrastFaults+"]") {
			w.t.Errorf("%s, %s: %s", name, v.name, fault)
		}
	}
	call(w, emulation.ClearDeviceMetricsOverride, cdp.Empty{})
	call(w, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{})
}

// viewAs sets the size and the colour scheme of the window.
func (w *tab) viewAs(v view) {
	w.t.Helper()
	call(w, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: v.width, Height: v.height, DeviceScaleFactor: 1, Mobile: v.mobile})
	call(w, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: v.scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	})
}

// waitForLayout waits until the document is loaded and has a size. A document that has just
// replaced another has none until its first layout, although its text can be read. Reading
// offsetWidth makes Chromium lay it out.
func (w *tab) waitForLayout() {
	w.t.Helper()
	w.wait("document.readyState === 'complete' && document.documentElement.offsetWidth > 0")
}

// picture returns a screenshot of the whole page. Chromium returns an error for a document
// without a size ("Cannot take screenshot with 0 width"), so picture waits for the layout,
// and again if another document was loaded in between.
func (w *tab) picture() []byte {
	w.t.Helper()
	for {
		w.waitForLayout()
		png, err := chromedp.Run(w.ctx, chromedp.FullScreenshot(100))
		if err == nil {
			return png
		}
		select {
		case <-time.After(pollInterval):
		case <-w.ctx.Done():
			w.t.Fatal(err)
		}
	}
}

// layoutFaults is a script that returns the faults of a layout: elements wider than the window
// or their container, words of commands that are broken, and controls that are too small or
// overlap. An element that scrolls sideways and can have the focus may be wider. Links within
// a sentence may be as small as the text.
const layoutFaults = `(() => {
	const faults = [];
	const name = e => e.tagName.toLowerCase() + (e.id ? '#' + e.id : '.' + e.className);
	if (document.documentElement.scrollWidth > innerWidth) faults.push('scrolls sideways: ' + document.documentElement.scrollWidth);
	const scrolls = e => getComputedStyle(e).overflowX === 'auto' && e.tabIndex === 0;
	for (const e of document.querySelectorAll('body *')) {
		if (e.checkVisibility() && e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 && getComputedStyle(e).display !== 'inline' && !scrolls(e)) faults.push(name(e) + ' overflows');
	}
	for (const e of document.querySelectorAll('.word')) {
		if (e.getClientRects().length > 1) faults.push('broken: ' + e.textContent);
	}
	const shown = [...document.querySelectorAll('button, input, a, summary')].filter(e => e.checkVisibility());
	const boxes = shown.map(e => e.getBoundingClientRect());
	shown.forEach((e, i) => {
		const a = boxes[i];
		if (!e.matches('p > a:not(.button)') && (a.width < 44 || a.height < 44)) faults.push(name(e) + ' is ' + a.width + '×' + a.height);
		for (let j = i + 1; j < shown.length; j++) {
			const b = boxes[j];
			if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom) faults.push(name(e) + ' overlaps ' + name(shown[j]));
		}
	});
	return faults;
})()`

// contrastFaults is a script that returns the texts whose contrast is below WCAG 2.2, level
// AA: 4.5, or 3 for large text. It cannot compute the contrast of translucent texts, and
// returns them too.
const contrastFaults = `(() => {
	const faults = [];
	const channels = colour => colour.match(/[\d.]+/g).map(Number);
	const luminance = ([r, g, b]) => [r, g, b].map(c => c / 255).map(c => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
		.reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
	const over = ([r, g, b, alpha = 1], under) => [r, g, b].map((c, i) => c * alpha + under[i] * (1 - alpha));
	const page = matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18] : [255, 255, 255];
	const behind = e => e ? over(channels(getComputedStyle(e).backgroundColor), behind(e.parentElement)) : page;
	for (const e of document.querySelectorAll('body *')) {
		if (!e.checkVisibility() || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
		const style = getComputedStyle(e);
		const a = luminance(channels(style.color)), b = luminance(behind(e));
		const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
		const size = parseFloat(style.fontSize), large = size >= 24 || size >= 18.66 && style.fontWeight >= 700;
		if (style.opacity < 1) faults.push('translucent: ' + e.textContent.trim().slice(0, 40));
		if (ratio < (large ? 3 : 4.5)) faults.push('contrast ' + ratio.toFixed(2) + ': ' + e.textContent.trim().slice(0, 40));
	}
	return faults;
})()`

func screenshotDir() string {
	if dir := os.Getenv("SCREENSHOTS"); dir != "" {
		return dir
	}
	return "screenshots"
}

// docsScreenshot takes a picture for the documents, into the folder that the variable
// DOCS_SCREENSHOTS names (../docs/screenshots). Without the variable it does nothing.
func (w *tab) docsScreenshot(name string, v view) {
	w.t.Helper()
	dir := os.Getenv("DOCS_SCREENSHOTS")
	if dir == "" {
		return
	}
	w.viewAs(v)
	w.waitForLayout()
	shot, err := chromedp.Run(w.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		w.t.Fatal(err)
	}
	call(w, emulation.ClearDeviceMetricsOverride, cdp.Empty{})
	small, err := compressed(shot)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), small, 0o644)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// compressed reduces a picture to the 256 colours that it uses most.
func compressed(shot []byte) ([]byte, error) {
	decoded, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		return nil, err
	}
	return compressedImage(decoded)
}

func compressedImage(decoded image.Image) ([]byte, error) {
	bounds := decoded.Bounds()
	count := make(map[color.Color]int)
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			count[decoded.At(x, y)]++
		}
	}
	colours := slices.SortedFunc(maps.Keys(count), func(a, b color.Color) int { return cmp.Compare(count[b], count[a]) })
	few := image.NewPaletted(bounds, colours[:min(256, len(colours))])
	nearest := make(map[color.Color]uint8)
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			c := decoded.At(x, y)
			if _, known := nearest[c]; !known {
				nearest[c] = uint8(few.Palette.Index(c))
			}
			few.SetColorIndex(x, y, nearest[c])
		}
	}
	var out bytes.Buffer
	err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, few)
	return out.Bytes(), err
}

// TestPictureWaits takes a picture while one document replaces another. The picture must
// wait until the new one has a size.
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
