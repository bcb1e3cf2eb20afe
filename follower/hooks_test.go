package follower

import (
	"context"
	"io"
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
)

func TestHooksReceiveEachContentOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		w.beat()
		var atCreation, added []int64
		versionOf := func(config *evaluate.Config) int64 {
			r := config.Evaluate("version", nil, evaluate.IntValue(0), nil)
			return r.Value.Int()
		}
		c := n.ready(t, func(c *Config) {
			c.Hooks = &Hooks{OnConfigChanged: func(config *evaluate.Config) { atCreation = append(atCreation, versionOf(config)) }}
		})
		synctest.Wait()
		remove := c.OnConfigChanged(func(config *evaluate.Config) { added = append(added, versionOf(config)) })
		w.commit(configJSON(2))
		time.Sleep(5 * time.Minute) // 304s and heartbeats
		w.commit(configJSON(3))
		synctest.Wait()
		remove()
		remove()
		w.commit(configJSON(4))
		synctest.Wait()
		if got := len(atCreation); got != 4 || atCreation[0] != 1 || atCreation[3] != 4 {
			t.Errorf("at creation: %v", atCreation)
		}
		if len(added) != 2 || added[0] != 2 || added[1] != 3 {
			t.Errorf("added later: %v", added)
		}
	})
}

// A hook may call any method; evaluations in it use the new config.
func TestAHookMayCallAnyMethod(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		var inner atomic.Int64
		client := make(chan *Client, 1)
		calls := 0
		c := n.start(t, func(c *Config) {
			c.Hooks = onChange(func() {
				c := <-client
				client <- c
				calls++
				if got := version(c); got != calls {
					t.Errorf("version %d within the hook, want %d", got, calls)
				}
				c.Stats()
				c.CacheState()
				c.GetAllKeys()
				<-c.Ready()
				if _, err := c.WaitForReady(t.Context()); err != nil {
					t.Error(err)
				}
				if err := c.Refresh(t.Context()); err != nil {
					t.Error(err)
				}
				remove := c.OnConfigChanged(func(*evaluate.Config) { inner.Add(1) })
				if calls == 1 {
					remove()
				}
			})
		})
		client <- c
		<-c.Ready()
		synctest.Wait()
		w.commit(configJSON(2))
		synctest.Wait()
		w.commit(configJSON(3))
		synctest.Wait()
		if calls != 3 || inner.Load() != 1 {
			t.Errorf("%d calls, %d of hooks that hooks added", calls, inner.Load())
		}
	})
}

func TestAHookMayCloseTheClient(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		n.writer(t, 1)
		client := make(chan *Client, 1)
		closed := false
		c := n.start(t, func(c *Config) {
			c.Hooks = onChange(func() {
				(<-client).Close()
				closed = true
			})
		})
		c.OnConfigChanged(func(*evaluate.Config) { t.Error("called after Close") })
		client <- c
		synctest.Wait()
		if !closed || c.Stats().State != StateClosed {
			t.Errorf("closed: %v, %v", closed, c.Stats().State)
		}
		wantVersion(t, c, 1)
	})
}

// S52.
func TestAPanickingHookIsRecovered(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		log, logging := recorded(slog.LevelError)
		release := n.hold()
		c := n.start(t, logging, func(c *Config) { c.Hooks = onChange(func() { panic("oh") }) })
		calls := 0
		c.OnConfigChanged(func(*evaluate.Config) { calls++ })
		release()
		<-c.Ready()
		synctest.Wait()
		w.commit(configJSON(2))
		wantVersion(t, c, 2)
		if calls != 2 || c.Stats().HookPanics != 2 {
			t.Errorf("the other hook was called %d times, %d panics", calls, c.Stats().HookPanics)
		}
		wantEvents(t, log, eventid.HookPanic, 2)
	})
}

// A hanging hook blocks neither the sync nor Close, and keeps a limited number of configs alive.
func TestAHangingHookBlocksNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		release := make(chan struct{})
		calls := 0
		c := n.ready(t, func(c *Config) {
			c.Logger = nil
			c.Hooks = onChange(func() {
				calls++
				<-release
			})
		})
		for v := range 100 {
			w.commit(configJSON(2 + v))
			wantVersion(t, c, 2+v)
		}
		if dropped := c.Stats().DroppedHooks; dropped != 100-hookQueue {
			t.Errorf("%d dropped", dropped)
		}
		c.Close()
		close(release)
		synctest.Wait()
		if calls != 1 {
			t.Errorf("called %d times, also after Close", calls)
		}
	})
}

// OnClientReady is called once, after the first config (S46).
func TestHooksAreNotifiedWhenTheClientIsReady_S46(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		w.beat()
		var got []string
		release := n.hold()
		c := n.start(t, func(c *Config) {
			c.Hooks = &Hooks{
				OnClientReady:   func(s CacheState) { got = append(got, s.String()) },
				OnConfigChanged: func(*evaluate.Config) { got = append(got, "changed") },
			}
		})
		later := 0
		c.OnClientReady(func(CacheState) { later++ })
		release()
		<-c.Ready()
		synctest.Wait()
		c.OnClientReady(func(CacheState) { t.Error("a hook that was added after the client was ready is called") })
		w.commit(configJSON(2))
		synctest.Wait()
		if want := []string{"changed", "HasUpToDateFlagData", "changed"}; !slices.Equal(got, want) || later != 1 {
			t.Errorf("received %q, want %q; %d later", got, want, later)
		}
	})
}

// S46: a client may be ready without a config.
func TestHooksAreNotifiedThatThereIsNoConfig_S46(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		n.link.Down()
		states := make(chan CacheState, 2)
		n.ready(t, func(c *Config) {
			c.Hooks = &Hooks{OnClientReady: func(s CacheState) { states <- s }}
		})
		synctest.Wait()
		if len(states) != 1 || <-states != NoFlagData {
			t.Error("did not receive NoFlagData once")
		}
	})
}

// S50: hooks also receive errors of background work.
func TestHooksReceiveErrorsInTheBackground_S50(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t)
		w.commit([]byte(`{"f":null}`))
		var got []string
		n.start(t, func(c *Config) {
			c.Logger = nil
			c.Hooks = &Hooks{OnError: func(message string, err error) { got = append(got, err.Error()) }}
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(got) != 1 || !strings.Contains(got[0], "$.f") {
			t.Errorf("received %q", got)
		}
	})
}

// S2, S46: a client that is closed before it is ready does not report that it is ready.
func TestAClosedClientIsNotReportedReady_S2_S46(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		n.intercept(func(_ *server.Peer, cmd string, _ ...string) bool { return cmd == "SUBSCRIBE" })
		calls := 0
		c := n.start(t, func(c *Config) {
			c.Hooks = &Hooks{OnClientReady: func(CacheState) { calls++ }}
		})
		c.Close()
		synctest.Wait()
		if calls != 0 {
			t.Errorf("called %d times", calls)
		}
	})
}

func TestHooksMayBeAddedAndRemovedAtAnyTime_S12(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := hookedClient(t, nil, []byte(partlyBroken), nil)
		var evaluated, failed atomic.Int64
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				for range 50 {
					removeOne := c.OnFlagEvaluated(func(*EvaluationDetails) { evaluated.Add(1) })
					removeTwo := c.OnError(func(string, error) { failed.Add(1) })
					c.GetBoolValue("good", false, nil)
					c.GetBoolValue("missing", false, nil)
					removeOne()
					removeTwo()
					removeTwo()
				}
			})
		}
		group.Wait()
		synctest.Wait()
		if c.hooks.wantsEvaluations() || c.hooks.Listening() {
			t.Error("hooks are left")
		}
		before, failures := evaluated.Load(), failed.Load()
		c.GetBoolValue("missing", false, nil)
		synctest.Wait()
		if evaluated.Load() != before || failed.Load() != failures {
			t.Error("called after the hooks were removed")
		}
		c.OnFlagEvaluated(func(*EvaluationDetails) { evaluated.Add(1) })
		c.GetBoolValue("missing", false, nil)
		synctest.Wait()
		if evaluated.Load() != before+1 {
			t.Error("a hook that was added later was not called")
		}
	})
}

// S2: hooks that are added after Close are never called.
func TestCloseDropsHooks_S2(t *testing.T) {
	log, _ := recorded(slog.LevelWarn)
	hook := func(*EvaluationDetails) { t.Error("called after Close") }
	c, _ := hookedClient(t, slog.New(log), []byte(partlyBroken), &Hooks{OnFlagEvaluated: hook})
	close(c.stop)
	c.hooks.close()
	c.OnFlagEvaluated(hook)()
	c.OnError(func(string, error) { t.Error("called after Close") })
	c.OnClientReady(func(CacheState) {})
	c.OnConfigChanged(func(*evaluate.Config) {})
	if !c.GetBoolValue("good", false, nil) || c.GetBoolValue("missing", false, nil) {
		t.Error("values")
	}
	found := log.with(eventid.ClosedNoEffect)
	if len(found) != 4 || found[0].text != "[3201] The client object is already closed, thus `OnFlagEvaluated()` has no effect. event_id=3201" {
		t.Errorf("%+v", found)
	}
}

// evaluatingHandler is a log handler that evaluates a flag for each record.
type evaluatingHandler struct {
	slog.Handler
	evaluate func()
}

func (e evaluatingHandler) Handle(context.Context, slog.Record) error {
	e.evaluate()
	return nil
}

// A logger may evaluate a flag, also while it handles the event that hooks are slow.
func TestALoggerMayEvaluateWhileHooksAreSlow(t *testing.T) {
	client := make(chan *Client, 1)
	logged := 0
	logger := slog.New(evaluatingHandler{slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelWarn}), func() {
		c := <-client
		client <- c
		logged++
		c.GetBoolValue("good", false, nil)
		c.Stats()
	}})
	called, release := make(chan struct{}), make(chan struct{})
	c, _ := hookedClient(t, logger, []byte(partlyBroken), &Hooks{
		OnFlagEvaluated: func(*EvaluationDetails) {},
		OnConfigChanged: func(*evaluate.Config) {
			called <- struct{}{}
			<-release
		},
	})
	c.updater = idleUpdater(c.holder)
	client <- c
	c.hooks.configChanged(nil)
	<-called
	for range hookQueue + 1 {
		c.hooks.configChanged(nil)
	}
	if logged != 1 {
		t.Errorf("logged %d times", logged)
	}
	c.hooks.close()
	close(release)
}
