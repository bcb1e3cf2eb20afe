package test

import (
	"testing"

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
		for range 2 {
			w.audit.allowLoss()
			_, replica := w.owner(cluster)
			if err := replica.Client(w.T, nil).Do(w.Context(), "CLUSTER", "FAILOVER").Err(); err != nil {
				w.Fatal(err)
			}
			w.eventually(0, "the replica has taken over", func() bool {
				w.admin.(*redis.ClusterClient).ReloadState(w.Context())
				primary, _ := w.owner(cluster)
				return primary == replica
			})
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
		w.settle()
	})
}

// onSentinel plays on a guarded primary with two replicas that guarded Sentinels watch over.
func onSentinel(t *testing.T, play func(w *world, sentinel *redistest.Sentinel)) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts six processes")
	}
	t.Parallel()
	start := func(t *testing.T) *world {
		sentinel := guarded(t, "replicated.acl").StartSentinel(t, 2)
		w := onGuarded(t, sentinel.ClientAs, sentinel.Nodes...)
		w.harmless(sentinel.Sentinels...)
		w.sentinel = sentinel
		return w
	}
	inLanes(t, start, func(w *world) { play(w, w.sentinel) })
}

func TestF04_SentinelsReplaceTheKilledPrimary(t *testing.T) {
	onSentinel(t, func(w *world, sentinel *redistest.Sentinel) {
		w.ready(3)
		w.audit.allowLoss()
		version := w.cdn.Publish()
		sentinel.Primary(w.T).Kill()
		w.reached(version, w.poll())
		w.settle()
	})
}

func TestF05_SentinelsReplaceTheKilledPrimaryWhileTheLeaderDies(t *testing.T) {
	onSentinel(t, func(w *world, sentinel *redistest.Sentinel) {
		first, second := w.ready(3)
		w.audit.allowLoss()
		sentinel.Primary(w.T).Kill()
		first.kill()
		version := w.cdn.Publish()
		w.eventually(w.takeover(), "the other leads", second.leads)
		w.reached(version, w.poll())
		w.settle()
	})
}

// F8: the primary is stopped, replaced, and goes on, not knowing of it.
func TestF08_ThawedPrimaryMisleadsNobody(t *testing.T) {
	onSentinel(t, func(w *world, sentinel *redistest.Sentinel) {
		w.ready(3)
		w.audit.allowLoss()
		old := sentinel.Primary(w.T)
		old.Pause(w.T)
		w.eventually(0, "another is the primary", func() bool { return sentinel.Primary(w.T) != old })
		version := w.cdn.Publish()
		w.reached(version, w.poll())
		old.Resume(w.T)
		w.pass(w.leader.LockExpiry)
		w.settle()
	})
}

func TestF06_ManyFailoversNeverTakeContentBack(t *testing.T) {
	onSentinel(t, func(w *world, sentinel *redistest.Sentinel) {
		w.ready(3)
		w.audit.allowLoss()
		for range 3 {
			old := sentinel.Primary(w.T)
			w.eventually(0, "the Sentinels agree to a failover", func() bool {
				w.cdn.Publish()
				return sentinel.Failover(w.T) == nil
			})
			w.eventually(0, "another is the primary", func() bool { return sentinel.Primary(w.T) != old })
			w.reached(w.cdn.Publish(), w.poll())
		}
		w.settle()
	})
}
