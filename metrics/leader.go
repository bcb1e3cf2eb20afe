package metrics

import (
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/catbridge/catbridge/leader"
)

// Leader is what a [LeaderCollector] tells of; a [*leader.Leader] is one.
type Leader interface{ Stats() leader.Stats }

// LeaderCollector tells of a leader, for each of its SDK keys. It is safe for
// concurrent use, and follows the set of SDK keys as it changes.
type LeaderCollector struct{ leader Leader }

// NewLeaderCollector gives a collector to register.
func NewLeaderCollector(l Leader) *LeaderCollector { return &LeaderCollector{l} }

// Describe implements [prometheus.Collector].
func (c *LeaderCollector) Describe(to chan<- *prometheus.Desc) {
	processFamily.describe(to)
	leaderFamily.describe(to)
}

// Collect implements [prometheus.Collector].
func (c *LeaderCollector) Collect(to chan<- prometheus.Metric) {
	stats, now := c.leader.Stats(), time.Now()
	processFamily.collect(to, &stats, now)
	seen := map[string]bool{}
	for _, k := range stats.Keys {
		name := strings.ToValidUTF8(k.Name, "\uFFFD") // a label must be
		if seen[name] {
			continue // two are being renamed at this moment
		}
		seen[name] = true
		leaderFamily.collect(to, &k, now, name)
	}
}
