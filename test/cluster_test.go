package test

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/redis/go-redis/v9"
)

// onCluster runs on a guarded cluster of three primaries with one replica each.
func onCluster(t *testing.T, run func(env *environment, cluster *redistest.Cluster)) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts six processes")
	}
	t.Parallel()
	start := func(t *testing.T) *environment {
		cluster := guarded(t, "cluster.acl").StartCluster(t, 3, 1)
		env := onGuarded(t, cluster.ClientAs, cluster.Nodes()...)
		env.cluster = cluster
		env.processes()
		return env
	}
	inLanes(t, start, func(env *environment) { run(env, env.cluster) })
}

// owner returns the primary that has the bridge's keys, and its replica.
func (env *environment) owner(cluster *redistest.Cluster) (primary, replica *redistest.Process) {
	env.Helper()
	client := env.admin.(*redis.ClusterClient)
	node, err := client.MasterForKey(env.Context(), env.keys.Entry)
	if err != nil {
		env.Fatal(err)
	}
	for i, p := range cluster.Primaries {
		switch node.Options().Addr {
		case p.Addr():
			return p, cluster.Replicas[i]
		case cluster.Replicas[i].Addr():
			return cluster.Replicas[i], p
		}
	}
	env.Fatalf("no node has the address %s", node.Options().Addr)
	return nil, nil
}

// F22: followers receive messages from any node that they subscribe to.
func TestF22_ChangeReachesFollowersOnEveryNodeOfACluster(t *testing.T) {
	onCluster(t, func(env *environment, _ *redistest.Cluster) {
		env.ready(9)
		if _, nodes, err := env.subscriptions(); nodes < 2 || err != nil {
			env.Errorf("all are subscribed on %d node: %v", nodes, err)
		}
		for range 3 {
			env.reached(env.cdn.Publish(), env.poll())
		}
		env.reached(env.cdn.SetMinBytes(100<<10), env.poll())
		env.settle()
	})
}

func TestF22_ClusterFailoverDoesNotRollContentBack(t *testing.T) {
	onCluster(t, func(env *environment, cluster *redistest.Cluster) {
		env.ready(6)
		for range env.rounds(2) {
			env.audit.allowLoss()
			_, replica := env.owner(cluster)
			asked := time.Now()
			env.do(replica, "CLUSTER", "FAILOVER")
			env.eventually(0, "the replica has taken over", func() bool {
				env.admin.(*redis.ClusterClient).ReloadState(env.Context())
				primary, _ := env.owner(cluster)
				return primary == replica
			})
			env.reached(env.cdn.Publish(), env.leader.RenewDeadline+env.poll())
			env.recovered(asked, env.leader.RenewDeadline+env.poll())
			env.heartbeats() // all followers receive messages
			env.settle()
		}
	})
}

func TestF22_LostClusterNodeDoesNotRollContentBack(t *testing.T) {
	onCluster(t, func(env *environment, cluster *redistest.Cluster) {
		env.ready(6)
		env.audit.allowLoss()
		primary, _ := env.owner(cluster)
		primary.Kill()
		killed, bound := time.Now(), max(env.leader.LeaseDuration, 2*redistest.NodeTimeout)+3*time.Second
		env.reached(env.cdn.Publish(), bound)
		env.recovered(killed, bound)
		env.states(env.follower.Dead+env.reconnectBound(), follower.Live)
		env.heartbeats() // all followers receive messages
		env.settle()
	})
}
