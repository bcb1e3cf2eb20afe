package redistest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const slots = 16384

// NodeTimeout is how long a node must be silent until the cluster considers it failed.
const NodeTimeout = time.Second

// Cluster is a Redis Cluster of real processes.
type Cluster struct {
	Primaries []*Process // in the order of their slots at the start
	Replicas  []*Process // the first replica of the first primary, the first of the second, …

	guard *Guard
}

// StartCluster starts a cluster, each primary with that many replicas, and waits until all
// slots are served. It ends with the test; without a redis-server the test ends, see
// [Start].
func StartCluster(t testing.TB, primaries, replicas int) *Cluster {
	t.Helper()
	return (*Guard)(nil).StartCluster(t, primaries, replicas)
}

// StartCluster starts guarded nodes of a cluster, see [StartCluster].
func (g *Guard) StartCluster(t testing.TB, primaries, replicas int) *Cluster {
	t.Helper()
	c := &Cluster{guard: g}
	for range primaries {
		c.Primaries = append(c.Primaries, startNode(t, g))
	}
	for range primaries * replicas {
		c.Replicas = append(c.Replicas, startNode(t, g))
	}
	first := c.Primaries[0]
	for i, node := range c.Primaries {
		node.must(t, "CLUSTER", "ADDSLOTSRANGE", i*slots/primaries, (i+1)*slots/primaries-1)
	}
	for _, node := range c.Nodes()[1:] {
		node.must(t, "CLUSTER", "MEET", "127.0.0.1", first.Port, first.busPort)
	}
	c.awaitAll(t, "knows all nodes", "cluster_known_nodes:"+strconv.Itoa(len(c.Nodes()))+"\r\n")
	for i, node := range c.Replicas {
		id := c.Primaries[i%primaries].must(t, "CLUSTER", "MYID")
		node.must(t, "CLUSTER", "REPLICATE", id)
	}
	c.awaitAll(t, "is well", "cluster_state:ok\r\n")
	for _, node := range c.Replicas {
		node.await(t, "is in sync", func() bool {
			return strings.Contains(fmt.Sprint(node.must(t, "INFO", "replication")), "master_link_status:up")
		})
	}
	return c
}

func startNode(t testing.TB, g *Guard) *Process {
	t.Helper()
	return launchServer(t, g, func(p *Process) []string {
		// The default is the port plus 10000, which may not be a valid port.
		p.busPort = freePort(t)
		return []string{
			"--cluster-enabled", "yes", "--cluster-node-timeout", strconv.FormatInt(NodeTimeout.Milliseconds(), 10),
			"--cluster-port", strconv.Itoa(p.busPort),
		}
	})
}

// Nodes returns all processes.
func (c *Cluster) Nodes() []*Process { return slices.Concat(c.Primaries, c.Replicas) }

func (c *Cluster) awaitAll(t testing.TB, what, line string) {
	t.Helper()
	for _, node := range c.Nodes() {
		node.await(t, what, func() bool {
			return strings.Contains(fmt.Sprint(node.must(t, "CLUSTER", "INFO")), line)
		})
	}
}

// Client returns a new client of the cluster with all rights, closed at the end of the
// test. All its connections go through link; nil: they are direct.
func (c *Cluster) Client(t testing.TB, link *Link) *redis.ClusterClient {
	t.Helper()
	return c.ClientAs(t, c.guard.admin(), link)
}

// ClientAs is [Cluster.Client] for another user.
func (c *Cluster) ClientAs(t testing.TB, user User, link *Link) *redis.ClusterClient {
	t.Helper()
	opts := &redis.ClusterOptions{
		Username: user.Name, Password: user.Password, TLSConfig: c.guard.clientConfig(t),
		MaxRetries: -1, ContextTimeoutEnabled: true, DisableIdentity: true, DialerRetries: 1,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	for _, node := range c.Nodes() {
		opts.Addrs = append(opts.Addrs, node.Addr())
	}
	opts.Dialer = c.guard.dialThrough(t, link)
	client := redis.NewClusterClient(opts)
	closeWithTest(t, client, link)
	return client
}

// client returns a client for the harness itself.
func (p *Process) client(t testing.TB) *redis.Client {
	t.Helper()
	if p.own == nil {
		p.own = p.guard.own(t, p.Addr())
		t.Cleanup(func() { _ = p.own.Close() })
	}
	return p.own
}

// must sends a command and ends the test if it fails.
func (p *Process) must(t testing.TB, args ...any) any {
	t.Helper()
	reply, err := p.client(t).Do(t.Context(), args...).Result()
	if err != nil {
		t.Fatalf("redistest: %v on port %d: %v", args, p.Port, err)
	}
	return reply
}

func (p *Process) await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(startTimeout); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("redistest: not within %v: the node on port %d %s", startTimeout, p.Port, what)
		}
	}
}
