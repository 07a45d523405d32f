package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"math"
)

// The chart's columns and rows, in pixels at the width of a README. Each text has its
// own row and column, so that texts do not overlap.
const (
	chartWidth  = 840
	nameX       = 20  // left end of the names
	plotLeft    = 270 // the bars are between these
	plotRight   = 650
	timeRight   = 735 // right ends of the figures
	ratioRight  = 820
	rowHeight   = 24
	barHeight   = 14
	headHeight  = 110
	groupHeight = 38 // a pair's heading
	footHeight  = 46
)

// style has light and dark colours. The chart has its own background, because a page
// may not use the colours that the reader's system prefers.
const style = `
  text { font: 14px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
  .title { font-size: 17px; font-weight: 600 } .head { font-weight: 600 } .faint { font-size: 12px; fill: #59636e }
  .end { text-anchor: end } .middle { text-anchor: middle }
  .ground { fill: #ffffff } .ours { fill: #0969da } .other { fill: #8c959f } .line { stroke: #d1d9e0 } .one { stroke: #1f2328 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .faint { fill: #9198a1 }
    .ground { fill: #0d1117 } .ours { fill: #4493f8 } .other { fill: #656c76 } .line { stroke: #3d444d } .one { stroke: #f0f6fc }
  }
`

// chart collects the elements of an SVG.
type chart struct {
	bytes.Buffer
	low, high float64 // ratios at the ends of the axis
}

// headings are the texts above a chart: what a screen reader says, the title, and two lines.
type headings struct{ label, title, first, second string }

// headingsOf has the headings by the base of the ratios.
var headingsOf = map[string]headings{
	OpenSSL: {
		"Time of one complete verification, against OpenSSL's two signature checks",
		"One complete verification, against OpenSSL's two signature checks alone",
		"Bars to the left: faster than OpenSSL's sum; to the right: slower. Logarithmic scale.",
		"cold: nothing cached · cert: certificate cached · table: the user's key table too · first: all caches on, the user is new",
	},
	Crypto: {
		"Time of one complete verification of a token, against its two signature checks",
		"One complete verification of a token (EVP), against its two signature checks alone",
		"Bars to the right: slower than the two signature checks by Go's packages crypto. Logarithmic scale.",
		"warm: record, metadata and key set are cached; the npm packages have them in memory · every token has a new key of a browser",
	},
}

// WriteChart writes an SVG with a bar for each figure on a logarithmic axis: to the left
// if faster than the base, to the right if slower. It returns an error if the base was not
// measured.
func (c *Comparison) WriteChart(w io.Writer) error {
	low, high, ok := c.extremes()
	if !ok {
		return fmt.Errorf("chart: no ratios, because %s was not measured", c.base())
	}
	texts := headingsOf[c.base()]
	g := &chart{low: low, high: high}
	height := headHeight + footHeight
	for _, p := range c.Pairs {
		height += groupHeight + rowHeight*len(p.Figures)
	}
	fmt.Fprintf(g, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-labelledby="title">`,
		chartWidth, height, chartWidth, height)
	fmt.Fprintf(g, "\n<title id=\"title\">%s</title>\n<style>%s</style>\n", texts.label, style)
	fmt.Fprintf(g, "<rect class=\"ground\" width=\"%d\" height=\"%d\" rx=\"6\"/>\n", chartWidth, height)
	y := g.heading(texts, height)
	for _, p := range c.Pairs {
		y = g.pair(p, y)
	}
	g.text(nameX, height-18, "faint", fmt.Sprintf("%s, %s/%s, one core, %s. Medians of %d interleaved rounds in one run.",
		c.Machine.CPU, c.Machine.OS, c.Machine.Arch, c.Date.Format("2006-01-02"), c.Rounds))
	g.WriteString("</svg>\n")
	_, err := w.Write(g.Bytes())
	return err
}

// extremes returns the ends of the axis: powers of two around all ratios and 1.
func (c *Comparison) extremes() (low, high float64, ok bool) {
	low, high = 1, 1
	for _, p := range c.Pairs {
		for _, f := range p.Figures {
			if f.Ratio != nil {
				ok = true
				low, high = min(low, f.Ratio.Median), max(high, f.Ratio.Median)
			}
		}
	}
	return math.Exp2(math.Floor(math.Log2(low))), math.Exp2(math.Ceil(math.Log2(high))), ok
}

// heading draws title and axis, and returns the top of the rows.
func (g *chart) heading(texts headings, height int) int {
	g.text(nameX, 32, "title", texts.title)
	g.text(nameX, 54, "faint", texts.first)
	g.text(nameX, 72, "faint", texts.second)
	g.text(timeRight, headHeight-8, "faint end", "µs")
	g.text(ratioRight, headHeight-8, "faint end", "ratio")
	steps := math.Log2(g.high / g.low)
	every := math.Max(1, math.Ceil(steps/6)) // more than seven labels might touch
	for i := 0.0; i <= steps; i++ {
		ratio := g.low * math.Exp2(i)
		class := "line"
		if ratio == 1 {
			class = "one"
		}
		x := g.x(ratio)
		fmt.Fprintf(g, "<line class=\"%s\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>\n", class, x, headHeight, x, height-footHeight)
		if math.Mod(math.Log2(ratio), every) == 0 {
			g.text(int(x), headHeight-8, "faint middle", fmt.Sprintf("%g×", ratio))
		}
	}
	return headHeight
}

func (g *chart) pair(p PairFigures, y int) int {
	g.text(nameX, y+26, "head", fmt.Sprintf("issuer %s, user %s", p.Issuer, p.User))
	y += groupHeight
	for _, f := range p.Figures {
		g.row(f, y)
		y += rowHeight
	}
	return y
}

func (g *chart) row(f Figure, y int) {
	baseline := y + rowHeight/2 + 5
	g.text(nameX, baseline, "", f.Title())
	g.text(timeRight, baseline, "end", number(f.Microseconds.Median))
	if f.Ratio == nil {
		return
	}
	class := "other"
	if f.Name == Ours || f.Name == IFMA {
		class = "ours"
	}
	from, to := g.x(1), g.x(f.Ratio.Median)
	left, width := min(from, to), math.Max(2, math.Abs(to-from)) // a ratio of 1 is visible too
	fmt.Fprintf(g, "<rect class=\"%s\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>\n", class, left, y+(rowHeight-barHeight)/2, width, barHeight)
	g.text(ratioRight, baseline, "end", fmt.Sprintf("%.2f", f.Ratio.Median))
}

// x returns the position of a ratio on the axis.
func (g *chart) x(ratio float64) float64 {
	if g.low == g.high { // every ratio is 1
		return plotLeft
	}
	return plotLeft + (plotRight-plotLeft)*math.Log2(ratio/g.low)/math.Log2(g.high/g.low)
}

func (g *chart) text(x, y int, class, s string) {
	fmt.Fprintf(g, "<text x=\"%d\" y=\"%d\" class=\"%s\">", x, y, class)
	if err := xml.EscapeText(g, []byte(s)); err != nil {
		panic(err) // a bytes.Buffer returns no error
	}
	g.WriteString("</text>\n")
}
