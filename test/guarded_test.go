package test

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader"
)

// onTopologies runs on each supported kind of Redis, with certificates and users.
func onTopologies(t *testing.T, run func(env *environment)) {
	t.Helper()
	t.Parallel()
	t.Run("single", func(t *testing.T) {
		onServer(t, func(env *environment, _ *redistest.Process) { run(env) })
	})
	t.Run("Sentinel", func(t *testing.T) {
		onSentinel(t, func(env *environment, _ *redistest.Sentinel) { run(env) })
	})
	t.Run("cluster", func(t *testing.T) {
		onCluster(t, func(env *environment, _ *redistest.Cluster) { run(env) })
	})
}

// Every environment checks at its end that Redis refused nothing.
func TestEachRoleHasTheRightsItNeeds(t *testing.T) {
	onTopologies(t, func(env *environment) {
		first, second := env.ready(2)
		env.checkRights()
		env.reached(env.cdn.SetMinBytes(100<<10), env.poll()) // too large for a message

		env.followAs(asReporter, func(c *follower.Config) {
			c.FleetReport, c.FleetName = wire.MinFleetInterval, "shop-1"
		})
		env.eventually(wire.MinFleetInterval, "the report can be read", func() bool {
			reports, err := env.connect(env.T, asStatus, nil).ZRange(env.Context(), env.keys.Fleet, 0, -1).Result()
			return err == nil && len(reports) == 1
		})
		asked := first.stats().Polls + second.stats().Polls
		env.ask()
		env.eventually(env.leader.RenewInterval+time.Second, "the request is answered by a poll", func() bool {
			return first.stats().Polls+second.stats().Polls > asked
		})
		for _, r := range env.readers {
			r.link.Cut()
		}
		env.states(env.reconnectBound(), follower.Live)
		first.stop() // to release the lock
		env.eventually(env.takeover(), "the other leads", second.leads)
		env.settle()
	})
}

// checkRights checks the rights of leaders and of followers.
func (env *environment) checkRights() {
	env.Helper()
	if err := leader.CheckRights(env.Context(), env.connect(env.T, asLeader, nil), sdkKey, ""); err != nil {
		env.Error(err)
	}
	for _, as := range []role{asFollower, asReporter} {
		if err := leader.CheckFollowerRights(env.Context(), env.connect(env.T, as, nil), sdkKey, ""); err != nil {
			env.Errorf("%s: %v", as, err)
		}
	}
}

// ask requests a poll, as an operator does.
func (env *environment) ask() {
	env.Helper()
	const name = "it"
	l, err := leader.New(leader.Config{
		Redis: env.connect(env.T, asOperator, nil), SDKKeys: []leader.SDKKey{{Name: name, Key: sdkKey}}, Timing: env.leader,
	})
	if err != nil {
		env.Fatal(err)
	}
	if err := l.RequestRefresh(env.Context(), name); err != nil {
		env.Fatal(err)
	}
}

// heartbeats waits until every follower has received some more messages at the usual rate,
// so that each has a working subscription.
func (env *environment) heartbeats() {
	env.Helper()
	const more = 3
	began, bound := time.Now(), (more+1)*env.leader.RenewInterval+roundTrip
	before := map[*reader]int64{}
	for _, r := range env.readers {
		before[r] = r.client.Stats().Messages
	}
	for _, r := range env.readers {
		env.eventually(bound, r.name+" receives the heartbeats", func() bool {
			return r.client.Stats().Messages >= before[r]+more
		})
	}
	env.recovered(began, bound)
}

// The slot of the bridge's keys moves to another primary and back, as when a cluster is
// resharded, while leaders and followers run.
func TestF22_SlotMigrationKeepsSubscriptionsAlive(t *testing.T) {
	onCluster(t, func(env *environment, cluster *redistest.Cluster) {
		env.ready(9)
		for range env.rounds(2) {
			home, _ := env.owner(cluster)
			for _, other := range cluster.Primaries {
				if other == home {
					continue
				}
				env.move(cluster, home, other)
				env.move(cluster, other, home)
			}
		}
		env.settle()
	})
}

func (env *environment) move(cluster *redistest.Cluster, from, to *redistest.Process) {
	env.Helper()
	moved := time.Now()
	cluster.MoveSlot(env.T, env.keys.Entry, from, to)
	version := env.cdn.Publish()
	env.reached(version, env.takeover()+env.poll())
	env.recovered(moved, env.takeover()+env.poll())
	env.heartbeats()
	env.audit.check(env.T)
}
