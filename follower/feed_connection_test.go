package follower

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2/server"
	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/follower/internal/feed"
)

func TestAKilledConnectionIsReestablished(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		c := n.ready(t)
		n.link.Cut()
		w.commit(configJSON(2))                               // the follower is not subscribed now
		time.Sleep(DefaultTimings().BackoffMin + time.Second) // go-redis also backs off
		wantVersion(t, c, 2)
		wantState(t, c, StateLive)
		if s := c.Stats(); s.Connects != 2 || s.Disconnects != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestTheConfigStaysDuringAnOutage(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		log, logging := recorded(slog.LevelInfo)
		c := n.ready(t, logging)
		n.link.Down()
		for range 10 {
			time.Sleep(time.Minute)
			wantVersion(t, c, 1) // I5
			wantState(t, c, StateDisconnected)
		}
		if s := c.CacheState(); s != HasCachedFlagDataOnly {
			t.Errorf("cache state %v", s)
		}
		wantEvents(t, log, eventid.Disconnected, 1)
		wantEventText(t, log, eventid.Disconnected, "continues with the config in memory")
		wantEvents(t, log, eventid.CacheRead, 1)
		before := c.Stats().FailedReads
		time.Sleep(10 * time.Minute)
		if tries := c.Stats().FailedReads - before; tries < 60 || tries > 1200 {
			t.Errorf("%d tries in 10 minutes", tries)
		}
		n.link.Up()
		w.commit(configJSON(2))
		time.Sleep(2 * DefaultTimings().BackoffMax)
		wantVersion(t, c, 2)
		wantState(t, c, StateNoLeader) // subscribed; the lock has expired
		if len(log.with(eventid.CacheReadRecovery)) == 0 {
			t.Error("the recovery was not reported")
		}
	})
}

func TestAnOutageAtTheStartClaimsNoConfig(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		n.link.Down()
		log, logging := recorded(slog.LevelInfo)
		c := n.start(t, logging)
		time.Sleep(time.Minute)
		wantState(t, c, StateDisconnected)
		wantEvents(t, log, eventid.Disconnected, 1)
		wantEventText(t, log, eventid.Disconnected, "There is no config in memory yet.")
		n.link.Up()
		time.Sleep(2 * DefaultTimings().BackoffMax)
	})
}

// Without a leader no heartbeat repeats a change that was published during an outage.
func TestAfterAnOutageWithoutALeaderContentIsReadAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		c := n.ready(t)
		wantVersion(t, c, 1)
		n.link.Down()
		time.Sleep(time.Second)
		w.commit(configJSON(2))
		n.link.Up()
		time.Sleep(DefaultTimings().BackoffMax)
		wantVersion(t, c, 2)
	})
}

// I7: a connection that delivers nothing is closed, though no error shows that it is broken.
func TestASilentConnectionIsClosed(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		c := n.ready(t)
		synctest.Wait()
		n.link.Freeze()
		w.commit(configJSON(2))
		w.beat()
		time.Sleep(DefaultTimings().Dead)
		wantState(t, c, StateDisconnected)
		wantVersion(t, c, 1)
		time.Sleep(time.Minute)
		wantState(t, c, StateDisconnected)
		n.link.Thaw()
		time.Sleep(2 * DefaultTimings().BackoffMax)
		wantVersion(t, c, 2)
		wantState(t, c, StateLive)
	})
}

func TestStartsWhileRedisIsUnreachable(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		n.link.Down()
		c := n.start(t)
		if state, err := c.WaitForReady(t.Context()); state != NoFlagData || err != nil {
			t.Errorf("%v, %v", state, err)
		}
		if !c.GetBoolValue("isOn", true, nil) {
			t.Error("not the default")
		}
		n.link.Up()
		n.writer(t, 1)
		time.Sleep(2 * DefaultTimings().BackoffMax)
		wantVersion(t, c, 1)
	})
}

// hangUpOnSubscribe makes Redis close the next count connections that subscribe.
func hangUpOnSubscribe(n *network, count int64) {
	left := new(atomic.Int64)
	left.Store(count)
	n.intercept(func(peer *server.Peer, cmd string, _ ...string) bool {
		if cmd == "SUBSCRIBE" && left.Add(-1) >= 0 {
			peer.Close()
			return true
		}
		return false
	})
}

// An attempt that fails while Redis recovers does not lead to polling, however many attempts
// failed before because Redis was unreachable.
func TestAnOutageIsNotMistakenForMissingPubSub(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		n.writer(t, 1)
		log, logging := recorded(slog.LevelInfo)
		c := n.ready(t, logging)
		n.link.Down()
		time.Sleep(time.Minute)
		hangUpOnSubscribe(n, feed.ConnectTries-1)
		n.link.Up()
		time.Sleep(3 * DefaultTimings().BackoffMax)
		wantState(t, c, StateNoLeader)
		wantEvents(t, log, eventid.Polling, 0)
	})
}

// A proxy without pub/sub closes the connection on SUBSCRIBE.
func TestConnectionsClosedUponSubscribeMeanPolling(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		hangUpOnSubscribe(n, 1<<40)
		c := n.start(t)
		time.Sleep(2 * time.Second)
		wantState(t, c, StatePolling)
		w.commit(configJSON(2))
		time.Sleep(6 * time.Second)
		wantVersion(t, c, 2)
	})
}

// refuseSubscribe makes Redis answer SUBSCRIBE with an error while the returned value is true.
func refuseSubscribe(n *network) *atomic.Bool {
	refused := new(atomic.Bool)
	refused.Store(true)
	n.intercept(func(peer *server.Peer, cmd string, _ ...string) bool {
		if cmd == "SUBSCRIBE" && refused.Load() {
			peer.WriteError("NOPERM No permissions to access a channel")
			return true
		}
		return false
	})
	return refused
}

// I7: without pub/sub a change arrives within 6 s.
func TestADeniedSubscribeMeansPolling(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		w.beat()
		refused := refuseSubscribe(n)
		log, logging := recorded(slog.LevelInfo)
		c := n.ready(t, logging)
		wantVersion(t, c, 1)
		wantState(t, c, StatePolling)
		for v := range 50 {
			w.commit(configJSON(2 + v))
			time.Sleep(6 * time.Second)
			wantVersion(t, c, 2+v)
			wantState(t, c, StatePolling)
		}
		if age := confirmedAgo(c.Stats()); age > 6*time.Second || c.CacheState() != HasUpToDateFlagData {
			t.Errorf("age %v, %v", age, c.CacheState())
		}
		if loud := log.with(eventid.Polling); len(loud) != 1 || loud[0].level != slog.LevelError || !strings.Contains(loud[0].text, "NOPERM") {
			t.Errorf("%+v", loud)
		}
		refused.Store(false)
		time.Sleep(45 * time.Second)
		wantState(t, c, StateLive)
		before := c.Stats().HeadReads
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if reads := c.Stats().HeadReads - before; reads > 20 {
			t.Errorf("%d reads of meta in 10 minutes though subscribed", reads)
		}
	})
}

// When the right to subscribe is withdrawn, Redis closes the connection, then refuses SUBSCRIBE.
func TestAWithdrawnRightMeansPollingWithinSeconds(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		n.writer(t, 1)
		c := n.ready(t)
		refuseSubscribe(n)
		n.link.Cut()
		time.Sleep(5 * time.Second)
		wantState(t, c, StatePolling)
	})
}

// A follower that polls notices an outage of Redis and recovers from it quickly.
func TestPollingRecoversFromAnOutage(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		n.writer(t, 1)
		refused := refuseSubscribe(n)
		c := n.ready(t)
		wantState(t, c, StatePolling)
		n.link.Down()
		time.Sleep(7 * time.Second)
		wantState(t, c, StateDisconnected)
		time.Sleep(time.Minute)
		wantState(t, c, StateDisconnected)
		refused.Store(false)
		n.link.Up()
		time.Sleep(2 * DefaultTimings().BackoffMax)
		wantState(t, c, StateNoLeader) // subscribed; the lock has expired
	})
}

// Redis does not reply to SUBSCRIBE.
func TestAnUnacknowledgedSubscribeMeansPolling(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		n.intercept(func(_ *server.Peer, cmd string, _ ...string) bool { return cmd == "SUBSCRIBE" })
		c := n.ready(t)
		if waited := time.Since(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)); waited > 3*time.Second {
			t.Errorf("ready after %v", waited)
		}
		wantVersion(t, c, 1)
		wantState(t, c, StatePolling)
		for v := range 20 {
			w.commit(configJSON(2 + v))
			time.Sleep(6 * time.Second)
			wantVersion(t, c, 2+v)
		}
	})
}

func TestASilentLeaderIsReported(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		stop := w.beat()
		log, logging := recorded(slog.LevelInfo)
		c := n.ready(t, logging)
		time.Sleep(time.Minute)
		wantState(t, c, StateLive)
		stop()
		time.Sleep(DefaultTimings().Dead + 3*time.Second)
		wantState(t, c, StateNoLeader)
		time.Sleep(10 * time.Minute)
		wantState(t, c, StateNoLeader)
		if s := c.Stats(); s.Connects != 1 || s.Undelivered != 0 {
			t.Errorf("reconnected needlessly: %+v", s)
		}
		if c.CacheState() != HasCachedFlagDataOnly {
			t.Errorf("%v", c.CacheState())
		}
		w.acquire()
		w.heartbeat()
		wantState(t, c, StateLive)
		wantEvents(t, log, eventid.NoLeader, 1)
		wantEvents(t, log, eventid.LeaderBack, 1)
	})
}

// The connection answers PING but delivers no messages.
func TestAConnectionThatDeliversNothingIsReplaced(t *testing.T) {
	for name, commit := range map[string]bool{"content moves": true, "only the lock is renewed": false} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				w := n.writer(t, 1)
				w.beat()
				c := n.ready(t)
				time.Sleep(10 * time.Second)
				w.with(func() { w.mute = true })
				if commit {
					w.commit(configJSON(2))
				}
				muted := time.Now()
				for c.Stats().Undelivered == 0 {
					time.Sleep(time.Second)
				}
				if took := time.Since(muted); commit && took > DefaultTimings().Dead {
					t.Errorf("noticed after %v", took) // before the lock expires
				}
				w.with(func() { w.mute = false })
				if commit {
					wantVersion(t, c, 2)
				}
				time.Sleep(5 * time.Second)
				wantState(t, c, StateLive)
				if s := c.Stats(); s.Connects != 2 || s.Undelivered != 1 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// Redis acknowledges SUBSCRIBE but delivers nothing, like a proxy without pub/sub.
func TestPubSubThatNeverDeliversMeansPolling(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t)
		w.mute = true
		w.commit(configJSON(1))
		w.beat()
		log, logging := recorded(slog.LevelInfo)
		c := n.ready(t, logging)
		time.Sleep(2 * time.Minute)
		wantState(t, c, StatePolling)
		for v := range 50 {
			w.commit(configJSON(2 + v))
			time.Sleep(7 * time.Second)
			wantVersion(t, c, 2+v)
			wantState(t, c, StatePolling)
		}
		wantEvents(t, log, eventid.Polling, 1)
		w.with(func() { w.mute = false })
		time.Sleep(time.Minute)
		wantState(t, c, StateLive)
	})
}

// When thousands of clients connect at once, above all by TLS, a server takes longer to accept
// than the first timeout. Unless the timeout grew, no client would ever connect.
func TestAServerThatAcceptsConnectionsSlowlyIsReached(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		w.beat()
		opts := *n.client(t).Options()
		dial := opts.Dialer
		opts.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
			select {
			case <-time.After(DefaultTimings().Ack * 2):
				return dial(ctx, network, addr)
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		}
		slow := redis.NewClient(&opts)
		t.Cleanup(func() { _ = slow.Close() })
		c := n.start(t, func(cfg *Config) { cfg.Redis = slow })
		time.Sleep(time.Minute)
		wantState(t, c, StateLive)
	})
}
