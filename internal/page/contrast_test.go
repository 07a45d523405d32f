package page_test

import (
	"math"
	"regexp"
	"strconv"
	"testing"

	"github.com/vepverify/vepverify/internal/page"
)

// TestContrast checks the contrast of colours that are used together against WCAG 2.2,
// level AA: 4.5 for text, 3 for the outlines of controls.
func TestContrast(t *testing.T) {
	css := string(page.Style)
	blocks := regexp.MustCompile(`:root \{([^}]*)\}`).FindAllStringSubmatch(css, -1)
	if len(blocks) != 2 {
		t.Fatalf("%d sets of colours, want light and dark", len(blocks))
	}
	for i, scheme := range []string{"light", "dark"} {
		colours := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`).FindAllStringSubmatch(blocks[i][1], -1) {
			colours[m[1]] = m[2]
		}
		for _, c := range []struct {
			front, back string
			least       float64
		}{
			{"text", "card", 4.5}, {"text", "tint", 4.5}, {"text", "code", 4.5}, {"soft", "card", 4.5}, {"soft", "tint", 4.5},
			{"accent", "card", 4.5}, {"accent", "tint", 4.5}, {"on-accent", "accent", 4.5}, {"on-accent", "accent-over", 4.5},
			{"problem", "problem-tint", 4.5}, {"problem", "card", 4.5}, {"good", "card", 4.5}, {"soft", "page", 4.5}, {"soft", "line", 4.5}, {"on-badge", "badge", 4.5},
			{"field", "card", 3}, {"focus", "card", 3},
		} {
			if got := contrast(t, colours[c.front], colours[c.back]); got < c.least {
				t.Errorf("%s: %s on %s: %.2f, want %.1f", scheme, c.front, c.back, got, c.least)
			}
		}
	}
}

// contrast returns WCAG's contrast ratio of two colours.
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + .05) / (min(x, y) + .05)
}

func luminance(t *testing.T, colour string) (sum float64) {
	t.Helper()
	n, err := strconv.ParseUint(colour, 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	for i, weight := range []float64{.2126, .7152, .0722} {
		c := float64(n>>(16-8*i)&0xff) / 255
		if c <= .04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
