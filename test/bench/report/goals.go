package main

import (
	"github.com/catbridge/catbridge/test/bench"
)

// goal is a figure and its bound, which it must not exceed.
type goal struct {
	what  string
	have  figure
	bound float64
	unit  string
}

func (g goal) row() []string {
	verdict := "**no**"
	switch {
	case !g.have.known():
		verdict = ""
	case g.have.value <= g.bound:
		verdict = "yes"
	}
	value, unit := readable(g.bound, g.unit)
	return []string{g.what, "≤ " + show(value) + unit, g.have.String(), verdict}
}

// goals returns a table of the speed goals with their figures. Most are ratios to a floor that the
// same run measured, so that they do not depend on the machine.
func goals(r *bench.Results) string {
	var body [][]string
	most := func(what string, have figure, bound float64, unit string) {
		have.unit = unit
		body = append(body, goal{what, have, bound, unit}.row())
	}
	evaluated := func(metric string) figure { return get(r, "evaluation", nil, metric) }
	floor := evaluated("floor")
	most("`GetStringValue`, no user ÷ (an atomic load + a map look-up)", evaluated("text-no-user").over(floor), 1.5, "×")
	most("`GetStringValue` with a rule, user built before ÷ the same", evaluated("text").over(floor), 5, "×")
	most("`GetBoolValue` with rules ÷ the same", evaluated("bool").over(floor), 5, "×")
	most("`GetAllValues`, 16 settings ÷ filling a map of 16", evaluated("all-values").over(evaluated("floor-all-values")), 2, "×")
	for i, bound := range []float64{1, 0, 0, 0, 0, -1, 0} {
		if bound >= 0 {
			most(calls[i].call+": allocations", evaluated(calls[i].metric+"-allocs"), bound, "1")
		}
	}

	const kb10, mb = "10240", "1048576"
	one := in("followers", "1", "bytes", kb10)
	most("webhook to one follower, 10 KB, p50", get(r, "propagation", one.With("via", "bridge"), "p50"), 3, "ms")
	for _, followers := range []string{"100", "1000"} {
		c := in("followers", followers, "bytes", kb10)
		ratio := get(r, "propagation", c.With("via", "bridge"), "last").over(get(r, "propagation", c.With("via", "floor"), "last"))
		most("webhook to the last of "+followers+" followers, 10 KB ÷ floor", ratio, 1.3, "×")
	}
	steps := func(metric string) figure { return get(r, "steps", in("bytes", mb), metric) }
	most("webhook to one follower, 1 MB, one flag switched, p50 ÷ (request to the CDN, hash, one pass over the JSON, patch)",
		steps("all").over(steps("floor")), 3, "×")
	change := func(followers, bytes, window, metric string) figure {
		return get(r, "patches", in("followers", followers, "bytes", bytes, "edit", string(bench.OneFlag), "patches", "yes", "window", window), metric)
	}
	most("1 MB, one flag switched: sent by Redis to each of 1,000 followers", change("1000", mb, "no", "redis-out-follower"), 1000, "B")
	most("the same: the last follower ÷ that of a 10 KB config", change("1000", mb, "no", "last").over(change("1000", kb10, "no", "last")), 3, "×")
	most("the same with the spread window", change("1000", mb, "yes", "last").over(change("1000", kb10, "yes", "last")), 3, "×")
	most("the same, 5,000 followers: peak memory of Redis above that of a 10 KB config",
		change("5000", mb, "no", "redis-memory-peak").minus(change("5000", kb10, "no", "redis-memory-peak")), 50e6, "B")
	most("1 MB, a follower comes back after a missed change: bytes read", get(r, "missed", in("bytes", mb, "patches", "yes"), "read"), 2000, "B")
	most("compiling 1 MB after one flag changed ÷ from scratch", get(r, "compile", in("bytes", mb), "compile-change"), 0.2, "×")
	memory := func(metric string) figure { return get(r, "memory", in("bytes", mb), metric) }
	most("a follower's memory ÷ its config of 1 MB", memory("heap-per-byte"), 5, "×")
	most("the same after 1,000 edits ÷ before", memory("edited-heap").over(memory("heap")), 1.1, "×")

	small, large := in("bytes", "1024"), in("bytes", "5242880")
	script := func(l bench.Labels) figure { return get(r, "unchanged", l, "redis-script") }
	most("a poll that finds nothing, 5 MB: the script in Redis", script(large), 500, "µs")
	most("the same ÷ that of 1 KB", script(large).over(script(small)), 1.2, "×")
	kb200 := in("bytes", "204800")
	most("from creation to ready, 200 KB ÷ floor",
		get(r, "ready", kb200.With("via", "bridge"), "p50").over(get(r, "ready", kb200.With("via", "floor"), "p50")), 2, "×")
	most("a leader of 1,000 SDK keys: of one core", get(r, "keys", in("keys", "1000"), "cpu"), 5, "%")
	most("a leader of 1,000 SDK keys: memory at its peak", get(r, "keys", in("keys", "1000"), "memory-peak"), 150e6, "B")
	for _, processes := range []string{"1", "10", "50"} {
		c := in("processes", processes)
		most("requests to the CDN per interval, processes: "+processes,
			get(r, "requests", c, "polled").over(get(r, "requests", c, "polls")), 1, "1")
	}
	return rows([]string{"goal", "bound", "measured", "met"}, body)
}
