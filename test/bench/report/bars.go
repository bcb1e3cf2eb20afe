package main

import (
	"fmt"
	"strings"

	"github.com/catbridge/catbridge/test/bench"
)

// bars returns a chart of the times of evaluations as multiples of the floor, or nil if there
// are none.
func bars(r *bench.Results) []byte {
	floor := get(r, "evaluation", nil, "floor")
	if !floor.known() {
		return nil
	}
	const row, from, wide = 30, 300, 320
	list := append([]struct{ metric, call string }{{"floor", "the floor"}}, calls...)
	var most float64
	for _, c := range list {
		// All values at once are 16 evaluations; the chart shows the time of one.
		most = max(most, perSetting(r, c.metric)/floor.value)
	}
	var b strings.Builder
	high := 60 + row*len(list)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", width, high)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="white"/><text x="20" y="24" font-size="15">An evaluation, as a multiple of an atomic load and a map look-up</text>`+"\n", width, high)
	for i, c := range list {
		ns := perSetting(r, c.metric)
		y, label := 44+row*i, strings.ReplaceAll(c.call, "`", "")
		if c.metric == "all-values" {
			label += ": each"
		}
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text><rect x="%d" y="%d" width="%.1f" height="18" fill="%s"/><text x="%.1f" y="%d">%s × (%s ns)</text>`+"\n",
			from-8, y+14, label, from, y, wide*ns/floor.value/most, colours[i%2], from+wide*ns/floor.value/most+6, y+14, show(ns/floor.value), show(ns))
	}
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

// perSetting returns the time of one evaluation in ns, or 0 if it was not measured.
func perSetting(r *bench.Results, metric string) float64 {
	f := get(r, "evaluation", nil, metric)
	switch {
	case !f.known():
		return 0
	case metric == "all-values":
		return f.value / 16
	}
	return f.value
}
