package follower

import (
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2/server"

	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
)

// cutOff returns a follower in the given mode with v3, which it fetched itself while it was cut off
// from Redis, and a leader that committed v2 before that. The link is still down. The follower is
// offline, so that new content arrives from Redis only.
func cutOff(t *testing.T, n *network, mode PollingMode, change ...func(*Config)) (*Client, *writer, func()) {
	t.Helper()
	cdn := cdnAt(3)
	w := n.writer(t, 1)
	stop := w.beat()
	c := n.ready(t, append([]func(*Config){online(cdn), polling(mode, 0)}, change...)...)
	time.Sleep(4 * time.Second)
	wantVersion(t, c, 1)
	n.link.Down()
	time.Sleep(10 * time.Second)
	w.commit(configJSON(2))
	time.Sleep(12 * time.Second)
	if err := c.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantVersion(t, c, 3)
	c.SetOffline()
	return c, w, stop
}

func fetched() []byte { return fakecdn.Config{Version: 3}.JSON() }

// versions returns each version that the client puts in force within the given time.
func versions(t *testing.T, c *Client, within time.Duration) []int {
	t.Helper()
	seen := []int{version(c)}
	for range int(within / (250 * time.Millisecond)) {
		time.Sleep(250 * time.Millisecond)
		if v := version(c); v != seen[len(seen)-1] {
			seen = append(seen, v)
		}
	}
	return seen
}

// I1: content that a follower fetched while it was cut off does not yield to older content of the leader.
func TestFetchedContentDoesNotYieldToAnOlderAnswer(t *testing.T) {
	for _, mode := range []PollingMode{Subscribe, AutoPoll, Lazy, Manual} {
		t.Run(mode.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				log, logging := recorded(slog.LevelInfo)
				c, w, _ := cutOff(t, n, mode, logging)
				w.with(func() { w.poll = time.Hour }) // the CDN stops answering the leader
				n.link.Up()
				for range 40 {
					time.Sleep(5 * time.Second)
					wantVersion(t, c, 3)
				}
				if s := c.Stats(); s.Waits != 1 || s.Source != SourceCDN {
					t.Errorf("%+v", s)
				}
				wantEvents(t, log, eventid.Waits, 1)
				w.with(func() { w.poll = 55 * time.Second })
				time.Sleep(5 * time.Second)
				if mode != Subscribe { // no message reports Redis's clock
					time.Sleep(2 * time.Minute)
				}
				wantVersion(t, c, 2) // a roll-back
				if s := c.Stats(); s.Source == SourceCDN || s.Rebases != 0 || s.LastConfirmed.IsZero() {
					t.Errorf("%+v", s)
				}
				if s := c.Stats(); mode == Subscribe && (s.Rev != w.rev || confirmedAgo(s) > 10*time.Second) {
					t.Errorf("%+v", s)
				}
				w.commit(configJSON(4)) // the leader's content is in force again
				time.Sleep(61 * time.Second)
				wantVersion(t, c, 4)
			})
		})
	}
}

// As soon as the leader names the fetched content, it counts as the leader's.
func TestFetchedContentThatTheLeaderNamesIsTheLeadersAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		changes := 0
		c, w, _ := cutOff(t, n, Subscribe, func(c *Config) { c.Hooks = onChange(func() { changes++ }) })
		w.commit(fetched())
		n.link.Up()
		time.Sleep(11 * time.Second)
		if s := c.Stats(); s.Rev != w.rev || s.Waits != 0 || s.Source == SourceCDN {
			t.Errorf("%+v", s)
		}
		before := changes
		w.commit(configJSON(4))
		wantVersion(t, c, 4)
		if changes != before+1 {
			t.Errorf("%d changes then %d", before, changes)
		}
	})
}

// Redis's clock may be ahead or behind. Once a message has reported it, times are compared.
func TestTimesAreComparedByRedisClock(t *testing.T) {
	for _, skew := range []time.Duration{-time.Hour, 0, time.Hour} {
		t.Run(skew.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				cdn := cdnAt(3)
				w := n.writer(t)
				w.skew = skew
				w.acquire()
				w.commit(configJSON(1))
				stop := w.beat()
				c := n.ready(t, online(cdn))
				time.Sleep(4 * time.Second)
				n.link.Down()
				time.Sleep(10 * time.Second)
				w.commit(configJSON(2))
				stop()
				time.Sleep(11 * time.Second)
				if err := c.Refresh(t.Context()); err != nil {
					t.Fatal(err)
				}
				n.link.Up()
				time.Sleep(10 * time.Second)
				w.heartbeat()
				wantVersion(t, c, 3)
				time.Sleep(time.Second)
				w.commit(configJSON(4))
				wantVersion(t, c, 4)
			})
		})
	}
}

// If Redis's clock is set back or ahead or is unknown, evidence ends the wait within 30 s and a poll.
func TestTheWaitForEvidenceIsBounded(t *testing.T) {
	for name, disturb := range map[string]func(w *writer){
		"set back":          func(w *writer) { w.skew = -time.Hour; w.rev, w.epoch = 0, 0; w.acquire() },
		"set ahead":         func(w *writer) { w.skew = time.Hour },
		"unknown":           func(w *writer) { w.undated = true },
		"unknown, skewed":   func(w *writer) { w.undated = true; w.skew = -time.Hour; w.rev, w.epoch = 0, 0; w.acquire() },
		"a term after that": func(w *writer) { w.acquire() },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				c, w, stop := cutOff(t, n, Subscribe)
				stop()
				disturb(w)
				w.commit(configJSON(2))
				n.link.Up()
				w.beat()
				if seen := versions(t, c, 2*55*time.Second+30*time.Second); len(seen) != 2 || seen[1] != 2 {
					t.Errorf("%v; %+v", seen, c.Stats())
				}
			})
		})
	}
}

// Refused content is taken with the first message that proves it, though Redis does not change.
func TestRefusedContentIsTakenWithTheFirstProof(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		c, w, stop := cutOff(t, n, Subscribe)
		stop()
		time.Sleep(11 * time.Second)
		w.commit(configJSON(4))
		n.link.Up()
		time.Sleep(6 * time.Second)
		wantVersion(t, c, 3)
		w.heartbeat()
		wantVersion(t, c, 4)
	})
}

// A client that does not subscribe and rarely reads does not wait for its next regular read.
func TestRefusedContentIsReadAgainSoon(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		c, _, _ := cutOff(t, n, Manual, polling(Manual, time.Hour))
		n.link.Up()
		if err := c.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantVersion(t, c, 3)
		time.Sleep(2 * time.Minute)
		wantVersion(t, c, 2)
		before := c.Stats().HeadReads
		time.Sleep(2 * time.Minute)
		if more := c.Stats().HeadReads - before; more != 0 {
			t.Errorf("%d reads after that", more)
		}
	})
}

// Evidence from two connections is not combined.
func TestEvidenceOfTwoConnectionsIsNotCombined(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		c, w, _ := cutOff(t, n, Subscribe)
		w.with(func() { w.undated, w.poll = true, time.Hour })
		n.link.Up()
		time.Sleep(27 * time.Second)
		n.link.Cut()
		w.confirm()
		time.Sleep(25 * time.Second)
		wantVersion(t, c, 3)
		w.confirm()
		time.Sleep(10 * time.Second)
		wantVersion(t, c, 2)
	})
}

// Only official SDKs fill the cache. Entries are ordered by fetch time; if the local clock is wrong,
// an entry is taken when its fetch time rises while the client waits.
func TestAnEntryWithoutALeaderIsTakenOnceItIsLater(t *testing.T) {
	for _, mode := range []PollingMode{Subscribe, AutoPoll, Lazy, Manual} {
		t.Run(mode.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				c := n.ready(t, online(cdnAt(3)), polling(mode, 0))
				if err := c.Refresh(t.Context()); err != nil {
					t.Fatal(err)
				}
				c.SetOffline()
				n.entry(2*time.Hour, 2)
				time.Sleep(3 * time.Minute)
				wantVersion(t, c, 3) // the entry was fetched before
				for range 4 {
					n.entry(time.Hour, 4) // of a clock that is behind; the fetch time rises
					time.Sleep(time.Minute)
					_ = version(c)
				}
				time.Sleep(time.Minute)
				wantVersion(t, c, 4)
				if s := c.Stats(); s.Waits == 0 || s.Source != SourceEntry {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// keepsWhatItFetched reports an error if the client takes other content within 5 minutes than v3, which
// it fetched itself, or has not looked at the entry.
func keepsWhatItFetched(t *testing.T, c *Client) {
	t.Helper()
	for range 10 {
		time.Sleep(30 * time.Second)
		wantVersion(t, c, 3)
		_ = c.Refresh(t.Context())
		wantVersion(t, c, 3)
	}
	if s := c.Stats(); s.Source != SourceCDN || s.EntryReads == 0 {
		t.Errorf("%+v", s)
	}
}

// A leader wrote the entry by a Redis clock that was ahead, and is gone. What else it wrote, or its
// lock, shows that the local clock says nothing about the entry's age.
func TestAnEntryOfALeaderThatIsGoneIsNotDatedByTheLocalClock(t *testing.T) {
	for _, mode := range []PollingMode{Subscribe, Manual} {
		for _, gone := range []time.Duration{time.Second, time.Minute} { // the lock lasts 15 s
			t.Run(fmt.Sprint(mode, " ", gone), func(t *testing.T) {
				inBubble(t, func(t *testing.T, n *network) {
					w := n.writer(t)
					w.skew = 4 * time.Second
					w.acquire()
					w.commit(configJSON(2))
					n.link.Down()
					c := n.start(t, online(cdnAt(3)), polling(mode, 0))
					time.Sleep(2 * time.Second)
					if err := c.Refresh(t.Context()); err != nil {
						t.Fatal(err)
					}
					c.SetOffline()
					n.Del(w.keys.Meta)
					time.Sleep(gone)
					n.link.Up()
					keepsWhatItFetched(t, c)
					n.Del(w.keys.Blob) // what was seen counts
					keepsWhatItFetched(t, c)
				})
			})
		}
	}
}

// Redis's clock was set ahead after it became known. Without meta, the entry may be that of a leader
// of after that.
func TestAnEntryWithoutMetaIsNotDatedByAClockOfBefore(t *testing.T) {
	for _, mode := range []PollingMode{Subscribe, Manual} {
		t.Run(mode.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				c, w, stop := cutOff(t, n, mode)
				stop()
				w.with(func() { w.skew = time.Minute })
				w.commit(configJSON(2))
				n.Del(w.keys.Meta)
				time.Sleep(2 * time.Minute)
				n.link.Up()
				keepsWhatItFetched(t, c)
			})
		})
	}
}

// A new leader commits between the reads of the entry and of meta. That meta does not name the entry
// of the leader before.
func TestAnEntryIsNotDatedByTheMetaOfALaterLeader(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		var changes atomic.Int64
		c, w, stop := cutOff(t, n, Subscribe, func(c *Config) { c.Hooks = onChange(func() { changes.Add(1) }) })
		stop()
		w.with(func() { w.skew = time.Minute })
		w.commit(configJSON(2))
		n.Del(w.keys.Meta)
		time.Sleep(2 * time.Minute)
		entryRead, committed := false, false
		n.intercept(func(_ *server.Peer, cmd string, args ...string) bool {
			entryRead = entryRead || strings.EqualFold(cmd, "GETRANGE") && args[0] == w.keys.Entry
			if entryRead && !committed && strings.EqualFold(cmd, "HMGET") {
				committed = true
				w.with(func() { w.skew, w.rev = 0, 0; w.epoch++ })
				w.commit(fetched())
			}
			return false
		})
		before := changes.Load()
		n.link.Up()
		time.Sleep(20 * time.Second)
		wantVersion(t, c, 3)
		if more := changes.Load() - before; !committed || more != 0 {
			t.Errorf("committed: %t; %d changes", committed, more)
		}
	})
}

// A client that restarts from its file or Cache keeps the content that it had fetched itself.
func TestARestartDoesNotReturnToOlderContent(t *testing.T) {
	for name, change := range map[string]func(t *testing.T) func(*Config){
		"file":  func(t *testing.T) func(*Config) { return withSnapshotFile(emptyFile(t)) },
		"Cache": func(*testing.T) func(*Config) { cache := new(memoryCache); return func(c *Config) { c.Cache = cache } },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				kept := change(t)
				first, w, _ := cutOff(t, n, Subscribe, kept)
				first.Close()
				w.with(func() { w.poll = time.Hour })
				c := n.ready(t, kept)
				wantVersion(t, c, 3)
				n.link.Up()
				time.Sleep(time.Minute)
				wantVersion(t, c, 3)
				if s := c.Stats(); s.Waits != 1 || s.Anomalies != 0 || c.CacheState() != HasCachedFlagDataOnly {
					t.Errorf("%v %+v", c.CacheState(), s)
				}
				w.commit(configJSON(4))
				wantVersion(t, c, 4)
				c.Close()

				time.Sleep(time.Hour) // content that is this much older does not wait for a message
				w.with(func() { w.mute = true })
				w.commit(configJSON(5))
				again := n.ready(t, kept)
				wantVersion(t, again, 5)
			})
		})
	}
}

// Each client of a shared feed decides for itself.
func TestEachClientOfAFeedDecidesForItself(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		shared := n.client(t)
		sharing := func(c *Config) { c.Redis = shared }
		c, w, _ := cutOff(t, n, Subscribe, sharing)
		other := n.start(t, sharing)
		w.with(func() { w.poll = time.Hour })
		n.link.Up()
		time.Sleep(20 * time.Second)
		wantVersion(t, c, 3)
		wantVersion(t, other, 2)
		late := n.ready(t, sharing)
		wantVersion(t, late, 2)
		w.commit(configJSON(4))
		for _, one := range []*Client{c, other, late} {
			wantVersion(t, one, 4)
		}
		if s := other.Stats(); s.Waits != 0 {
			t.Errorf("%+v", s)
		}
	})
}
