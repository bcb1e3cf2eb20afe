package e2e

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/test/harness"
	"github.com/redis/go-redis/v9"
)

// F22: followers receive messages from any node that they subscribe to.
func TestF22_ChangeReachesFollowersOnEveryNodeOfACluster(t *testing.T) {
	harness.OnCluster(t, func(env *harness.Environment, _ *redistest.Cluster) {
		env.StartAll(9)
		if _, nodes, err := env.Subscriptions(); nodes < 2 || err != nil {
			env.Errorf("all are subscribed on %d node: %v", nodes, err)
		}
		for range 3 {
			env.AwaitVersion(env.CDN.Publish(), env.PollBound())
		}
		env.AwaitVersion(env.CDN.SetVaryingBytes(100<<10), env.PollBound())
		env.Settle()
	})
}

func TestF22_ClusterFailoverDoesNotRollContentBack(t *testing.T) {
	harness.OnCluster(t, func(env *harness.Environment, cluster *redistest.Cluster) {
		env.StartAll(6)
		for range env.Rounds(2) {
			env.Audit.AllowLoss()
			_, replica := env.KeyOwner(cluster)
			asked := time.Now()
			env.Do(replica, "CLUSTER", "FAILOVER")
			env.Eventually(0, "the replica has taken over", func() bool {
				env.Admin.(*redis.ClusterClient).ReloadState(env.Context())
				primary, _ := env.KeyOwner(cluster)
				return primary == replica
			})
			env.AwaitVersion(env.CDN.Publish(), env.Leader.RenewDeadline+env.PollBound())
			env.Recovered(asked, env.Leader.RenewDeadline+env.PollBound())
			env.AwaitHeartbeats() // all followers receive messages
			env.Settle()
		}
	})
}

func TestF22_LostClusterNodeDoesNotRollContentBack(t *testing.T) {
	harness.OnCluster(t, func(env *harness.Environment, cluster *redistest.Cluster) {
		env.StartAll(6)
		env.Audit.AllowLoss()
		primary, _ := env.KeyOwner(cluster)
		primary.Kill()
		killed, bound := time.Now(), max(env.Leader.LeaseDuration, 2*redistest.NodeTimeout)+3*time.Second
		env.AwaitVersion(env.CDN.Publish(), bound)
		env.Recovered(killed, bound)
		env.AwaitState(env.Follower.Dead+env.ReconnectBound(), follower.StateLive)
		env.AwaitHeartbeats() // all followers receive messages
		env.Settle()
	})
}

// The slot of the bridge's keys moves to another primary and back, as when a cluster is
// resharded, while leaders and followers run.
func TestF22_SlotMigrationKeepsSubscriptionsAlive(t *testing.T) {
	harness.OnCluster(t, func(env *harness.Environment, cluster *redistest.Cluster) {
		env.StartAll(9)
		for range env.Rounds(2) {
			home, _ := env.KeyOwner(cluster)
			for _, other := range cluster.Primaries {
				if other == home {
					continue
				}
				move(env, cluster, home, other)
				move(env, cluster, other, home)
			}
		}
		env.Settle()
	})
}

func move(env *harness.Environment, cluster *redistest.Cluster, from, to *redistest.Process) {
	env.Helper()
	moved := time.Now()
	cluster.MoveSlot(env.T, env.Keys.Entry, from, to)
	version := env.CDN.Publish()
	env.AwaitVersion(version, env.TakeoverBound()+env.PollBound())
	env.Recovered(moved, env.TakeoverBound()+env.PollBound())
	env.AwaitHeartbeats()
	env.Audit.Check(env.T)
}
