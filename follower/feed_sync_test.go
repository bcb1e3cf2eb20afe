package follower

import (
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2/server"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/internal/wire"
)

func wantVersion(t *testing.T, c *Client, want int) {
	t.Helper()
	synctest.Wait()
	if got := version(c); got != want {
		t.Fatalf("version %d, want %d; %+v", got, want, c.Stats())
	}
}

func wantState(t *testing.T, c *Client, want State) {
	t.Helper()
	synctest.Wait()
	if got := c.Stats().State; got != want {
		t.Fatalf("state %v, want %v; %+v", got, want, c.Stats())
	}
}

func TestAChangeReachesAFollower(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		w.beat()
		c := n.ready(t)
		wantVersion(t, c, 1)
		time.Sleep(7 * time.Second)
		w.commit(configJSON(2))
		wantVersion(t, c, 2)
		s := c.Stats()
		if s.State != StateLive || s.Rev != w.rev || s.Hash != wire.ContentHash(configJSON(2)) || s.ETag != w.etag ||
			s.Source != SourceBlob || s.LastConfirmed.IsZero() || confirmedAgo(s) != 0 || s.Epoch != w.epoch || s.PollInterval != w.poll || s.Applied != 2 {
			t.Errorf("stats %+v", s)
		}
		if s := c.CacheState(); s != HasUpToDateFlagData {
			t.Errorf("cache state %v", s)
		}
	})
}

// A change between the read and the subscription would be lost if the read came first.
func TestReadsOnlyAfterTheSubscriptionIsAcknowledged(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		var mu sync.Mutex
		var commands []string
		change := sync.OnceFunc(func() { w.commit(configJSON(2)) })
		n.intercept(func(_ *server.Peer, cmd string, args ...string) bool {
			if cmd == "SUBSCRIBE" {
				change() // the last moment at which no message reports it
			}
			mu.Lock()
			defer mu.Unlock()
			if slices.Contains(args, w.keys.Blob) || slices.Contains(args, w.keys.Meta) || cmd == "SUBSCRIBE" {
				commands = append(commands, cmd+" "+strings.TrimPrefix(args[0], "catbridge:"))
			}
			return false
		})
		c := n.ready(t)
		wantVersion(t, c, 2)
		mu.Lock()
		defer mu.Unlock()
		if i := slices.IndexFunc(commands, func(c string) bool { return strings.HasPrefix(c, "SUBSCRIBE") }); i < 0 ||
			slices.ContainsFunc(commands[:i], func(c string) bool { return strings.HasPrefix(c, "GET") || strings.HasPrefix(c, "HMGET") }) {
			t.Errorf("commands %q", commands)
		}
	})
}

func TestStartsWithNothingInRedis(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		c := n.ready(t)
		wantVersion(t, c, -1)
		if s := c.CacheState(); s != NoFlagData {
			t.Errorf("cache state %v", s)
		}
		wantState(t, c, StateNoLeader)
		w := n.writer(t)
		w.beat()
		time.Sleep(4 * time.Second)
		wantState(t, c, StateLive) // a leader without content counts as a leader
		wantVersion(t, c, -1)
		w.commit(configJSON(1))
		wantVersion(t, c, 1)
	})
}

// I7: a lost message delays a change until the next heartbeat.
func TestAHeartbeatMakesUpForALostMessage(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		w.beat()
		c := n.ready(t)
		w.with(func() { w.mute = true })
		w.commit(configJSON(2))
		w.with(func() { w.mute = false })
		wantVersion(t, c, 1)
		time.Sleep(3 * time.Second)
		wantVersion(t, c, 2)
	})
}

// A 304 raises the rev without a read of the content.
func TestAConfirmationRaisesTheRevWithoutARead(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		w.beat()
		changes := 0
		c := n.ready(t, func(c *Config) { c.Hooks = onChange(func() { changes++ }) })
		before := c.Stats()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		after := c.Stats()
		if after.Rev != w.rev || after.Rev == before.Rev {
			t.Errorf("rev %d, the leader's is %d, it was %d", after.Rev, w.rev, before.Rev)
		}
		if after.Reads != before.Reads {
			t.Errorf("%d reads of the content", after.Reads-before.Reads)
		}
		if confirmedAgo(after) > w.poll+3*time.Second || c.CacheState() != HasUpToDateFlagData {
			t.Errorf("age %v, %v", confirmedAgo(after), c.CacheState())
		}
		if changes != 1 {
			t.Errorf("%d changes reported", changes)
		}
	})
}

func TestInlineContentNeedsNoRead(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t)
		w.inline = true
		w.commit(configJSON(1))
		c := n.ready(t)
		synctest.Wait()
		before := c.Stats()
		w.commit(configJSON(2))
		wantVersion(t, c, 2)
		after := c.Stats()
		if after.Reads != before.Reads || after.HeadReads != before.HeadReads || after.Inline != 1 || after.Source != SourceMessage {
			t.Errorf("before %+v, after %+v", before, after)
		}
		if after.LastConfirmed.IsZero() || confirmedAgo(after) != 0 {
			t.Errorf("confirmed at %v", after.LastConfirmed)
		}
	})
}

// Inline content that does not match the message's hash is not taken; the blob is read.
func TestInlineContentWithFlippedBitsIsRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		c := n.ready(t)
		w.mute = true
		w.commit(configJSON(2))
		m := w.describe(wire.Change)
		m.Codec, m.Content = wire.Raw, configJSON(3)
		w.publish(string(m.Append(nil)))
		wantVersion(t, c, 2)
		if s := c.Stats(); s.BadMessages != 1 || s.Inline != 0 || s.Source != SourceBlob {
			t.Errorf("%+v", s)
		}
	})
}

// I12: all changes that are announced within the window cause one read, at a random time in it.
func TestTheSpreadWindowCollapsesRepeats(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		c := n.ready(t)
		synctest.Wait()
		before := c.Stats()
		w.spread = 10 * time.Second
		for i := range 20 {
			w.commit(configJSON(2 + i))
			w.heartbeat() // a heartbeat does not cause an immediate read
		}
		synctest.Wait()
		if early := c.Stats(); early.Reads != before.Reads && early.Reads != before.Reads+1 {
			t.Errorf("%d reads at once", early.Reads-before.Reads)
		}
		time.Sleep(w.spread)
		wantVersion(t, c, 21)
		if after := c.Stats(); after.Reads != before.Reads+1 {
			t.Errorf("%d reads, want 1", after.Reads-before.Reads)
		}
	})
}

// With a thousand changes a second and a spread window of 50 ms, the follower is never further
// behind than the window, and one read covers many changes.
func TestAThousandChangesASecondAreCollapsed(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		c := n.ready(t, func(c *Config) { c.Logger = nil })
		synctest.Wait()
		before := c.Stats()
		w.spread = 50 * time.Millisecond
		const changes = 1000
		for i := range changes {
			w.commit(configJSON(2 + i))
			time.Sleep(time.Millisecond)
			synctest.Wait()
			if behind := 2 + i - version(c); behind > int(w.spread/time.Millisecond) {
				t.Fatalf("%d changes behind after %d", behind, i+1)
			}
		}
		time.Sleep(w.spread)
		wantVersion(t, c, 1+changes)
		if reads := c.Stats().Reads - before.Reads; reads > changes/5 {
			t.Errorf("%d reads for %d changes", reads, changes)
		}
	})
}

// readyMany starts clients without a log.
func (n *network) readyMany(t *testing.T, count int) []*Client {
	t.Helper()
	list := make([]*Client, count)
	for i := range list {
		list[i] = n.ready(t, func(c *Config) { c.Logger = nil })
	}
	synctest.Wait()
	return list
}

// haveVersion returns how many of the clients have that version.
func haveVersion(list []*Client, want int) (n int) {
	synctest.Wait()
	for _, c := range list {
		if version(c) == want {
			n++
		}
	}
	return n
}

// A further change must not draw a new random time, or all followers would read early.
func TestReadsOfManyFollowersAreSpreadOverTheWindow(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		const count = 40
		w := n.writer(t, 1)
		followers := n.readyMany(t, count)
		w.spread = 10 * time.Second
		for v := range 8 {
			w.commit(configJSON(2 + v))
		}
		time.Sleep(w.spread / 2)
		if n := haveVersion(followers, 9); n < 5 || n > count-5 {
			t.Errorf("%d of %d have read half way through the window", n, count)
		}
		time.Sleep(w.spread / 2)
		if n := haveVersion(followers, 9); n != count {
			t.Errorf("%d of %d have read after the window", n, count)
		}
	})
}

// After a cut of all connections, the reads of a change are spread over the window, too.
func TestReadsAfterACutAreSpreadOverTheWindow(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		const count = 40
		w := n.writer(t, 1)
		followers := n.readyMany(t, count)
		w.spread = 20 * time.Second
		w.commit(configJSON(2))
		w.beat()
		time.Sleep(w.spread)
		n.link.Cut()
		w.commit(configJSON(3))
		time.Sleep(w.spread / 2)
		if n := haveVersion(followers, 3); n < 5 || n > count-5 {
			t.Errorf("%d of %d have read half way through the window", n, count)
		}
		time.Sleep(w.spread/2 + time.Second)
		if n := haveVersion(followers, 3); n != count {
			t.Errorf("%d of %d have read after the window", n, count)
		}
	})
}

// Redis loses all data: the config stays in force, and what the leader writes again is taken.
func TestTheConfigSurvivesFlushAll(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		stop := w.beat()
		c := n.ready(t)
		stop()
		n.FlushAll()
		time.Sleep(3 * time.Minute)
		wantVersion(t, c, 1)
		wantState(t, c, StateNoLeader)
		w.acquire()
		w.commit(configJSON(2))
		wantVersion(t, c, 2)
		wantState(t, c, StateLive)
	})
}

func onChange(f func()) *Hooks { return &Hooks{OnConfigChanged: func(*evaluate.Config) { f() }} }

// Denied reads are logged, and content that messages carry is still taken.
func TestDeniedReadsAreRetried(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		log, logging := recorded(slog.LevelInfo)
		c := n.ready(t, logging)
		var refused atomic.Bool
		n.intercept(func(peer *server.Peer, cmd string, args ...string) bool {
			if (cmd == "GET" || cmd == "GETRANGE") && refused.Load() {
				peer.WriteError("NOPERM this user has no permissions to run the '" + strings.ToLower(cmd) + "' command")
				return true
			}
			return false
		})
		refused.Store(true)
		w.beat()
		w.commit(configJSON(2))
		time.Sleep(time.Minute)
		wantVersion(t, c, 1)
		if loud := log.with(eventid.CacheRead); len(loud) != 1 || loud[0].level != slog.LevelError || !strings.Contains(loud[0].text, "NOPERM") {
			t.Errorf("%+v", loud)
		}
		if failed := c.Stats().FailedReads; failed < 5 || failed > 60 {
			t.Errorf("%d reads in a minute", failed)
		}
		w.with(func() { w.inline = true })
		w.commit(configJSON(3))
		wantVersion(t, c, 3)
		w.with(func() { w.inline = false })
		w.commit(configJSON(4))
		refused.Store(false)
		time.Sleep(DefaultTimings().BackoffMax)
		wantVersion(t, c, 4)
	})
}
