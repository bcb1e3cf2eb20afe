package main

import (
	"fmt"

	"github.com/catbridge/catbridge/test/bench"
)

// goal is a figure and its bound.
type goal struct {
	what  string
	have  figure
	bound float64
	least bool // the bound is a minimum, not a maximum
	unit  string
	pace  float64 // the factor that adapts the bound to this machine; 0: none
}

// fillingThere is the time in ns to fill a map of 16 on the machine of the evaluation goals.
const fillingThere = 490

func (g goal) row() []string {
	pace, times := 1.0, ""
	if g.pace != 0 {
		pace, times = g.pace, fmt.Sprintf(" × %.2f", g.pace)
	}
	relation, met := "≤", g.have.value <= g.bound*pace
	if g.least {
		relation, met = "≥", g.have.value >= g.bound*pace
	}
	verdict := "**no**"
	switch {
	case !g.have.known():
		verdict = ""
	case met:
		verdict = "yes"
	}
	value, unit := readable(g.bound, g.unit)
	return []string{g.what, relation + " " + show(value) + unit + times, g.have.String(), verdict}
}

// goals returns a table of the speed goals with their figures.
func goals(r *bench.Results) string {
	var all []goal
	most := func(what string, have figure, bound float64, unit string) {
		have.unit = unit
		all = append(all, goal{what: what, have: have, bound: bound, unit: unit})
	}
	evaluated := func(metric string) figure { return get(r, "evaluation", nil, metric) }
	pace := 0.0
	if filling := evaluated("floor-all-values"); filling.known() {
		pace = filling.value / fillingThere
	}
	for i, g := range []struct{ ns, allocs float64 }{{110, 1}, {80, 0}, {60, 0}, {80, 0}, {12, 0}, {1000, -1}, {5, 0}} {
		c := calls[i]
		most(c.call, evaluated(c.metric), g.ns, "ns")
		all[len(all)-1].pace = pace
		if g.allocs >= 0 {
			most(c.call+": allocations", evaluated(c.metric+"-allocs"), g.allocs, "1")
		}
	}
	all = append(all, goal{what: "compiling 1 MB", have: get(r, "compile", in("bytes", "1048576"), "compile"), bound: 50, least: true, unit: "MB/s"})
	if pace != 0 {
		all[len(all)-1].pace = 1 / pace
	}

	const kb10 = "10240"
	one := in("followers", "1", "bytes", kb10)
	p50 := get(r, "propagation", one.With("via", "bridge"), "p50")
	most("webhook to one follower, p50", p50, 3, "ms")
	most("webhook to one follower, p99", get(r, "propagation", one.With("via", "bridge"), "p99"), 10, "ms")
	allowed := 2*get(r, "propagation", one.With("via", "floor"), "p50").value + get(r, "propagation", one, "cdn-request").value
	most("the same ÷ (2 × floor + the CDN request)", p50.over(figure{value: allowed}), 1, "×")
	for _, followers := range []string{"100", "1000"} {
		c := in("followers", followers, "bytes", kb10)
		ratio := get(r, "propagation", c.With("via", "bridge"), "last").over(get(r, "propagation", c.With("via", "floor"), "last"))
		most(fmt.Sprintf("webhook to the last of %s followers ÷ floor", followers), ratio, 1.3, "×")
	}
	small, large := in("bytes", "1024"), in("bytes", "5242880")
	script := func(l bench.Labels) figure { return get(r, "unchanged", l, "redis-script") }
	most("a poll that finds nothing, 5 MB: the script in Redis", script(large), 500, "µs")
	most("the same ÷ that of 1 KB", script(large).over(script(small)), 1.2, "×")
	kb200 := in("bytes", "204800")
	most("from creation to ready, 200 KB ÷ floor",
		get(r, "ready", kb200.With("via", "bridge"), "p50").over(get(r, "ready", kb200.With("via", "floor"), "p50")), 2, "×")
	most("a leader of 1,000 SDK keys: of one core", get(r, "keys", in("keys", "1000"), "cpu"), 5, "%")
	most("a leader of 1,000 SDK keys: memory at its peak", get(r, "keys", in("keys", "1000"), "memory-peak"), 150e6, "B")
	most("a follower's memory ÷ its config of 1 MB", get(r, "memory", in("bytes", "1048576"), "heap-per-byte"), 8, "×")
	for _, processes := range []string{"1", "10", "50"} {
		c := in("processes", processes)
		most("requests to the CDN per interval, processes: "+processes,
			get(r, "requests", c, "polled").over(get(r, "requests", c, "polls")), 1, "1")
	}
	var body [][]string
	for _, g := range all {
		body = append(body, g.row())
	}
	return rows([]string{"goal", "bound", "measured", "met"}, body)
}
