package follower

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2/server"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/catbridge/catbridge/follower/internal/feed"
	"github.com/catbridge/catbridge/internal/wire"
)

// staleReads answers the given number of reads of meta with the present fields, and reads of the
// blob meanwhile with the present blob. It returns the number of reads that remain.
func staleReads(t *testing.T, n *network, w *writer, reads int64) *atomic.Int64 {
	t.Helper()
	blob, _ := n.Get(w.keys.Blob)
	fields := map[string]string{}
	for _, name := range wire.MetaFields() {
		fields[name] = n.HGet(w.keys.Meta, name)
	}
	left := new(atomic.Int64)
	left.Store(reads)
	n.intercept(func(peer *server.Peer, cmd string, args ...string) bool {
		switch {
		case cmd == "GETRANGE" && args[0] == w.keys.Blob && left.Load() > 0:
			peer.WriteBulk(blob)
			return true
		case cmd == "HMGET" && left.Add(-1) >= 0:
			peer.WriteLen(len(args) - 1)
			for _, name := range args[1:] {
				peer.WriteBulk(fields[name])
			}
			return true
		}
		return false
	})
	return left
}

func TestALaggingReplicaIsReadAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		c := n.ready(t)
		staleReads(t, n, w, 3)
		w.commit(configJSON(2))
		wantVersion(t, c, 1)
		time.Sleep(350 * time.Millisecond) // 50 + 100 + 200 ms
		wantVersion(t, c, 2)
		if s := c.Stats(); s.LaggingReads != 3 {
			t.Errorf("%+v", s)
		}
	})
}

// The follower does not read in a loop from a replica that never catches up.
func TestAReplicaThatStaysBehindIsNotReadInALoop(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		w.beat()
		c := n.ready(t)
		left := staleReads(t, n, w, 1<<40)
		before := c.Stats().Reads
		w.commit(configJSON(2))
		time.Sleep(10 * time.Minute)
		wantVersion(t, c, 1)
		if reads := c.Stats().Reads - before; reads > 10*20*feed.LagTries {
			t.Errorf("%d reads in 10 minutes", reads)
		}
		left.Store(0)
		time.Sleep(90 * time.Second)
		wantVersion(t, c, 2)
	})
}

const firstAddr, secondAddr = "192.0.2.1:6379", "192.0.2.2:6379"

// clusterOf returns a client of a cluster of two nodes that reads from replicas. nodes returns the
// addresses of the nodes that serve all slots, the primary first.
func clusterOf(t *testing.T, first, second *network, nodes func() []string) *redis.ClusterClient {
	t.Helper()
	cluster := redis.NewClusterClient(&redis.ClusterOptions{
		Addrs: []string{firstAddr}, ReadOnly: true, PoolSize: 64, ContextTimeoutEnabled: true, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		ClusterSlots: func(context.Context) ([]redis.ClusterSlot, error) {
			slot := redis.ClusterSlot{End: 16383}
			for _, addr := range nodes() {
				slot.Nodes = append(slot.Nodes, redis.ClusterNode{Addr: addr})
			}
			return []redis.ClusterSlot{slot}, nil
		},
		Dialer: func(_ context.Context, _, addr string) (net.Conn, error) {
			if addr == secondAddr {
				return second.Dial()
			}
			return first.Dial()
		},
	})
	t.Cleanup(func() { _ = cluster.Close() })
	return cluster
}

// acceptReadOnly answers the cluster commands that miniredis does not know, and passes the others
// to next.
func acceptReadOnly(n *network, next func(peer *server.Peer, cmd string) bool) {
	n.intercept(func(peer *server.Peer, cmd string, _ ...string) bool {
		if cmd == "READONLY" {
			peer.WriteOK()
			return true
		}
		return next != nil && next(peer, cmd)
	})
}

// When a replica of a cluster is behind, the primary is read instead.
func TestThePrimaryIsReadWhenItsReplicaIsBehind(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		first, replica := n, newNetwork(t)
		acceptReadOnly(first, nil)
		acceptReadOnly(replica, nil)
		cluster := clusterOf(t, first, replica, func() []string { return []string{firstAddr, secondAddr} })
		behind := replica.writer(t)
		behind.commit(configJSON(1))
		w := first.writer(t)
		w.commit(configJSON(1))
		c := n.ready(t, func(c *Config) { c.Redis = cluster })
		wantVersion(t, c, 1)
		time.Sleep(time.Second)
		w.commit(configJSON(2))
		// The subscription may be on either node: in a real cluster both deliver.
		behind.publish(w.message(wire.Change))
		synctest.Wait()
		wantVersion(t, c, 1)
		time.Sleep(400 * time.Millisecond)
		wantVersion(t, c, 2)
		if s := c.Stats(); s.LaggingReads != 3 {
			t.Errorf("%+v", s)
		}
	})
}

// F22: the slot moves to another node; the previous one answers MOVED.
func TestReadsFollowAMovedSlot(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		first, second := n, newNetwork(t)
		var moved atomic.Bool
		acceptReadOnly(first, func(peer *server.Peer, cmd string) bool {
			if moved.Load() && (cmd == "GETRANGE" || cmd == "HMGET") {
				peer.WriteError("MOVED 1 " + secondAddr)
				return true
			}
			return false
		})
		acceptReadOnly(second, nil)
		cluster := clusterOf(t, first, second, func() []string {
			if moved.Load() {
				return []string{secondAddr}
			}
			return []string{firstAddr}
		})
		old := first.writer(t)
		old.commit(configJSON(1))
		c := n.ready(t, func(c *Config) { c.Redis = cluster })
		wantVersion(t, c, 1)
		time.Sleep(time.Second)
		moved.Store(true)
		w := second.writer(t)
		w.commit(configJSON(2))
		old.publish(w.message(wire.Change)) // both nodes deliver
		time.Sleep(time.Second)
		wantVersion(t, c, 2)
	})
}
