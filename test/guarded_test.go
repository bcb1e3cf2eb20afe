package test

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/leader"
	"github.com/catbridge/catbridge/test/redistest"
)

// onTopologies plays on each kind of Redis that people run, with certificates and users.
func onTopologies(t *testing.T, play func(w *world)) {
	t.Helper()
	t.Parallel()
	t.Run("single", func(t *testing.T) {
		onServer(t, func(w *world, _ *redistest.Process) { play(w) })
	})
	t.Run("Sentinel", func(t *testing.T) {
		onSentinel(t, func(w *world, _ *redistest.Sentinel) { play(w) })
	})
	t.Run("cluster", func(t *testing.T) {
		onCluster(t, func(w *world, _ *redistest.Cluster) { play(w) })
	})
}

// That nothing was refused to anybody, every world looks up at its end.
func TestEachRoleHasTheRightsItNeeds(t *testing.T) {
	onTopologies(t, func(w *world) {
		first, second := w.ready(2)
		w.checkRights()
		w.reached(w.cdn.SetMinBytes(100<<10), w.poll()) // read, not pushed

		w.followAs(asReporter, func(c *follower.Config) {
			c.FleetReport, c.FleetName = cachekeys.MinFleetInterval, "shop-1"
		})
		w.eventually(cachekeys.MinFleetInterval, "the report can be read", func() bool {
			reports, err := w.connect(w.T, asStatus, nil).ZRange(w.Context(), w.keys.Fleet, 0, -1).Result()
			return err == nil && len(reports) == 1
		})
		asked := first.stats().Polls + second.stats().Polls
		w.ask()
		w.eventually(w.leader.RenewInterval+time.Second, "the request is answered by a poll", func() bool {
			return first.stats().Polls+second.stats().Polls > asked
		})
		for _, r := range w.readers {
			r.link.Cut()
		}
		w.states(w.back(), follower.Live)
		first.stop() // and releases the lock
		w.eventually(w.takeover(), "the other leads", second.leads)
		w.settle()
	})
}

// checkRights asks as leaders and followers do.
func (w *world) checkRights() {
	w.Helper()
	if err := leader.CheckRights(w.Context(), w.connect(w.T, asLeader, nil), sdkKey, ""); err != nil {
		w.Error(err)
	}
	for _, as := range []role{asFollower, asReporter} {
		if err := leader.CheckFollowerRights(w.Context(), w.connect(w.T, as, nil), sdkKey, ""); err != nil {
			w.Errorf("%s: %v", as, err)
		}
	}
}

// ask asks for a poll, as an operator does.
func (w *world) ask() {
	w.Helper()
	const name = "it"
	l, err := leader.New(leader.Config{
		Redis: w.connect(w.T, asOperator, nil), SDKKeys: []leader.SDKKey{{Name: name, Key: sdkKey}}, Timing: w.leader,
	})
	if err != nil {
		w.Fatal(err)
	}
	if err := l.RequestRefresh(w.Context(), name); err != nil {
		w.Fatal(err)
	}
}

// heartbeats waits until every follower heard some more messages, as often as they come:
// none is subscribed where nothing is said any more.
func (w *world) heartbeats() {
	w.Helper()
	const more = 3
	began, bound := time.Now(), (more+1)*w.leader.RenewInterval+roundTrip
	before := map[*reader]int64{}
	for _, r := range w.readers {
		before[r] = r.client.Stats().Messages
	}
	for _, r := range w.readers {
		w.eventually(bound, r.name+" hears the heartbeats", func() bool {
			return r.client.Stats().Messages >= before[r]+more
		})
	}
	w.recovered(began, bound)
}

// The slot of the bridge's keys moves to another primary and back, as when a cluster is
// resharded, with leaders and followers at work.
func TestF22_MovedSlotLeavesNobodySilent(t *testing.T) {
	onCluster(t, func(w *world, cluster *redistest.Cluster) {
		w.ready(9)
		for range w.rounds(2) {
			home, _ := w.owner(cluster)
			for _, other := range cluster.Primaries {
				if other == home {
					continue
				}
				w.move(cluster, home, other)
				w.move(cluster, other, home)
			}
		}
		w.settle()
	})
}

func (w *world) move(cluster *redistest.Cluster, from, to *redistest.Process) {
	w.Helper()
	moved := time.Now()
	cluster.MoveSlot(w.T, w.keys.Entry, from, to)
	version := w.cdn.Publish()
	w.reached(version, w.takeover()+w.poll())
	w.recovered(moved, w.takeover()+w.poll())
	w.heartbeats()
	w.audit.check(w.T)
}
