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

// Follower is the source of a [FollowerCollector]'s metrics, for instance a [*follower.Client].
type Follower interface {
	// Stats is called at each scrape. It must be safe for concurrent use.
	Stats() follower.Stats
}

// FollowerCollector exports metrics of any number of follower clients. All methods are safe for
// concurrent use.
type FollowerCollector struct {
	mu      sync.Mutex
	clients map[string]Follower
}

// NewFollowerCollector returns a collector without clients; see [FollowerCollector.Add].
func NewFollowerCollector() *FollowerCollector {
	return &FollowerCollector{clients: map[string]Follower{}}
}

// Add adds a client. Its name is the value of the label sdk_key. It should be the name of the SDK
// key at the leader, so queries can compare them. Add returns an error if there is no name or no
// client, the name is not UTF-8, another client has the name, or the name is an SDK key.
func (c *FollowerCollector) Add(name string, client Follower) error {
	switch {
	case name == "":
		return errors.New("metrics: the client needs a name for the label sdk_key")
	case !utf8.ValidString(name):
		return fmt.Errorf("metrics: the name %q is not valid UTF-8", name)
	case cdn.CheckSDKKey(name, true) == nil:
		return fmt.Errorf("metrics: %s is an SDK key, which all readers of the metrics would see; use another name", cdn.Mask(name))
	case client == nil:
		return fmt.Errorf("metrics: no client for the name %q", name)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.clients[name] != nil {
		return fmt.Errorf("metrics: duplicate client name %q; use another name", name)
	}
	c.clients[name] = client
	return nil
}

// Remove removes the client of that name, if there is one.
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
