package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/catbridge/catbridge/test/bench"
)

// rows returns a Markdown table.
func rows(head []string, body [][]string) string {
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(head)
	line(slices.Repeat([]string{"---"}, len(head)))
	for _, cells := range body {
		line(cells)
	}
	if len(body) == 0 {
		return unmeasured + "\n"
	}
	return b.String()
}

// named is a label or a metric with its title on the page.
func named(list string) (names, titles []string) {
	for item := range strings.SplitSeq(list, ";") {
		name, title, _ := strings.Cut(strings.TrimSpace(item), "=")
		names, titles = append(names, name), append(titles, title)
	}
	return names, titles
}

// table returns a table with a row for each case of a suite and columns for labels and metrics,
// both in the form "name=title; name=title".
func table(r *bench.Results, suite, labels, metrics string) string {
	names, head := named(labels)
	if labels == "" {
		names, head = nil, nil
	}
	columns, titles := named(metrics)
	var body [][]string
	for _, c := range r.Cases(suite) {
		var cells []string
		for _, name := range names {
			cell := c[name]
			if name == "bytes" {
				cell = size(cell)
			} else if n, err := strconv.ParseFloat(cell, 64); err == nil {
				cell = show(n)
			}
			cells = append(cells, cell)
		}
		for _, metric := range columns {
			cells = append(cells, get(r, suite, c, metric).String())
		}
		body = append(body, cells)
	}
	return rows(append(head, titles...), body)
}

// propagation returns a table that compares the bridge with the floor.
func propagation(r *bench.Results) string {
	const suite = "propagation"
	var body [][]string
	for _, bytes := range values(r, suite, "bytes") {
		for _, followers := range values(r, suite, "followers") {
			c := in("followers", followers, "bytes", bytes)
			of := func(via, metric string) figure { return get(r, suite, c.With("via", via), metric) }
			if !of("bridge", "p50").known() {
				continue
			}
			n, _ := strconv.ParseFloat(followers, 64)
			cells := []string{size(bytes), show(n)}
			for _, f := range []figure{
				of("bridge", "p50"), of("bridge", "p99"), of("bridge", "last"), of("floor", "last"), of("bridge", "last").over(of("floor", "last")),
				of("bridge", "redis-cpu"), of("bridge", "redis-out"), of("floor", "redis-out"),
			} {
				cells = append(cells, f.String())
			}
			body = append(body, cells)
		}
	}
	return rows([]string{"config", "followers", "p50", "p99", "last", "floor: last", "last ÷ floor", "Redis CPU", "Redis sends", "floor: sends"}, body)
}

var calls = []struct{ metric, call string }{
	{"text-user-built", "`GetStringValue`, user built in the call"},
	{"text", "`GetStringValue`, user built before"},
	{"bool", "`GetBoolValue`"},
	{"bool-details", "`GetBoolValueDetails`"},
	{"text-no-user", "`GetStringValue`, no user"},
	{"all-values", "`GetAllValues`, 16 settings"},
	{"typed-again", "a typed flag of one user's snapshot"},
}

func evaluation(r *bench.Results) string {
	var body [][]string
	floor := get(r, "evaluation", nil, "floor")
	if !floor.known() {
		return "Not measured: the workload is a config of the conformance data, which was missing.\n"
	}
	for _, c := range calls {
		took := get(r, "evaluation", nil, c.metric)
		body = append(body, []string{c.call, took.String(), took.over(floor).String(), get(r, "evaluation", nil, c.metric+"-allocs").String()})
	}
	body = append(body, []string{"the floor: an atomic load and a look-up in a map", floor.String(), "1 ×", "0"})
	fill := get(r, "evaluation", nil, "floor-all-values")
	body = append(body, []string{"filling a map with as many settings", fill.String(), fill.over(floor).String(), ""})
	return rows([]string{"call", "time", "÷ floor", "allocations"}, body)
}

// ready returns a table that compares a client's start with the floor.
func ready(r *bench.Results) string {
	var body [][]string
	for _, bytes := range values(r, "ready", "bytes") {
		of := func(via, metric string) figure { return get(r, "ready", in("bytes", bytes, "via", via), metric) }
		body = append(body, []string{
			size(bytes), of("bridge", "p50").String(), of("bridge", "p99").String(), of("floor", "p50").String(), of("floor", "p99").String(),
			of("bridge", "p50").over(of("floor", "p50")).String(),
		})
	}
	return rows([]string{"config", "p50", "p99", "floor: p50", "p99", "p50 ÷ floor"}, body)
}

func simulation(r *bench.Results) string {
	return table(r, "simulation", "followers=followers; budget=budget (B/s)",
		"stored=bytes read by each; window=window; peak=peak within any tenth of it; mean=overall")
}

// machine describes the machine of the results.
func machine(r *bench.Results) string {
	m := r.Machine
	return fmt.Sprintf("%d cores of %s, %d GB, %s, %s, Redis %s, revision %s, the %s plan", m.Cores, m.CPU, m.MemoryGB, m.OS, m.Go, m.Redis, m.Revision, r.Plan)
}

// quick returns a note about the results of the quick plan, or "" for the full plan.
func quick(r *bench.Results) string {
	if r.Plan == "full" {
		return ""
	}
	return "These are the results of the quick plan: fewer iterations, and a leader of 1,000 SDK keys that polls each every 5 s instead of 55 s.\n\n"
}

// fleet describes the processes of the followers of the suite "patches".
func fleet(r *bench.Results) string {
	if r.Plan == "full" {
		return "ten processes"
	}
	return "several processes"
}

// edits describes the edits of the suite "memory".
func edits(r *bench.Results) string {
	n := get(r, "memory", in("bytes", "1048576"), "edits")
	if !n.known() {
		return ""
	}
	return ", and of one of 1 MB after " + n.String() + " edits of different flags"
}

// measuredUpTo returns the largest measured number of followers on one node.
func measuredUpTo(r *bench.Results) string {
	all := slices.Concat(values(r, "propagation", "followers"), values(r, "patches", "followers"), values(r, "storm", "followers"))
	most := 0.0
	for _, followers := range all {
		n, _ := strconv.ParseFloat(followers, 64)
		most = max(most, n)
	}
	return show(most)
}

// runs returns the number of runs.
func runs(r *bench.Results) int {
	most := 0
	for _, s := range r.Series {
		most = max(most, len(s.Values))
	}
	return most
}
