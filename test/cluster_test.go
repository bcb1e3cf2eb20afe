package test

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/test/redistest"
	"github.com/redis/go-redis/v9"
)

// onCluster plays on a guarded cluster of three primaries with a replica each.
func onCluster(t *testing.T, play func(w *world, cluster *redistest.Cluster)) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts six processes")
	}
	t.Parallel()
	start := func(t *testing.T) *world {
		cluster := guarded(t, "cluster.acl").StartCluster(t, 3, 1)
		w := onGuarded(t, cluster.ClientAs, cluster.Nodes()...)
		w.cluster = cluster
		w.processes()
		return w
	}
	inLanes(t, start, func(w *world) { play(w, w.cluster) })
}

// owner is the primary that has the bridge's keys, and its replica.
func (w *world) owner(cluster *redistest.Cluster) (primary, replica *redistest.Process) {
	w.Helper()
	client := w.admin.(*redis.ClusterClient)
	node, err := client.MasterForKey(w.Context(), w.keys.Entry)
	if err != nil {
		w.Fatal(err)
	}
	for i, p := range cluster.Primaries {
		switch node.Options().Addr {
		case p.Addr():
			return p, cluster.Replicas[i]
		case cluster.Replicas[i].Addr():
			return cluster.Replicas[i], p
		}
	}
	w.Fatalf("no node has the address %s", node.Options().Addr)
	return nil, nil
}

// F22: followers hear messages on whichever node they are subscribed.
func TestF22_ChangeReachesFollowersOnEveryNodeOfACluster(t *testing.T) {
	onCluster(t, func(w *world, _ *redistest.Cluster) {
		w.ready(9)
		if _, nodes, err := w.subscriptions(); nodes < 2 || err != nil {
			w.Errorf("all are subscribed on %d node: %v", nodes, err)
		}
		for range 3 {
			w.reached(w.cdn.Publish(), w.poll())
		}
		w.reached(w.cdn.SetMinBytes(100<<10), w.poll())
		w.settle()
	})
}

func TestF22_ClusterFailsOverWithoutGoingBack(t *testing.T) {
	onCluster(t, func(w *world, cluster *redistest.Cluster) {
		w.ready(6)
		for range w.rounds(2) {
			w.audit.allowLoss()
			_, replica := w.owner(cluster)
			asked := time.Now()
			w.do(replica, "CLUSTER", "FAILOVER")
			w.eventually(0, "the replica has taken over", func() bool {
				w.admin.(*redis.ClusterClient).ReloadState(w.Context())
				primary, _ := w.owner(cluster)
				return primary == replica
			})
			w.reached(w.cdn.Publish(), w.leader.RenewDeadline+w.poll())
			w.recovered(asked, w.leader.RenewDeadline+w.poll())
			w.heartbeats() // nobody is silent
			w.settle()
		}
	})
}

func TestF22_ClusterLosesANodeWithoutGoingBack(t *testing.T) {
	onCluster(t, func(w *world, cluster *redistest.Cluster) {
		w.ready(6)
		w.audit.allowLoss()
		primary, _ := w.owner(cluster)
		primary.Kill()
		killed, bound := time.Now(), max(w.leader.LeaseDuration, 2*redistest.NodeTimeout)+3*time.Second
		w.reached(w.cdn.Publish(), bound)
		w.recovered(killed, bound)
		w.states(w.follower.Dead+w.back(), follower.Live)
		w.heartbeats() // nobody is silent
		w.settle()
	})
}
