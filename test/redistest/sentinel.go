package redistest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// MasterName is the name under which Sentinels know the primary.
const MasterName = "bridge"

// downAfter is after how many milliseconds of silence Sentinels take a node for down.
const downAfter = 1000

// Sentinel is a primary with replicas, watched over by three Sentinels, all of them
// real processes.
type Sentinel struct {
	Nodes     []*Process // the first is the primary at the start
	Sentinels []*Process
}

// StartSentinel starts a primary with that many replicas, and the Sentinels, and waits
// until they know all of them. It ends with the test; without a redis-server the test
// ends, see [Start].
func StartSentinel(t testing.TB, replicas int) *Sentinel {
	t.Helper()
	s := &Sentinel{Nodes: []*Process{Start(t)}}
	primary := s.Nodes[0]
	for range replicas {
		s.Nodes = append(s.Nodes, Start(t, "--replicaof", "127.0.0.1", strconv.Itoa(primary.Port), "--repl-diskless-sync-delay", "0"))
	}
	for range 3 {
		s.Sentinels = append(s.Sentinels, startSentinel(t, primary))
	}
	for _, sentinel := range s.Sentinels {
		sentinel.await(t, "knows the others", func() bool {
			known := fmt.Sprint(sentinel.must(t, "INFO", "sentinel"))
			return strings.Contains(known, fmt.Sprintf("status=ok,address=%s,slaves=%d,sentinels=3", primary.Addr(), replicas))
		})
	}
	return s
}

func startSentinel(t testing.TB, primary *Process) *Process {
	t.Helper()
	return launchProgram(t, func(p *Process) []string {
		// A Sentinel writes what it learns into its configuration file.
		file := filepath.Join(p.Dir, "sentinel.conf")
		config := fmt.Sprintf(`port %d
bind 127.0.0.1
dir %q
sentinel monitor %s 127.0.0.1 %d 2
sentinel down-after-milliseconds %s %d
sentinel failover-timeout %s 3000
`, p.Port, p.Dir, MasterName, primary.Port, MasterName, downAfter, MasterName)
		if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
			t.Fatalf("redistest: %v", err)
		}
		return []string{file, "--sentinel"}
	})
}

// Client returns a new client that asks the Sentinels for the primary, closed at the
// end of the test. All its connections go through link; nil: nothing stands between.
func (s *Sentinel) Client(t testing.TB, link *Link) *redis.Client {
	t.Helper()
	opts := &redis.FailoverOptions{
		MasterName: MasterName, MaxRetries: -1, ContextTimeoutEnabled: true, DisableIdentity: true, DialerRetries: 1,
	}
	for _, sentinel := range s.Sentinels {
		opts.SentinelAddrs = append(opts.SentinelAddrs, sentinel.Addr())
	}
	opts.Dialer = dialThrough(link)
	client := redis.NewFailoverClient(opts)
	closeWithTest(t, client, link)
	return client
}

// Primary returns the node that the Sentinels take for the primary now.
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

// Failover asks for another primary though this one is well. The Sentinels refuse for
// a while after the last time.
func (s *Sentinel) Failover(t testing.TB) error {
	t.Helper()
	client := s.Sentinels[0].client(t)
	return client.Do(t.Context(), "SENTINEL", "FAILOVER", MasterName).Err()
}
