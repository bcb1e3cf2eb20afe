package main

import (
	"math"

	"github.com/catbridge/catbridge/test/bench"
)

// costs is the measured cost of followers to a Redis node.
type costs struct {
	cpu      float64 // µs per follower, for a message with a config of 10 KB
	bytes    float64 // of that message
	memory   float64 // bytes, of a newly connected follower
	idle     float64 // µs of CPU per second and follower, while nothing changes
	patch    float64 // bytes per follower, for a flag switched in a config of 1 MB
	patchCPU float64 // µs of CPU for that
	read     float64 // bytes of a config of 1 MB as followers read it
	reads    float64 // µs of CPU per follower for such a read, including the message
}

func measuredCosts(r *bench.Results) costs {
	each := func(metric, bytes string) float64 {
		of := func(followers string) float64 {
			return get(r, "propagation", in("followers", followers, "bytes", bytes, "via", "bridge"), metric).value
		}
		return (of("1000") - of("100")) / 900
	}
	const mb = "1048576"
	change := func(edit bench.Edit, metric string) float64 {
		return get(r, "patches", in("followers", "1000", "bytes", mb, "edit", string(edit), "patches", "yes", "window", "no"), metric).value
	}
	return costs{
		cpu: 1000 * each("redis-cpu", "10240"), bytes: each("redis-out", "10240"),
		memory: get(r, "propagation", in("followers", "1000", "bytes", "10240"), "redis-memory-follower").value,
		idle:   get(r, "idle", in("followers", "1000"), "redis-cpu-follower").value,
		patch:  change(bench.OneFlag, "redis-out-follower"), patchCPU: change(bench.OneFlag, "redis-cpu"), // ms for 1,000 are µs for one
		read: get(r, "compile", in("bytes", mb), "stored").value, reads: change(bench.Half, "redis-cpu"),
	}
}

func cell(value float64, unit string) string {
	return figure{value, value, value, unit}.String()
}

// node returns a table with the cost of one follower to a node.
func node(r *bench.Results) string {
	c := measuredCosts(r)
	return rows([]string{"for each follower", "on one node of Redis"}, [][]string{
		{"a change of 10 KB, sent with the message: CPU", cell(c.cpu, "µs")},
		{"the same: sent", cell(c.bytes, "B")},
		{"a flag switched in a config of 1 MB, sent as a patch: CPU", cell(c.patchCPU, "µs")},
		{"the same: sent", cell(c.patch, "B")},
		{"half of a config of 1 MB replaced, read separately: CPU", cell(c.reads, "µs")},
		{"the same: read", cell(c.read, "B")},
		{"while nothing changes: CPU", cell(c.idle, "µs/s")},
		{"memory just after connecting", cell(c.memory, "B")},
	})
}

// The limits of a node's load are a choice; the load per follower is measured.
const (
	mostStall = 250_000 // µs of Redis's only thread for one change
	mostIdle  = 250_000 // µs/s while nothing changes
	budget    = 50e6    // bytes/s, of reads
)

// perNode returns the number of subscribers that a node supports within these limits, in whole
// thousands and at least 1,000, or NaN if costs were not measured.
func (c costs) perNode() float64 {
	return max(math.Floor(min(mostStall/c.cpu, mostIdle/c.idle)/1000), 1) * 1000
}

// window returns the spread window in seconds, as the leader computes it.
func window(followers, bytes, budget float64) float64 {
	return (followers + 14*math.Sqrt(followers)) * bytes / budget
}

func perNode(r *bench.Results) string { return figure{value: measuredCosts(r).perNode()}.String() }

// scale returns a table with the cost of different numbers of followers.
func scale(r *bench.Results) string {
	c := measuredCosts(r)
	var body [][]string
	for _, followers := range []float64{10_000, 100_000, 1_000_000} {
		nodes := math.Ceil(followers / c.perNode())
		each := followers / nodes
		body = append(body, []string{
			show(followers), cell(nodes, "1"),
			cell(each*c.cpu/1000, "ms"), cell(each*c.bytes, "B"), cell(each*c.idle/1e4, "%"), cell(each*c.memory, "B"),
			cell(window(followers, c.read, nodes*budget), "s"), cell(window(followers, c.read, budget), "s"),
		})
	}
	return rows([]string{
		"followers", "nodes with up to " + perNode(r), "a change of 10 KB: CPU of a node", "sent by a node",
		"CPU of a node while nothing changes", "memory of a node after connecting",
		"half of 1 MB replaced: window, a budget for each node", "window, 50 MB/s for all",
	}, body)
}
