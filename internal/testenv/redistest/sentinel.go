package redistest

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// MasterName is the Sentinels' name of the primary.
const MasterName = "bridge"

// DownAfter is how long a node must be silent until the Sentinels consider it down, after
// [Sentinel.ReplaceSilent].
const DownAfter = time.Second

// patience is how long a node may be silent before. No test runs so long: a busy machine that delays
// a primary does not make the Sentinels replace it.
const patience = time.Hour

// Sentinel is a primary with replicas and three Sentinels, all of them real processes.
type Sentinel struct {
	Nodes     []*Process // the first is the primary at the start
	Sentinels []*Process

	guard *Guard
}

// StartSentinel starts a primary with that many replicas, and the Sentinels, and waits
// until they know all of them. It ends with the test; without a redis-server the test ends,
// see [Start].
func StartSentinel(t testing.TB, replicas int) *Sentinel {
	t.Helper()
	return (*Guard)(nil).StartSentinel(t, replicas)
}

// StartSentinel starts guarded nodes and Sentinels, see [StartSentinel].
func (g *Guard) StartSentinel(t testing.TB, replicas int) *Sentinel {
	t.Helper()
	s := &Sentinel{Nodes: []*Process{g.Start(t)}, guard: g}
	primary := s.Nodes[0]
	for range replicas {
		s.Nodes = append(s.Nodes, g.Start(t, "--replicaof", "127.0.0.1", strconv.Itoa(primary.Port)))
	}
	for range 3 {
		s.Sentinels = append(s.Sentinels, startSentinel(t, g, primary))
	}
	for _, sentinel := range s.Sentinels {
		sentinel.await(t, "knows the others", func() bool {
			known := fmt.Sprint(sentinel.must(t, "INFO", "sentinel"))
			return strings.Contains(known, fmt.Sprintf("status=ok,address=%s,slaves=%d,sentinels=3", primary.Addr(), replicas))
		})
	}
	return s
}

func startSentinel(t testing.TB, g *Guard, primary *Process) *Process {
	t.Helper()
	return launchProgram(t, g, func(p *Process) []string {
		config := fmt.Sprintf("dir %q\nsentinel monitor %s 127.0.0.1 %d 2\n", p.Dir, MasterName, primary.Port) +
			fmt.Sprintf("sentinel down-after-milliseconds %s %d\nsentinel failover-timeout %[1]s 3000\n", MasterName, patience.Milliseconds())
		if g != nil && g.Nodes != "" {
			config += fmt.Sprintf("sentinel auth-user %s %s\nsentinel auth-pass %[1]s %[3]s\n", MasterName, g.Sentinel.Name, g.Sentinel.Password)
		}
		if g != nil && g.Sentinels != "" {
			config += fmt.Sprintf("aclfile %q\nsentinel sentinel-user %s\nsentinel sentinel-pass %s\n",
				p.write(t, "users.acl", g.Sentinels), g.Sentinel.Name, g.Sentinel.Password)
		}
		// A Sentinel writes its state into its configuration file.
		file := p.write(t, "sentinel.conf", config)
		return append([]string{file, "--sentinel", "--bind", "127.0.0.1"}, g.listen(t, p)...)
	})
}

// Client returns a new client with all rights that asks the Sentinels for the primary,
// closed at the end of the test. All its connections go through link; nil: they are direct.
func (s *Sentinel) Client(t testing.TB, link *Link) *redis.Client {
	t.Helper()
	return s.ClientAs(t, s.guard.admin(), link)
}

// ClientAs is [Sentinel.Client] for another user of the nodes.
func (s *Sentinel) ClientAs(t testing.TB, user User, link *Link) *redis.Client {
	t.Helper()
	opts := &redis.FailoverOptions{
		MasterName: MasterName, Username: user.Name, Password: user.Password, TLSConfig: s.guard.clientConfig(t),
		MaxRetries: -1, ContextTimeoutEnabled: true, DisableIdentity: true, DialerRetries: 1,
	}
	if s.guard != nil {
		opts.SentinelUsername, opts.SentinelPassword = s.guard.Discover.Name, s.guard.Discover.Password
	}
	for _, sentinel := range s.Sentinels {
		opts.SentinelAddrs = append(opts.SentinelAddrs, sentinel.Addr())
	}
	opts.Dialer = s.guard.dialThrough(t, link)
	client := redis.NewFailoverClient(opts)
	closeWithTest(t, client, link)
	return client
}

// ReplaceSilent makes the Sentinels replace the primary when it has been silent for [DownAfter]. Before
// that, they do so only when they are asked to, see [Sentinel.Failover].
func (s *Sentinel) ReplaceSilent(t testing.TB) {
	t.Helper()
	for _, sentinel := range s.Sentinels {
		sentinel.must(t, "SENTINEL", "SET", MasterName, "down-after-milliseconds", DownAfter.Milliseconds())
	}
}

// Primary returns the node that is the primary according to the Sentinels.
func (s *Sentinel) Primary(t testing.TB) *Process {
	t.Helper()
	reply := s.Sentinels[0].must(t, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", MasterName)
	address := strings.Join(strings.Fields(strings.Trim(fmt.Sprint(reply), "[]")), ":")
	for _, node := range s.Nodes {
		if node.Addr() == address {
			return node
		}
	}
	t.Fatalf("redistest: no node has the primary's address %s", address)
	return nil
}

// Failover asks for another primary while the current one works. The Sentinels refuse for a
// while after an earlier failover.
func (s *Sentinel) Failover(t testing.TB) error {
	t.Helper()
	client := s.Sentinels[0].client(t)
	return client.Do(t.Context(), "SENTINEL", "FAILOVER", MasterName).Err()
}
