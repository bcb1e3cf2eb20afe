package redisnode_test

import (
	"io"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/internal/redisnode"
)

func TestOnlyClientsOfOneRedisOrAClusterAreAccepted(t *testing.T) {
	single := redis.NewClient(&redis.Options{Addr: "a:1", DB: 3})
	cluster := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"a:1", "b:2"}, ReadOnly: true})
	primaries := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"c:3"}})
	ring := redis.NewRing(&redis.RingOptions{})
	for _, closer := range []io.Closer{single, cluster, primaries, ring} {
		t.Cleanup(func() { _ = closer.Close() })
	}
	for _, c := range []struct {
		name     string
		client   redis.UniversalClient
		want     string // the error
		addr     string
		db       int
		cluster  bool
		replicas bool
	}{
		{"single", single, "", "a:1", 3, false, false},
		{"cluster", cluster, "", "a:1,b:2", 0, true, true},
		{"cluster of primaries", primaries, "", "c:3", 0, true, false},
		{"none", nil, "a client is required", "", 0, false, false},
		{"nil single", (*redis.Client)(nil), "a client is required, have a nil *redis.Client", "", 0, false, false},
		{"nil cluster", (*redis.ClusterClient)(nil), "a client is required, have a nil *redis.ClusterClient", "", 0, false, false},
		{"ring", ring, "want a *redis.Client or a *redis.ClusterClient, have a *redis.Ring", "", 0, false, false},
	} {
		have := ""
		if err := redisnode.Check(c.client); err != nil {
			have = err.Error()
		}
		if have != c.want {
			t.Errorf("%s: %q, want %q", c.name, have, c.want)
		}
		if o := redisnode.OptionsOf(c.client); o.Addr != c.addr || o.DB != c.db {
			t.Errorf("%s: options %+v", c.name, o)
		}
		if redisnode.ReadsReplicas(c.client) != c.replicas {
			t.Errorf("%s: ReadsReplicas %v", c.name, redisnode.ReadsReplicas(c.client))
		}
		if (redisnode.Single(c.client) != nil) != (c.want == "" && !c.cluster) {
			t.Errorf("%s: Single returned %v", c.name, redisnode.Single(c.client))
		}
	}
}
