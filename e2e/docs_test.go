package e2e

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// forDocs takes a picture for the README, into the folder that the variable
// DOCS_SCREENSHOTS names (../docs/screenshots). Without it, it does nothing.
func (w *tab) forDocs(name string, l look) {
	w.t.Helper()
	dir := os.Getenv("DOCS_SCREENSHOTS")
	if dir == "" {
		return
	}
	w.as(l)
	w.laidOut()
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

// compressed gives a picture of a page 256 colours: those that it has most of.
func compressed(shot []byte) ([]byte, error) {
	decoded, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		return nil, err
	}
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
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, few)
	return out.Bytes(), err
}
