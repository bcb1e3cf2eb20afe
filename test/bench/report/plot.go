package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/catbridge/catbridge/test/bench"
)

// plot is a line chart with logarithmic axes.
type plot struct {
	title, x, y string
	lines       []line
}

type line struct {
	name   string
	dashed bool
	points [][2]float64 // positive numbers
}

const (
	width, height            = 720, 420
	left, right, top, bottom = 70, 190, 40, 50
	plotWidth, plotHeight    = width - left - right, height - top - bottom
)

var colours = []string{"#1f6feb", "#d1242f", "#1a7f37", "#8250df", "#9a6700", "#57606a"}

// axis is the range of powers of ten of one axis.
type axis struct{ low, high float64 }

func (a *axis) add(v float64) {
	a.low, a.high = min(a.low, math.Floor(math.Log10(v))), max(a.high, math.Ceil(math.Log10(v)))
}

func (a axis) at(v float64) float64 { return (math.Log10(v) - a.low) / (a.high - a.low) }

// svg returns the chart, or nil if it has no points.
func (p plot) svg() []byte {
	x, y := axis{math.Inf(1), math.Inf(-1)}, axis{math.Inf(1), math.Inf(-1)}
	for _, l := range p.lines {
		for _, point := range l.points {
			x.add(point[0])
			y.add(point[1])
		}
	}
	if math.IsInf(x.low, 1) {
		return nil
	}
	x.high, y.high = max(x.high, x.low+1), max(y.high, y.low+1)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", width, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="white"/><text x="%d" y="24" font-size="15">%s</text>`+"\n", width, height, left, p.title)
	px := func(v float64) float64 { return left + x.at(v)*plotWidth }
	py := func(v float64) float64 { return top + (1-y.at(v))*plotHeight }
	for e := x.low; e <= x.high; e++ {
		v := math.Pow(10, e)
		fmt.Fprintf(&b, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#d0d7de"/><text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n",
			px(v), top, px(v), top+plotHeight, px(v), top+plotHeight+18, show(v))
	}
	for e := y.low; e <= y.high; e++ {
		v := math.Pow(10, e)
		fmt.Fprintf(&b, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#d0d7de"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			left, py(v), left+plotWidth, py(v), left-6, py(v)+4, show(v))
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", left+plotWidth/2, height-10, p.x)
	fmt.Fprintf(&b, `<text transform="translate(18 %d) rotate(-90)" text-anchor="middle">%s</text>`+"\n", top+plotHeight/2, p.y)
	for i, l := range p.lines {
		l.draw(&b, i, px, py)
	}
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

func (l line) draw(b *strings.Builder, i int, px, py func(float64) float64) {
	colour, dash := colours[i/2%len(colours)], ""
	if l.dashed {
		dash = ` stroke-dasharray="5 4"`
	}
	points := make([]string, len(l.points))
	for i, p := range l.points {
		points[i] = fmt.Sprintf("%.1f,%.1f", px(p[0]), py(p[1]))
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", px(p[0]), py(p[1]), colour)
	}
	fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"%s/>`+"\n", strings.Join(points, " "), colour, dash)
	y := top + 12 + 18*i
	fmt.Fprintf(b, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="%s" stroke-width="2"%s/><text x="%d" y="%d">%s</text>`+"\n",
		width-right+16, y, width-right+44, y, colour, dash, width-right+50, y+4, l.name)
}

// plots returns all plots by path.
func plots(r *bench.Results) map[string][]byte {
	files := map[string][]byte{}
	add := func(name string, svg []byte) {
		if svg != nil {
			files["bench/"+name+".svg"] = svg
		}
	}
	reach := plot{title: "From the change to the last follower", x: "followers", y: "ms"}
	for _, bytes := range values(r, "propagation", "bytes") {
		for _, via := range []string{"bridge", "floor"} {
			l := line{name: size(bytes) + ", " + via, dashed: via == "floor"}
			for _, followers := range values(r, "propagation", "followers") {
				n, _ := strconv.ParseFloat(followers, 64)
				f := get(r, "propagation", in("followers", followers, "bytes", bytes, "via", via), "last")
				if f.known() && f.value > 0 {
					l.points = append(l.points, [2]float64{n, f.value})
				}
			}
			reach.lines = append(reach.lines, l)
		}
	}
	add("propagation", reach.svg())
	add("evaluation", bars(r))
	return files
}
