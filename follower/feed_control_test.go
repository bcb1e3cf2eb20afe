package follower

import (
	"log/slog"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2/server"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
)

// ordered is the seq of the controls in these tests: virtual time begins then.
const ordered = 1767225600007

// sdkWrites writes the CDN's content into the entry, as an official SDK does that is online.
func (n *network) sdkWrites(w *writer, version int) {
	e := cachekeys.Entry{FetchTime: max(time.Now().UnixMilli(), w.rev+1), ETag: `"sdk"`, JSON: configJSON(version)}
	_ = n.Set(w.keys.Entry, string(e.Append(nil)))
}

func wantControl(t *testing.T, c *Client, want int64) {
	t.Helper()
	synctest.Wait()
	if s := c.Stats(); s.Control != want {
		t.Fatalf("control %d, want %d; %+v", s.Control, want, s)
	}
}

// An official SDK that is online writes the CDN's content into the entry. While an operator's control is in force,
// followers do not take it from there, whether there is no leader, the blob is bad or Redis has lost meta.
func TestWhileAControlIsInForceTheEntryIsNotRead(t *testing.T) {
	for name, test := range map[string]struct {
		mode PollingMode
		harm func(t *testing.T, n *network, w *writer)
	}{
		"no leader":             {harm: func(_ *testing.T, n *network, w *writer) { n.Del(w.keys.Lock) }},
		"no leader, AutoPoll":   {AutoPoll, func(_ *testing.T, n *network, w *writer) { n.Del(w.keys.Lock) }},
		"no leader, Manual":     {Manual, func(_ *testing.T, n *network, w *writer) { n.Del(w.keys.Lock) }},
		"no blob and no leader": {harm: func(_ *testing.T, n *network, w *writer) { n.Del(w.keys.Lock); n.Del(w.keys.Blob) }},
		"a bad blob": {harm: func(t *testing.T, n *network, w *writer) {
			corruptBlob(t, n, w, flipBit)
			w.redis.Persist(t.Context(), w.keys.Lock)
		}},
		"meta is lost":       {harm: func(_ *testing.T, n *network, w *writer) { n.Del(w.keys.Meta); n.Del(w.keys.Lock) }},
		"meta is malformed":  {harm: func(_ *testing.T, n *network, w *writer) { n.HSet(w.keys.Meta, "rev", "x"); n.Del(w.keys.Lock) }},
		"everything is lost": {harm: func(_ *testing.T, n *network, _ *writer) { n.FlushAll() }},
		"everything is lost, and a leader begins": {harm: func(_ *testing.T, n *network, w *writer) {
			n.FlushAll()
			w.with(func() { w.control = 0 })
			w.acquire()
			n.Del(w.keys.Lock)
		}},
		"Redis restarts": {harm: func(_ *testing.T, n *network, w *writer) {
			n.Del(w.keys.Lock)
			n.link.Down()
			time.Sleep(time.Minute)
			n.link.Up()
			time.Sleep(10 * time.Second)
		}},
		"a primary without the last writes takes over": {harm: func(_ *testing.T, n *network, w *writer) {
			n.HSet(w.keys.Meta, "rev", strconv.FormatInt(w.rev-1, 10), "hash", wire.ContentHash(configJSON(1)), "control", "")
			n.Del(w.keys.Lock)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				log, logging := recorded(slog.LevelInfo)
				w := n.writer(t, 1)
				w.order(ordered, configJSON(2))
				c := n.ready(t, logging, polling(test.mode, 0))
				if c.Stats().State == StateUnsubscribed {
					if err := c.Refresh(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				wantControl(t, c, ordered)
				test.harm(t, n, w)
				for range 20 {
					n.sdkWrites(w, 9)
					time.Sleep(time.Minute)
					_ = c.Refresh(t.Context())
					wantVersion(t, c, 2)
				}
				if s := c.Stats(); s.EntryReads != 0 {
					t.Errorf("%+v", s)
				}
				wantEvents(t, log, eventid.Controlled, 1)
				wantEvents(t, log, eventid.ControlEnded, 0)

				// When the control ends, the entry counts again.
				w.acquire()
				w.order(0, configJSON(3))
				_ = c.Refresh(t.Context())
				wantVersion(t, c, 3)
				wantControl(t, c, 0)
				wantEvents(t, log, eventid.ControlEnded, 1)
				n.Del(w.keys.Lock)
				n.sdkWrites(w, 10)
				time.Sleep(2 * time.Minute)
				_ = c.Refresh(t.Context())
				wantVersion(t, c, 10)
			})
		})
	}
}

// A message suffices: a replica may be behind, and not know of the control yet.
func TestAMessageOfAControlKeepsTheEntryFromBeingRead(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		c := n.ready(t)
		staleReads(t, n, w, 1000)
		w.with(func() { w.inline = true })
		w.order(ordered, configJSON(2))
		wantVersion(t, c, 2)
		n.Del(w.keys.Lock)
		n.sdkWrites(w, 9)
		time.Sleep(20 * time.Second)
		wantVersion(t, c, 2)
		if s := c.Stats(); s.EntryReads != 0 || s.Control != ordered || s.HeadReads == 0 {
			t.Errorf("%+v", s)
		}
	})
}

// A control may begin after the read of meta and before that of the entry, and its message may be lost.
func TestAnEntryIsNotTakenIfAControlBeganBeforeItsRead(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		c := n.ready(t)
		wantVersion(t, c, 1)
		n.Del(w.keys.Lock)
		reads, began := 0, false
		n.intercept(func(_ *server.Peer, cmd string, args ...string) bool {
			if cmd == "GETRANGE" && args[0] == w.keys.Entry {
				reads++
				if !began {
					began = true
					w.with(func() { w.mute = true })
					w.order(ordered, configJSON(2))
					n.sdkWrites(w, 9)
				}
			}
			return false
		})
		if err := c.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantVersion(t, c, 1)
		wantControl(t, c, ordered)
		if err := c.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantVersion(t, c, 2)
		if reads != 1 {
			t.Errorf("%d reads of the entry", reads)
		}
	})
}

// A leader of a version without controls leaves the field in meta as it was, and makes the CDN's content current.
func TestAControlCountsOnlyInTheTermOfALeaderThatKnowsOfIt(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		w.order(ordered, configJSON(2))
		c := n.ready(t)
		wantControl(t, c, ordered)
		early := w.describe(wire.Heartbeat)

		time.Sleep(time.Second)
		w.with(func() { w.older = true })
		w.acquire()
		w.commit(configJSON(3))
		wantVersion(t, c, 3)
		wantControl(t, c, 0)
		if n.HGet(w.keys.Meta, "control") == "" {
			t.Fatal("the field is not there any more")
		}
		w.publish(string(early.Append(nil))) // late
		wantControl(t, c, 0)
		late := w.describe(wire.Heartbeat)

		n.Del(w.keys.Lock)
		n.sdkWrites(w, 9)
		started := n.ready(t)
		wantVersion(t, started, 9)
		wantControl(t, started, 0)

		time.Sleep(time.Second)
		w.with(func() { w.older = false })
		w.acquire()
		w.commit(configJSON(4))
		w.order(ordered+1, configJSON(5))
		wantControl(t, c, ordered+1)
		w.publish(string(late.Append(nil)))
		wantControl(t, c, ordered+1)
		n.Del(w.keys.Lock)
		n.sdkWrites(w, 9)
		time.Sleep(2 * time.Minute)
		wantVersion(t, c, 5)
	})
}

// The messages that tell the start and the end of a control may be lost or arrive in another order.
func TestTheLastStatementAboutAControlCounts(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		c := n.ready(t)
		w.with(func() { w.mute, w.inline = true, true })
		w.order(ordered, configJSON(2))
		begin := w.describe(wire.Change)
		w.order(ordered+1, configJSON(3))
		changed := w.describe(wire.Change)
		w.order(0, configJSON(1))
		end := w.describe(wire.Change)
		for i, step := range []struct {
			message wire.Message
			want    int64
		}{{changed, ordered + 1}, {begin, ordered + 1}, {end, 0}, {changed, 0}, {begin, 0}} {
			w.publish(string(step.message.Append(nil)))
			synctest.Wait()
			if s := c.Stats(); s.Control != step.want {
				t.Errorf("after message %d: %d, want %d", i, s.Control, step.want)
			}
		}
		wantVersion(t, c, 1)

		w.order(ordered+2, configJSON(4)) // all messages are lost
		time.Sleep(91 * time.Second)
		wantVersion(t, c, 4)
		wantControl(t, c, ordered+2)
		w.order(0, configJSON(1))
		time.Sleep(91 * time.Second)
		wantVersion(t, c, 1)
		wantControl(t, c, 0)
	})
}

// If Redis lost its data and its clock is behind, a control ends by the rebase rule.
func TestAControlEndsWithLowerRevs(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		w.order(ordered, configJSON(2))
		c := n.ready(t)
		wantControl(t, c, ordered)
		n.FlushAll()
		w.with(func() { w.skew, w.epoch, w.rev, w.control, w.poll = -time.Hour, 0, 0, 0, 10*time.Second })
		w.acquire()
		w.commit(configJSON(3))
		w.beat()
		time.Sleep(29 * time.Second)
		wantControl(t, c, ordered)
		time.Sleep(time.Minute)
		wantControl(t, c, 0)
		wantVersion(t, c, 3)
		if s := c.Stats(); s.Rebases != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// What a client that is online would fetch is the CDN's content, against the operator's order: while a control is in
// force it asks the CDN neither if the CDN stops answering the leader nor if Redis is away.
func TestWhileAControlIsInForceTheClientDoesNotAskTheCDN(t *testing.T) {
	for _, mode := range []PollingMode{Subscribe, AutoPoll, Lazy, Manual} {
		t.Run(mode.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				w := n.writer(t, 1)
				w.with(func() { w.poll = time.Hour }) // the CDN does not answer the leader
				stop := w.beat()
				w.order(ordered, configJSON(2))
				cdn := cdnAt(9)
				c := n.ready(t, online(cdn), polling(mode, 0))
				refresh := func() {
					for range 10 {
						time.Sleep(time.Minute)
						_ = c.Refresh(t.Context())
						wantVersion(t, c, 2)
					}
				}
				refresh()
				n.link.Down()
				refresh()
				wantRequests(t, cdn, 0)
				wantControl(t, c, ordered)
				n.link.Up()
				w.order(0, configJSON(3))
				stop()
				n.Del(w.keys.Lock)
				for range 3 {
					time.Sleep(time.Minute)
					_ = c.Refresh(t.Context())
				}
				wantVersion(t, c, 9)
			})
		})
	}
}

// A control may begin while the CDN answers a client.
func TestAnAnswerOfTheCDNIsNotUsedIfAControlBeganMeanwhile(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		w.with(func() { w.poll = time.Hour })
		w.beat()
		cdn := cdnAt(9)
		c := n.ready(t, online(cdn))
		wantRequests(t, cdn, 0)
		release := make(chan struct{})
		fetching := make(chan struct{}, 1)
		cdn.Break(fakecdn.Announce(fetching, fakecdn.Hang(release)))
		asked := make(chan error, 1)
		go func() { asked <- c.Refresh(t.Context()) }()
		<-fetching
		w.with(func() { w.spread = time.Minute }) // the content is read later
		w.order(ordered, configJSON(2))
		wantControl(t, c, ordered)
		close(release)
		if err := <-asked; err != nil {
			t.Error(err)
		}
		wantVersion(t, c, 1)
		time.Sleep(time.Minute)
		wantVersion(t, c, 2)
	})
}

// Fetched content waits for the CDN's answers, but not for an operator's order.
func TestAControlReplacesFetchedContentAtOnce(t *testing.T) {
	for _, mode := range []PollingMode{Subscribe, AutoPoll, Lazy, Manual} {
		t.Run(mode.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				c, w, _ := cutOff(t, n, mode)
				w.with(func() { w.poll = time.Hour }) // the CDN stops answering the leader
				n.link.Up()
				time.Sleep(61 * time.Second)
				wantVersion(t, c, 3)
				w.order(ordered, configJSON(4))
				if mode != Subscribe {
					time.Sleep(61 * time.Second)
				}
				wantVersion(t, c, 4)
				w.order(0, configJSON(2)) // the end needs no answer either
				if mode != Subscribe {
					time.Sleep(61 * time.Second)
				}
				wantVersion(t, c, 2)
			})
		})
	}
}

// The CDN did not cause an operator's change, so its last answer does not tell how long the change took.
func TestAControlsChangeHasNoPublishToApplyTime(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		c := n.ready(t)
		w.commit(configJSON(2))
		wantVersion(t, c, 2)
		time.Sleep(29 * time.Second) // meta is read after 30 s at the earliest
		w.order(ordered, configJSON(3))
		wantVersion(t, c, 3)
		w.order(0, configJSON(2))
		wantVersion(t, c, 2)
		if s := c.Stats(); s.PublishToApply.Count() != 1 {
			t.Errorf("%+v", s)
		}
		w.with(func() { w.control = ordered + 1 })
		w.commit(configJSON(4)) // with a forced flag
		wantVersion(t, c, 4)
		w.commit(configJSON(5)) // the CDN's next change, with the same flag
		wantVersion(t, c, 5)
		if n := c.Stats().PublishToApply.Count(); n != 2 {
			t.Errorf("%d times", n)
		}
	})
}

// On a real Redis the entry counts again once the control has ended.
func TestRealWhileAControlIsInForceTheEntryIsNotRead(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	admin := server.Client(t, nil)
	w := newWriter(t, admin)
	w.commit(configJSON(1))
	ordered := time.Now().UnixMilli()
	w.order(ordered, configJSON(2))
	c := startReal(t, server.Client(t, nil))
	awaitVersion(t, c, 2)
	sdkWrites := func(version int) {
		t.Helper()
		e := cachekeys.Entry{FetchTime: max(time.Now().UnixMilli(), w.rev+1), ETag: `"sdk"`, JSON: configJSON(version)}
		if err := admin.Set(t.Context(), w.keys.Entry, e.Append(nil), 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	refresh := func() {
		t.Helper()
		if err := c.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	admin.Del(t.Context(), w.keys.Lock)
	sdkWrites(9)
	refresh()
	if s := c.Stats(); version(c) != 2 || s.Control != ordered || s.EntryReads != 0 {
		t.Errorf("version %d, %+v", version(c), s)
	}
	w.acquire()
	w.order(0, configJSON(3))
	awaitVersion(t, c, 3)
	admin.Del(t.Context(), w.keys.Lock)
	sdkWrites(10)
	refresh()
	if s := c.Stats(); version(c) != 10 || s.Control != 0 || s.Source != SourceEntry {
		t.Errorf("version %d, %+v", version(c), s)
	}
}

// The last leader may be gone for good, and the control stays in meta. It ends when it must have ended.
func TestAControlWithoutALeaderEndsAfterDays(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		w.order(time.Now().Add(time.Hour-8*24*time.Hour).UnixMilli(), configJSON(2))
		cdn := cdnAt(11)
		c, fetching := n.ready(t), n.ready(t, online(cdn))
		n.Del(w.keys.Lock)
		for range 59 {
			n.sdkWrites(w, 9)
			time.Sleep(time.Minute)
			wantVersion(t, c, 2)
			wantVersion(t, fetching, 2)
		}
		n.sdkWrites(w, 10)
		time.Sleep(3 * time.Minute)
		wantVersion(t, c, 10)
		wantControl(t, c, 0)
		wantVersion(t, fetching, 11)
		wantVersion(t, n.ready(t), 10)
	})
}

// The local clock may be months ahead of Redis's.
func TestAWrongClockDoesNotEndAControl(t *testing.T) {
	for _, mode := range []PollingMode{Subscribe, AutoPoll, Lazy, Manual} {
		t.Run(mode.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				w := n.writer(t)
				w.with(func() { w.skew, w.epoch, w.poll = -100*24*time.Hour, 0, time.Hour })
				w.acquire()
				w.commit(configJSON(1))
				w.beat()
				w.order(w.now(), configJSON(2))
				cdn := cdnAt(9)
				c := n.ready(t, online(cdn), polling(mode, 0))
				for range 10 {
					_ = c.Refresh(t.Context())
					wantVersion(t, c, 2)
					wantControl(t, c, w.control)
					time.Sleep(time.Minute)
				}
				wantRequests(t, cdn, 0)
			})
		})
	}
}
