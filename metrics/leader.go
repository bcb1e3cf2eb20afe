package metrics

import (
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/catbridge/catbridge/leader"
)

// Leader is the source of a [LeaderCollector]'s metrics, for instance a [*leader.Leader].
type Leader interface {
	// Stats is called at each scrape. It must be safe for concurrent use.
	Stats() leader.Stats
}

// LeaderCollector exports metrics of a leader, for each of its SDK keys. It is safe for
// concurrent use, and follows changes of the set of SDK keys.
type LeaderCollector struct{ leader Leader }

// NewLeaderCollector returns a collector of l's metrics.
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
		name := strings.ToValidUTF8(k.Name, "\uFFFD") // labels must be UTF-8
		if seen[name] {
			continue // two SDK keys are being renamed
		}
		seen[name] = true
		leaderFamily.collect(to, &k, now, name)
	}
}
