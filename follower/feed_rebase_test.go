package follower

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/internal/wire"
)

// Each case removes one condition of the rebase rule.
func TestRebaseRule(t *testing.T) {
	const (
		held  = 5000
		other = "other"
		mine  = "mine"
	)
	type item struct {
		assertion
		at time.Duration
	}
	at := func(s int, epoch, rev, cdn int64, hash string) item {
		return item{assertion{epoch: epoch, rev: rev, cdn: cdn, hash: hash}, time.Duration(s) * time.Second}
	}
	for name, test := range map[string]struct {
		items []item
		due   bool
	}{
		"all conditions hold":                 {[]item{at(0, 7, 10, 10, other), at(15, 7, 10, 10, other), at(30, 7, 11, 11, other)}, true},
		"more items than needed":              {[]item{at(0, 7, 10, 10, other), at(3, 7, 10, 10, other), at(21, 7, 11, 11, other), at(33, 7, 11, 11, other)}, true},
		"an answer that was under way":        {[]item{at(0, 7, 10, 10, other), at(3, 7, 10, 10, other), at(19, 7, 11, 11, other), at(33, 7, 11, 11, other), at(50, 7, 11, 11, other)}, false},
		"then one that was not":               {[]item{at(0, 7, 10, 10, other), at(19, 7, 11, 11, other), at(33, 7, 11, 11, other), at(50, 7, 12, 12, other)}, true},
		"a clock set back once more":          {[]item{at(0, 7, 1000, 1000, other), at(25, 7, 10, 10, other), at(40, 7, 10, 10, other), at(60, 7, 11, 11, other)}, true},
		"other contents, all unlike mine":     {[]item{at(0, 7, 10, 10, "a"), at(15, 7, 20, 20, "b"), at(30, 7, 30, 30, "c")}, true},
		"two items only":                      {[]item{at(0, 7, 10, 10, other), at(30, 7, 11, 11, other)}, false},
		"29 s only":                           {[]item{at(0, 7, 10, 10, other), at(15, 7, 10, 10, other), at(29, 7, 11, 11, other)}, false},
		"no later answer from the CDN":        {[]item{at(0, 7, 10, 10, other), at(15, 7, 10, 10, other), at(30, 7, 11, 10, other)}, false},
		"an earlier answer from the CDN":      {[]item{at(0, 7, 10, 10, other), at(15, 7, 10, 9, other), at(30, 7, 11, 8, other)}, false},
		"another epoch in between":            {[]item{at(0, 7, 10, 10, other), at(15, 8, 10, 11, other), at(30, 8, 11, 12, other)}, false},
		"another epoch, then enough of it":    {[]item{at(0, 7, 10, 10, other), at(15, 8, 10, 11, other), at(36, 8, 11, 12, other), at(45, 8, 11, 12, other)}, true},
		"a rev above mine in between":         {[]item{at(0, 7, 10, 10, other), at(15, 7, held+1, 11, other), at(30, 7, 11, 12, other), at(31, 7, 11, 13, other)}, false},
		"mine in between":                     {[]item{at(0, 7, 10, 10, other), at(15, 7, held, 11, mine), at(30, 7, 11, 12, other), at(31, 7, 11, 13, other)}, false},
		"the same content at a lower rev":     {[]item{at(0, 7, 10, 10, mine), at(15, 7, 10, 11, mine), at(30, 7, 11, 12, mine)}, false},
		"a leader without content":            {[]item{at(0, 7, 0, 0, ""), at(15, 7, 0, 0, ""), at(30, 7, 0, 0, "")}, false},
		"messages that do not name the epoch": {[]item{at(0, 0, 10, 10, other), at(15, 0, 10, 11, other), at(30, 0, 11, 12, other)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var r rebase
			start := time.Now()
			for i, item := range test.items {
				if r.due() {
					t.Fatalf("due before item %d", i)
				}
				r.add(item.assertion, held, mine, start.Add(item.at))
			}
			if r.due() != test.due {
				t.Errorf("due: %v, want %v", r.due(), test.due)
			}
		})
	}
}

// lostData returns a follower with a rev an hour ahead of a Redis that lost its data, and a leader
// that started again (F10).
func lostData(t *testing.T, n *network) (*Client, *writer, func()) {
	t.Helper()
	w := n.writer(t)
	w.skew = time.Hour
	w.acquire()
	w.commit(configJSON(1))
	c := n.start(t)
	<-c.Ready()
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
		wantState(t, c, Polling)
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
		c := n.start(t, func(c *Config) { c.Redis = cluster })
		<-c.Ready()
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
		w := n.writer(t)
		w.commit(configJSON(1))
		old := w.message(wire.Heartbeat)
		time.Sleep(time.Minute)
		w.confirm()
		older := w.message(wire.Heartbeat)
		w.commit(configJSON(2))
		w.beat()
		c := n.start(t)
		<-c.Ready()
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
