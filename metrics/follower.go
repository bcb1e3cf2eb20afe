package metrics

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/cdn"
)

// Follower is what a [FollowerCollector] tells of; a [*follower.Client] is one.
type Follower interface{ Stats() follower.Stats }

// FollowerCollector tells of any number of follower clients. All methods are safe for
// concurrent use.
type FollowerCollector struct {
	mu      sync.Mutex
	clients map[string]Follower
}

// NewFollowerCollector gives a collector to register; see [FollowerCollector.Add].
func NewFollowerCollector() *FollowerCollector {
	return &FollowerCollector{clients: map[string]Follower{}}
}

// Add lets the collector tell of a client, under a name that stands for its SDK key in
// the label sdk_key: best the one that it has at the leader, so that queries can compare
// them. The errors: there is no name or no client, the name is not UTF-8, a client of that name is
// told of already, or the name is an SDK key.
func (c *FollowerCollector) Add(name string, client Follower) error {
	switch {
	case name == "":
		return errors.New("metrics: the client needs a name, to stand for its SDK key")
	case !utf8.ValidString(name):
		return fmt.Errorf("metrics: the name %q is not valid UTF-8", name)
	case cdn.CheckSDKKey(name, true) == nil:
		return fmt.Errorf("metrics: %s is an SDK key, and would be seen by all who read the metrics: give the client a name", cdn.Mask(name))
	case client == nil:
		return fmt.Errorf("metrics: there is no client to tell of as %q", name)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.clients[name] != nil {
		return fmt.Errorf("metrics: a client of the name %q is there already: give each its own", name)
	}
	c.clients[name] = client
	return nil
}

// Remove lets the collector tell nothing more of the client of that name, if there is one.
func (c *FollowerCollector) Remove(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.clients, name)
}

// Describe implements [prometheus.Collector].
func (c *FollowerCollector) Describe(to chan<- *prometheus.Desc) { followerFamily.describe(to) }

// Collect implements [prometheus.Collector].
func (c *FollowerCollector) Collect(to chan<- prometheus.Metric) {
	c.mu.Lock()
	clients := maps.Clone(c.clients)
	c.mu.Unlock()
	now := time.Now()
	for _, name := range slices.Sorted(maps.Keys(clients)) {
		stats := clients[name].Stats()
		followerFamily.collect(to, &stats, now, name)
	}
}
