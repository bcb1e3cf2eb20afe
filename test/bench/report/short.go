package main

import "github.com/catbridge/catbridge/test/bench"

// short returns a table of the figures that readers look for first.
func short(r *bench.Results) string {
	const kb10, mb = "10240", "1048576"
	propagated := func(followers, metric string) string {
		return get(r, "propagation", in("followers", followers, "bytes", kb10, "via", "bridge"), metric).String()
	}
	switched := func(metric string) string {
		return get(r, "patches", in("followers", "1000", "bytes", mb, "edit", string(bench.OneFlag), "patches", "yes", "window", "no"), metric).String()
	}
	of := func(suite string, labels bench.Labels, metric string) string {
		return get(r, suite, labels, metric).String()
	}
	return rows([]string{"question", "measured"}, [][]string{
		{"from the webhook until one follower evaluates the change, config of 10 KB", propagated("1", "p50")},
		{"until the last of 1,000 followers does", propagated("1000", "last")},
		{"until the last of 5,000 followers does", propagated("5000", "last")},
		{"the last of 1,000 followers, a flag switched in a config of 1 MB", switched("last")},
		{"Redis sends each of them", switched("redis-out-follower")},
		{"an evaluation without a user, of a string", of("evaluation", nil, "text-no-user")},
		{"an evaluation with rules and details, of a bool", of("evaluation", nil, "bool-details")},
		{"from the creation of a client to its first evaluation, config of 10 KB", of("ready", in("bytes", kb10, "via", "bridge"), "p50")},
		{"memory of a follower, config of 10 KB", of("memory", in("bytes", kb10), "heap")},
		{"memory of a follower, config of 1 MB", of("memory", in("bytes", mb), "heap")},
		{"a leader of 1,000 SDK keys: of one core", of("keys", in("keys", "1000"), "cpu")},
	})
}
