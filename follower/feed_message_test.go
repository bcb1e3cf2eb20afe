package follower

import (
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2/server"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower/internal/feed"
	"github.com/catbridge/catbridge/internal/wire"
)

// F17: no published text changes the config, the rev or the connection.
func TestGarbageOnTheChannelIsIgnoredAndCounted(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		w.beat()
		c := n.ready(t)
		synctest.Wait()
		good := w.message(wire.Heartbeat)
		bad := []string{
			"", " ", "\n", "\x00\xff", "hello", "cb1", "cb1 ", "cb2 change rev=1767225600000", "cb1 change rev=-1", "cb1 change rev=17672256000000",
			"cb1 change rev=1767225600000 rev=1767225600001", "cb1 change hash=xyz", "cb1 change rev=9999999999999", // without a hash
			good + "\nLZ4\nxx", good + "\nzstd", strings.Repeat("x", 1<<20), good + " " + strings.Repeat("y", 1<<20),
		}
		unknown := []string{"cb1 hello", "cb1 weather rev=1767225600000 sun=1"}
		before := c.Stats()
		for range 3 {
			for _, text := range append(bad, unknown...) {
				w.publish(text)
			}
		}
		synctest.Wait()
		after := c.Stats()
		if got, want := after.BadMessages-before.BadMessages, uint64(3*len(bad)); got != want {
			t.Errorf("%d bad messages counted, want %d", got, want)
		}
		if got, want := after.Unknown-before.Unknown, uint64(3*len(unknown)); got != want {
			t.Errorf("%d unknown messages counted, want %d", got, want)
		}
		if after.Rev != before.Rev || after.Reads != before.Reads || after.Connects != 1 || after.Applied != 1 {
			t.Errorf("before %+v, after %+v", before, after)
		}
		wantVersion(t, c, 1)
		w.commit(configJSON(2))
		wantVersion(t, c, 2)
	})
}

// The messages and the meta of a leader of an invented later version have longer heads, unknown
// fields and unknown codecs. The follower uses the parts that it knows.
func TestMessagesOfALaterVersionAreUnderstood(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t)
		w.mute, w.undated = true, true
		w.commit(configJSON(1))
		c := n.ready(t)
		later := func(kind wire.MessageType) string {
			head := w.message(kind) + " base=0123456789abcdef room=" + strings.Repeat("x", 700) + " now=1767225600000"
			return head + "\npatch.v2\n3 4 zstd\n\x00\xff"
		}
		for range 10 { // the only evidence of a leader
			time.Sleep(3 * time.Second)
			w.publish(later(wire.Heartbeat))
		}
		synctest.Wait()
		if s := c.Stats(); s.State != StateLive || s.BadMessages != 0 || s.Heartbeats != 10 {
			t.Errorf("after heartbeats: %+v", s)
		}
		w.commit(configJSON(2))
		if err := w.redis.HSet(t.Context(), w.keys.Meta, "shards", "many", "now", "never").Err(); err != nil {
			t.Fatal(err)
		}
		w.publish(later(wire.Change))
		synctest.Wait()
		wantVersion(t, c, 2)
		if s := c.Stats(); s.BadMessages != 0 || s.Changes != 1 || s.Inline != 0 || s.RefusedBlobs != 0 {
			t.Errorf("after a change: %+v", s)
		}
	})
}

// A leader has long intervals, followers have short timings. The followers do not report a missing
// leader between two heartbeats.
func TestTheLeadersHeartbeatIntervalSetsTheTimeout(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t)
		w.renew = 3 * time.Second
		w.commit(configJSON(1))
		noLeader := 0
		c := n.ready(t, func(c *Config) { c.Timings = FastTimings() })
		for range 20 { // one of two heartbeats is lost
			time.Sleep(6 * time.Second)
			if c.Stats().State != StateLive {
				noLeader++
			}
			w.heartbeat()
			synctest.Wait()
		}
		if noLeader > 1 { // the leader is unknown before the first message
			t.Errorf("%d times the leader was given up between two heartbeats", noLeader)
		}
		time.Sleep(3*w.renew + time.Second)
		if s := c.Stats().State; s != StateNoLeader {
			t.Errorf("%v after three intervals", s)
		}
	})
}

// More messages arrive during a hanging read than fit into the queue. The follower reads the content
// of the dropped ones at once, and does not block the connection.
func TestAFloodOfMessagesLosesNoContent(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		c := n.ready(t)
		synctest.Wait()
		release := make(chan struct{})
		n.intercept(func(_ *server.Peer, cmd string, args ...string) bool {
			if cmd == "GETRANGE" && args[0] == w.keys.Lock { // the last read
				<-release
			}
			return false
		})
		refreshed := make(chan error, 1)
		go func() { refreshed <- c.Refresh(t.Context()) }()
		synctest.Wait()
		for range feed.MessageQueue {
			w.heartbeat()
		}
		w.poll = time.Hour
		w.commit(configJSON(2))
		synctest.Wait()
		if s := c.Stats(); s.Dropped != 1 || s.Messages != feed.MessageQueue+1 {
			t.Errorf("%+v", s)
		}
		close(release)
		if err := <-refreshed; err != nil {
			t.Error(err)
		}
		wantVersion(t, c, 2)
		if s := c.Stats(); s.Connects != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestDuplicatedAndReorderedMessagesChangeNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t)
		w.inline = true
		var all []string
		for v := range 10 {
			time.Sleep(time.Second)
			w.commit(configJSON(1 + v))
			all = append(all, w.message(wire.Change), w.message(wire.Heartbeat))
		}
		highest := 0
		c := n.ready(t, func(c *Config) {
			c.Hooks = &Hooks{OnConfigChanged: func(config *evaluate.Config) {
				r := config.Evaluate("version", nil, evaluate.IntValue(0), nil)
				if v := int(r.Value.Int()); v < highest {
					t.Errorf("went back from %d to %d", highest, v)
				} else {
					highest = v
				}
			}}
		})
		random := rand.New(rand.NewPCG(1, 2))
		for range 500 {
			w.publish(all[random.IntN(len(all))])
			time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond)
		}
		wantVersion(t, c, 10)
		if s := c.Stats(); s.Rebases != 0 || s.Rev != w.rev {
			t.Errorf("%+v", s)
		}
	})
}

// A resign message does not show a live leader, and messages for leaders show no leader at all.
func TestOnlyLeadersKeepAFollowerLive(t *testing.T) {
	for _, kind := range []wire.MessageType{wire.Resign, wire.Refresh, wire.Control} {
		t.Run(string(kind), func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				w := n.writer(t, 1)
				c := n.ready(t)
				wantState(t, c, StateLive)
				n.Del(w.keys.Lock)
				for range 15 {
					w.publish(w.message(kind))
					time.Sleep(time.Second)
				}
				wantState(t, c, StateNoLeader)
			})
		})
	}
}
