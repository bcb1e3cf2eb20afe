package follower

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/internal/wire"
)

// lostData returns a follower with a rev an hour ahead of a Redis that lost its data, and a leader
// that started again (F10).
func lostData(t *testing.T, n *network) (*Client, *writer, func()) {
	t.Helper()
	w := n.writer(t)
	w.skew = time.Hour
	w.acquire()
	w.commit(configJSON(1))
	c := n.ready(t)
	wantVersion(t, c, 1)
	n.FlushAll()
	w.skew, w.epoch, w.rev = 0, 0, 0
	w.acquire()
	w.commit(configJSON(2))
	return c, w, w.beat()
}

func TestALowerRevIsTakenByTheRebaseRuleOnly(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		c, w, _ := lostData(t, n)
		lowest := c.Stats().Rev
		for range 54 {
			time.Sleep(time.Second)
			wantVersion(t, c, 1) // the CDN has not answered again
		}
		time.Sleep(5 * time.Second)
		wantVersion(t, c, 2)
		s := c.Stats()
		if s.HoldDowns != 1 || s.Rebases != 1 || s.Rev != w.rev || s.Rev >= lowest {
			t.Errorf("%+v", s)
		}
		w.commit(configJSON(3)) // later changes are taken as usual
		wantVersion(t, c, 3)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if s := c.Stats(); c.CacheState() != HasUpToDateFlagData || s.Rebases != 1 {
			t.Errorf("%v %+v", c.CacheState(), s)
		}
	})
}

// A live leader that never reaches the CDN proves nothing.
func TestALowerRevOfALeaderWithoutTheCDNIsNotTaken(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		c, w, stop := lostData(t, n)
		w.with(func() { w.poll = 24 * time.Hour })
		time.Sleep(20 * time.Minute)
		wantVersion(t, c, 1)
		if s := c.Stats(); s.HoldDowns != 1 || s.Rebases != 0 {
			t.Errorf("%+v", s)
		}
		stop()
	})
}

// The rebase rule works without messages, by reads of meta alone.
func TestALowerRevIsTakenWhilePolling(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		refuseSubscribe(n)
		c, w, _ := lostData(t, n)
		wantState(t, c, StatePolling)
		time.Sleep(75 * time.Second)
		wantVersion(t, c, 2)
		if s := c.Stats(); s.Rebases != 1 || s.Rev != w.rev {
			t.Errorf("%+v", s)
		}
	})
}

// Evidence from two connections is not combined: the second one may lead to another server, which
// has not caught up yet.
func TestALowerRevIsNotTakenOnEvidenceOfTwoConnections(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		c, _, _ := lostData(t, n)
		time.Sleep(50 * time.Second)
		n.link.Cut()
		time.Sleep(50 * time.Second) // the CDN answers 5 s after the cut
		wantVersion(t, c, 1)
		time.Sleep(15 * time.Second) // and once more
		wantVersion(t, c, 2)
	})
}

// A replica that is far behind looks like a Redis that lost its data. The primary decides.
func TestALowerRevIsNotTakenFromAReplica(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		first, replica := n, newNetwork(t)
		acceptReadOnly(first, nil)
		acceptReadOnly(replica, nil)
		cluster := clusterOf(t, first, replica, func() []string { return []string{firstAddr, secondAddr} })
		w := first.writer(t)
		w.commit(configJSON(2))
		behind := replica.writer(t)
		behind.skew = -time.Hour
		behind.epoch = 0
		behind.acquire()
		behind.commit(configJSON(1))
		c := n.ready(t, func(c *Config) { c.Redis = cluster })
		for _, node := range []*writer{w, behind} { // the subscription is on one of them
			node.publish(w.message(wire.Change))
		}
		time.Sleep(10 * time.Second)
		wantVersion(t, c, 2)
		for i := range 60 {
			if i%15 == 0 {
				behind.confirm()
			}
			for _, node := range []*writer{w, behind} {
				node.publish(behind.message(wire.Heartbeat))
			}
			time.Sleep(3 * time.Second)
			wantVersion(t, c, 2)
		}
	})
}

// A corrupt blob does not lower the rev, whatever the evidence.
func TestARebaseNeedsTheContent(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		c, w, stop := lostData(t, n)
		time.Sleep(50 * time.Second)
		stop()
		w.poll, w.mute = time.Hour, true
		w.confirm()
		corruptBlob(t, n, w, flipBit)
		w.mute = false
		for range 20 {
			w.heartbeat()
			time.Sleep(3 * time.Second)
		}
		wantVersion(t, c, 1)
		if s := c.Stats(); s.Rebases != 0 || s.RefusedBlobs == 0 {
			t.Errorf("%+v", s)
		}
	})
}

// Messages that are delivered late, however many, do not return a follower to older content.
func TestLateMessagesDoNotReturnAFollowerToOlderContent(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		old := w.message(wire.Heartbeat)
		time.Sleep(time.Minute)
		w.confirm()
		older := w.message(wire.Heartbeat)
		w.commit(configJSON(2))
		w.beat()
		c := n.ready(t)
		for range 200 {
			w.publish(old)
			time.Sleep(time.Second)
			w.publish(older)
			wantVersion(t, c, 2)
		}
		if s := c.Stats(); s.Rebases != 0 {
			t.Errorf("%+v", s)
		}
	})
}
