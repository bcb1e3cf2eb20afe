package follower

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2/server"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/internal/wire"
)

// A bubble ends only when all its goroutines have ended, so each of these tests also shows that
// Close leaves no goroutine behind.
func TestCloseDuringAnyOperation(t *testing.T) {
	for name, during := range map[string]func(t *testing.T, n *network, w *writer) *Client{
		"the first connection": func(t *testing.T, n *network, _ *writer) *Client {
			return n.start(t)
		},
		"waiting for the acknowledgement": func(t *testing.T, n *network, _ *writer) *Client {
			n.intercept(func(_ *server.Peer, cmd string, _ ...string) bool { return cmd == "SUBSCRIBE" })
			c := n.start(t)
			time.Sleep(time.Second)
			return c
		},
		"a read that hangs": func(t *testing.T, n *network, _ *writer) *Client {
			n.intercept(func(_ *server.Peer, cmd string, _ ...string) bool { return cmd == "HMGET" })
			c := n.start(t)
			time.Sleep(time.Second)
			return c
		},
		"live": func(t *testing.T, n *network, w *writer) *Client {
			w.beat()
			c := n.start(t)
			time.Sleep(10 * time.Second)
			return c
		},
		"a flood of messages": func(t *testing.T, n *network, w *writer) *Client {
			c := n.ready(t)
			text := w.message(wire.Heartbeat)
			var flood sync.WaitGroup
			for range 4 {
				flood.Go(func() {
					for range 200 {
						n.Publish(w.keys.Events, text)
					}
				})
			}
			t.Cleanup(flood.Wait)
			return c
		},
		"the spread window": func(t *testing.T, n *network, w *writer) *Client {
			c := n.ready(t)
			w.spread = time.Minute
			w.commit(configJSON(2))
			synctest.Wait()
			return c
		},
		"a replica's lag": func(t *testing.T, n *network, w *writer) *Client {
			c := n.ready(t)
			staleReads(t, n, w, 1<<40)
			w.commit(configJSON(2))
			time.Sleep(time.Second)
			return c
		},
		"polling": func(t *testing.T, n *network, _ *writer) *Client {
			refuseSubscribe(n)
			c := n.start(t)
			time.Sleep(12 * time.Second)
			return c
		},
		"an outage": func(t *testing.T, n *network, _ *writer) *Client {
			c := n.ready(t)
			n.link.Down()
			time.Sleep(3700 * time.Millisecond)
			return c
		},
		"a frozen connection": func(t *testing.T, n *network, _ *writer) *Client {
			c := n.ready(t)
			n.link.Freeze()
			time.Sleep(12 * time.Second)
			return c
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				w := n.writer(t, 1)
				c := during(t, n, w)
				before := version(c)
				waiting, refreshed := make(chan error, 1), make(chan error, 1)
				go func() {
					_, err := c.WaitForReady(context.Background())
					waiting <- err
				}()
				go func() { refreshed <- c.Refresh(context.Background()) }()
				start := time.Now()
				c.Close()
				if took := time.Since(start); took > 6*time.Second {
					t.Errorf("Close took %v", took)
				}
				c.Close()
				<-c.Ready()
				if err := <-waiting; err != nil && !errors.Is(err, ErrClosed) {
					t.Errorf("%v", err)
				}
				<-refreshed // the refresh ends, with or without an error
				if got := version(c); got < before {
					t.Errorf("version %d after Close, %d before", got, before)
				}
				held := c.Stats()
				n.link.Up()
				n.link.Thaw()
				w.commit(configJSON(9))
				time.Sleep(5 * time.Minute)
				if after := c.Stats(); after.State != StateClosed || after.Rev != held.Rev || after.Counters != held.Counters {
					t.Errorf("still at work: %+v, then %+v", held, after)
				}
			})
		})
	}
}

// S2: after Close, getters use the last config, and other calls report that they have no effect.
func TestCallsAfterClose(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		n.writer(t, 1)
		log, logging := recorded(slog.LevelWarn)
		c := n.ready(t, logging)
		c.Close()
		if err := c.Refresh(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("refresh: %v", err)
		}
		c.OnConfigChanged(func(*evaluate.Config) { t.Error("called") })()
		if _, err := c.WaitForReady(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("wait: %v", err)
		}
		wantEvents(t, log, eventid.ClosedNoEffect, 2)
		wantVersion(t, c, 1)
		if len(c.GetAllKeys()) != 4 {
			t.Error(c.GetAllKeys())
		}
	})
}

func TestCloseIsSafeForConcurrentUse(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		c := n.start(t)
		var group sync.WaitGroup
		for range 10 {
			group.Go(c.Close)
			group.Go(func() { _ = c.Refresh(t.Context()) })
			group.Go(func() { c.OnConfigChanged(func(*evaluate.Config) {})() })
			group.Go(func() { c.GetBoolValue("isOn", false, nil) })
			group.Go(func() { c.Stats() })
		}
		group.Wait()
	})
}
