package follower

import (
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/follower/internal/feed"
	"github.com/catbridge/catbridge/follower/internal/snapshot"
	"github.com/catbridge/catbridge/internal/histogram"
	"github.com/catbridge/catbridge/internal/wire"
)

func TestMessagesAreCountedByType(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		c := n.ready(t)
		synctest.Wait()
		w.commit(configJSON(2))
		w.heartbeat()
		w.heartbeat()
		w.publish(w.message(wire.Resign))
		refresh := wire.Message{Type: wire.Refresh, Seq: 1}
		w.publish(string(refresh.Append(nil)))
		control := wire.Message{Type: wire.Control, Seq: wire.MinRev}
		w.publish(string(control.Append(nil)))
		w.publish("catbridge/1 novel")
		w.publish("garbage")
		synctest.Wait()
		s := c.Stats()
		if s.Changes != 1 || s.Heartbeats != 2 || s.Resignations != 1 || s.RefreshAsked != 1 || s.ControlAsked != 1 {
			t.Errorf("counted %+v", s.Counters)
		}
		if sum := s.Changes + s.Heartbeats + s.Resignations + s.RefreshAsked + s.ControlAsked + s.BadMessages + s.Unknown; sum != s.Messages || s.Messages != 8 {
			t.Errorf("the types make %d of %d messages", sum, s.Messages)
		}
	})
}

// soleDuration returns the only duration in d.
func soleDuration(t *testing.T, d Durations) time.Duration {
	t.Helper()
	if d.Count() != 1 {
		t.Fatalf("%d durations, want 1: %+v", d.Count(), d)
	}
	return d.Sum
}

func TestApplyingIsTimedFromTheFirstAnnouncement(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		c := n.ready(t)
		synctest.Wait()
		if s := c.Stats(); s.ApplyTimes.Count() != 0 || s.PublishToApply.Count() != 0 {
			t.Errorf("the start was timed: %+v", s.Counters)
		}
		w.mute = true
		w.commit(configJSON(2))
		n.SetError("LOADING")
		n.Publish(w.keys.Events, w.message(wire.Change))
		synctest.Wait()
		time.Sleep(time.Second)
		n.SetError("")
		w.mute = false
		w.commit(configJSON(3)) // the time counts from the first change that was not applied
		time.Sleep(10 * time.Second)
		wantVersion(t, c, 3)
		s := c.Stats()
		apply, publish := soleDuration(t, s.ApplyTimes), soleDuration(t, s.PublishToApply)
		if apply < time.Second || apply > 9*time.Second || publish > apply-999*time.Millisecond {
			t.Errorf("applied %v after it was announced, %v after it was published", apply, publish)
		}
	})
}

// With a wrong local clock the time is limited to the time since the previous message.
func TestPublishToApplyIsBoundedWhereClocksDiffer(t *testing.T) {
	for name, skew := range map[string]time.Duration{"behind": -time.Hour, "ahead": time.Hour} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				w := n.writer(t)
				w.skew = skew
				w.acquire()
				w.commit(configJSON(1))
				c := n.ready(t)
				synctest.Wait()
				time.Sleep(time.Minute)
				w.heartbeat()
				time.Sleep(3 * time.Second)
				w.commit(configJSON(2))
				wantVersion(t, c, 2)
				if d := soleDuration(t, c.Stats().PublishToApply); d < 0 || d > 3*time.Second {
					t.Errorf("timed %v", d)
				}
			})
		})
	}
}

func TestContentReadAfterAnOutageIsTimedFromItsPublication(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		w.beat()
		c := n.ready(t)
		synctest.Wait()
		before := c.Stats().Resyncs
		n.link.Down()
		w.commit(configJSON(2))
		time.Sleep(30 * time.Second)
		n.link.Up()
		time.Sleep(10 * time.Second)
		wantVersion(t, c, 2)
		s := c.Stats()
		if late := soleDuration(t, s.PublishToApply); late < 30*time.Second {
			t.Errorf("late by %v", late)
		}
		if s.Resyncs == before {
			t.Error("no resync counted")
		}
	})
}

// Every counter of the feed appears under the same name.
func TestStatsHaveEveryCounterOfTheFeed(t *testing.T) {
	var of feed.Counters
	var d histogram.Durations
	d.Add(time.Second)
	one := map[reflect.Type]reflect.Value{reflect.TypeFor[uint64](): reflect.ValueOf(uint64(1)), reflect.TypeFor[histogram.Durations](): reflect.ValueOf(d)}
	for _, value := range reflect.ValueOf(&of).Elem().Fields() {
		value.Set(one[value.Type()])
	}
	counters := reflect.ValueOf(countersOf(of))
	for field := range reflect.ValueOf(of).Fields() {
		if have := counters.FieldByName(field.Name); !have.IsValid() || have.IsZero() {
			t.Errorf("%s is missing", field.Name)
		}
	}
}

// The public constants have the values that the feed and the snapshots use.
func TestStatesAndSourcesHaveOneValueEach(t *testing.T) {
	for public, internal := range map[State]feed.State{
		StateConnecting: feed.Connecting, StateLive: feed.Live, StateNoLeader: feed.NoLeader, StatePolling: feed.Polling,
		StateDisconnected: feed.Disconnected, StateUnsubscribed: feed.Unsubscribed, StateClosed: feed.Closed,
	} {
		if string(public) != string(internal) {
			t.Errorf("state %q, in the feed %q", public, internal)
		}
	}
	for public, internal := range map[Source]snapshot.Source{
		SourceBlob: snapshot.SourceBlob, SourceMessage: snapshot.SourceMessage, SourcePatches: snapshot.SourcePatches,
		SourceEntry: snapshot.SourceEntry,
		SourceCache: snapshot.SourceCache, SourceCDN: snapshot.SourceCDN, SourceFile: snapshot.SourceFile,
	} {
		if string(public) != string(internal) {
			t.Errorf("source %q, in snapshots %q", public, internal)
		}
	}
}
