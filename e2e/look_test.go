package e2e

import (
	"os"
	"path/filepath"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// look says how a page is looked at.
type look struct {
	name          string
	width, height int64
	scheme        string
	mobile        bool
}

// For windows of the size in which the dialog opens, and for pages.
var (
	small = []look{{"light", 440, 680, "light", false}, {"dark", 440, 680, "dark", false}, {"phone", 360, 640, "light", true}}
	large = []look{{"light", 1000, 800, "light", false}, {"dark", 1000, 800, "dark", false}, {"phone", 360, 640, "light", true}}
)

// screenshots keeps the page in every look, and checks its layout and
// contrasts.
func (w *tab) screenshots(name string, looks ...look) {
	w.t.Helper()
	dir := screenshotDir()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		w.t.Fatal(err)
	}
	for _, l := range looks {
		w.as(l)
		if err := os.WriteFile(filepath.Join(dir, name+"-"+l.name+".png"), w.picture(), 0o644); err != nil {
			w.t.Fatal(err)
		}
		for _, fault := range eval[[]string](w, "[..."+faultsOfLayout+", ..."+faultsOfContrast+"]") {
			w.t.Errorf("%s, %s: %s", name, l.name, fault)
		}
	}
	call(w, emulation.ClearDeviceMetricsOverride, cdp.Empty{})
	call(w, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{})
}

func (w *tab) as(l look) {
	w.t.Helper()
	call(w, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: l.width, Height: l.height, DeviceScaleFactor: 1, Mobile: l.mobile})
	call(w, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	})
}

// laidOut waits until the document is loaded and has a size. A document that has
// just replaced another has none until its first layout, although its text can be
// read. Asking for offsetWidth makes Chromium lay it out.
func (w *tab) laidOut() {
	w.t.Helper()
	w.wait("document.readyState === 'complete' && document.documentElement.offsetWidth > 0")
}

// picture returns a picture of the whole page. Chromium refuses to take a document
// without a size ("Cannot take screenshot with 0 width"), so it waits for the layout,
// and again if another document came in between.
func (w *tab) picture() []byte {
	w.t.Helper()
	for {
		w.laidOut()
		png, err := chromedp.Run(w.ctx, chromedp.FullScreenshot(100))
		if err == nil {
			return png
		}
		select {
		case <-time.After(often):
		case <-w.ctx.Done():
			w.t.Fatal(err)
		}
	}
}

// faultsOfLayout: nothing is wider than the window or than what it stands in,
// and what can be pressed is large enough and overlaps nothing else that can.
// Links within a sentence are as high as the sentence.
const faultsOfLayout = `(() => {
	const faults = [];
	const name = e => e.tagName.toLowerCase() + (e.id ? '#' + e.id : '.' + e.className);
	if (document.documentElement.scrollWidth > innerWidth) faults.push('scrolls sideways: ' + document.documentElement.scrollWidth);
	for (const e of document.querySelectorAll('body *')) {
		if (e.checkVisibility() && e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 && getComputedStyle(e).display !== 'inline') faults.push(name(e) + ' holds more than fits');
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

// faultsOfContrast: text differs from what it stands on by what WCAG 2.2 wants
// for level AA: 4.5, or 3 when it is large.
const faultsOfContrast = `(() => {
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
