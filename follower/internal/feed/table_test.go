package feed

import (
	"testing"
	"testing/synctest"

	"github.com/catbridge/catbridge/follower/internal/snapshot"
	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// Members with equal options share a feed, which ends with the last of them and leaves nothing.
func TestTheLastMemberEndsTheFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := redistest.Virtual(t).Client(t, nil)
		join := func(listen bool) *Member {
			return Join(Options{Redis: client, Keys: testKeys, Timings: testTimings, Listen: listen}, eventlog.Log{}, snapshot.NewHolder(nil), nil)
		}
		first, second, other := join(true), join(true), join(false)
		if first.feed != second.feed || first.feed == other.feed {
			t.Error("feeds are not shared by their options")
		}
		if len(table.feeds) != 2 || len(table.limiters) != 1 {
			t.Errorf("%d feeds, %d limiters, want 2 and 1", len(table.feeds), len(table.limiters))
		}
		first.Leave()
		other.Leave()
		if state := second.Status().State; state == Closed {
			t.Error("the feed ended with its first member")
		}
		second.Leave()
		if state := second.Status().State; state != Closed {
			t.Errorf("state %s after the last member has left", state)
		}
		if len(table.feeds) != 0 || len(table.limiters) != 0 {
			t.Errorf("left: %v, %v", table.feeds, table.limiters)
		}
	})
}
