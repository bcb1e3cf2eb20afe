package follower

import (
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower/internal/eventid"
)

// hookedClient is heldClient with hooks. wait waits until the hooks have received all events other
// than evaluations; for evaluations use synctest.Wait in a bubble.
func hookedClient(t *testing.T, logger *slog.Logger, json []byte, hooks *Hooks) (c *Client, wait func()) {
	t.Helper()
	c = heldClient(t, logger, json)
	c.hooks = startHooks(hooks, c.log)
	c.log = c.log.For(c.hooks)
	c.stop = make(chan struct{})
	t.Cleanup(c.hooks.close)
	return c, func() {
		called := make(chan struct{})
		c.hooks.enqueue(readyCall, func() []func() { return []func(){func() { close(called) }} })
		<-called
	}
}

const partlyBroken = `{"f":{"good":{"t":0,"v":{"b":true},"i":"on"},"bad":{"t":2}}}`

func TestHooksReceiveEveryEvaluation_S49(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		user := &UserData{Identifier: "1"}
		c, _ := hookedClient(t, nil, []byte(partlyBroken), &Hooks{OnFlagEvaluated: func(d *EvaluationDetails) {
			text := d.Data.Key
			switch {
			case d.Data.Error != nil:
				text += " failed"
			case d.Value == true:
				text += " is on"
			}
			if d.Data.User == user {
				text += " for a user"
			}
			got = append(got, text)
		}})
		for name, test := range map[string]struct {
			call func()
			want []string
		}{
			"value":        {func() { c.GetBoolValue("good", false, nil) }, []string{"good is on"}},
			"user":         {func() { c.GetBoolValue("good", false, user) }, []string{"good is on for a user"}},
			"details":      {func() { c.GetBoolValueDetails("good", false, nil) }, []string{"good is on"}},
			"no such key":  {func() { c.GetIntValue("missing", 1, nil) }, []string{"missing failed"}},
			"broken":       {func() { c.GetIntValue("bad", 1, nil) }, []string{"bad failed"}},
			"another type": {func() { c.GetStringValueDetails("good", "", nil) }, []string{"good failed"}},
			"all values":   {func() { c.GetAllValues(nil) }, []string{"good is on", "bad failed"}},
			"keys":         {func() { c.GetAllKeys() }, nil},
		} {
			got = nil
			test.call()
			synctest.Wait()
			if !cmp.Equal(got, test.want) {
				t.Errorf("%s: received %q, want %q", name, got, test.want)
			}
		}
	})
}

// Hooks receive evaluations in their order.
func TestHooksReceiveEvaluationsInOrder_S49(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []any
		c, _ := hookedClient(t, nil, configJSON(1), &Hooks{OnFlagEvaluated: func(d *EvaluationDetails) { got = append(got, d.Value) }})
		for i := range evaluationQueue {
			c.GetIntValue("missing", i, nil)
		}
		synctest.Wait()
		if len(got) != evaluationQueue {
			t.Fatalf("received %d", len(got))
		}
		for i, v := range got {
			if v != i {
				t.Fatalf("%v comes as number %d", v, i)
			}
		}
	})
}

// A hook may evaluate flags, add and remove hooks, and call any other method.
func TestAHookMayEvaluate_S49(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c *Client
		var calls, others int
		c, _ = hookedClient(t, nil, []byte(partlyBroken), &Hooks{OnFlagEvaluated: func(d *EvaluationDetails) {
			calls++
			if d.Data.Key == "bad" {
				return
			}
			remove := c.OnFlagEvaluated(func(*EvaluationDetails) { others++ })
			if c.GetIntValue("bad", 1, nil) != 1 {
				t.Error("evaluation within a hook")
			}
			c.Stats()
			remove()
		}})
		for range 3 {
			c.GetBoolValue("good", false, nil)
		}
		synctest.Wait()
		if calls != 6 || others != 0 {
			t.Errorf("%d calls, %d of a hook that was removed", calls, others)
		}
	})
}

// A hook that evaluates on each call blocks neither evaluations nor Close.
func TestAHookThatAlwaysEvaluatesDoesNotBlockClose_S49(t *testing.T) {
	var c *Client
	var calls atomic.Int64
	release := make(chan struct{})
	c, _ = hookedClient(t, nil, []byte(partlyBroken), &Hooks{OnFlagEvaluated: func(*EvaluationDetails) {
		<-release
		calls.Add(1)
		c.GetAllValues(nil)
	}})
	c.GetBoolValue("good", false, nil)
	close(release)
	for calls.Load() < 2*evaluationQueue {
		c.GetBoolValue("good", false, nil)
	}
	c.hooks.close()
	<-c.hooks.evaluated.done
}

// A hanging hook blocks neither evaluations nor other hooks. Evaluations that exceed the queue are
// dropped, counted and logged once. Queued ones are reported when the hook returns.
func TestAHangingEvaluationHookBlocksNothing_S49(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, _ := recorded(slog.LevelWarn)
		release := make(chan struct{})
		var evaluated, changed int
		c, _ := hookedClient(t, slog.New(log), configJSON(1), &Hooks{
			OnFlagEvaluated: func(*EvaluationDetails) {
				<-release
				evaluated++
			},
			OnConfigChanged: func(*evaluate.Config) { changed++ },
		})
		c.GetBoolValue("isOn", false, nil)
		synctest.Wait() // the hook has received it
		const room = 4096
		for range room + 10 {
			if !c.GetBoolValue("isOn", false, nil) {
				t.Fatal("the value")
			}
		}
		c.hooks.configChanged(nil)
		synctest.Wait()
		if stats := c.Stats(); changed != 1 || evaluated != 0 || stats.DroppedEvaluationHooks != 10 || stats.DroppedHooks != 0 {
			t.Errorf("changed %d, received %d, %+v", changed, evaluated, stats.Counters)
		}
		wantEvents(t, log, eventid.HookSlow, 1)
		close(release)
		synctest.Wait()
		c.GetBoolValue("isOn", false, nil)
		synctest.Wait()
		if want := room + 2; evaluated != want {
			t.Errorf("received %d, want %d", evaluated, want)
		}
		wantEvents(t, log, eventid.HookSlow, 1)
	})
}

// Close delivers queued evaluations, for up to 1 s.
func TestCloseDrainsEvaluations_S49(t *testing.T) {
	for name, test := range map[string]struct {
		slowness time.Duration
		received uint64
		took     time.Duration
	}{
		"quick": {0, 100, 0},
		"slow":  {9 * time.Millisecond, 100, 900 * time.Millisecond},
		"hangs": {300 * time.Millisecond, 4, time.Second}, // the fourth is being delivered when Close gives up
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log, _ := recorded(slog.LevelWarn)
				var calls atomic.Uint64
				c, _ := hookedClient(t, slog.New(log), configJSON(1), &Hooks{OnFlagEvaluated: func(*EvaluationDetails) {
					time.Sleep(test.slowness)
					calls.Add(1)
				}})
				for range 100 {
					c.GetBoolValue("isOn", false, nil)
				}
				start := time.Now()
				c.hooks.close()
				if took := time.Since(start); took != test.took {
					t.Errorf("Close took %v", took)
				}
				c.GetBoolValue("isOn", false, nil) // S2
				time.Sleep(time.Minute)
				if received, dropped := calls.Load(), c.hooks.evaluated.dropped.Load(); received != test.received || dropped != 100-received {
					t.Errorf("received %d, dropped %d", received, dropped)
				}
				wantEvents(t, log, eventid.HookSlow, min(1, int(100-test.received)))
			})
		})
	}
}

// A hook may close the client; that does not deadlock.
func TestAnEvaluationHookMayCloseTheClient_S2(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		var c *Client
		var calls atomic.Int64
		evaluated := make(chan struct{})
		c = n.start(t, func(cfg *Config) {
			cfg.Hooks = &Hooks{OnFlagEvaluated: func(*EvaluationDetails) {
				<-evaluated
				calls.Add(1)
				c.Close()
			}}
		})
		<-c.Ready()
		for range 3 {
			c.GetBoolValue("isOn", false, nil)
		}
		close(evaluated)
		time.Sleep(time.Minute)
		if calls.Load() != 1 || c.Stats().State != StateClosed || c.Stats().DroppedEvaluationHooks != 2 {
			t.Errorf("%d calls, %+v", calls.Load(), c.Stats())
		}
	})
}

// A hook that ends its goroutine stops neither the hooks after it nor later events of any kind.
func TestAHookThatEndsItsGoroutineStopsNoOtherHook_S52(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, _ := recorded(slog.LevelError)
		var evaluated, changed, ready, failed int
		c, _ := hookedClient(t, slog.New(log), configJSON(1), &Hooks{
			OnFlagEvaluated: func(*EvaluationDetails) { runtime.Goexit() },
			OnConfigChanged: func(*evaluate.Config) { runtime.Goexit() },
			OnClientReady:   func(CacheState) { runtime.Goexit() },
			OnError:         func(string, error) { runtime.Goexit() },
		})
		c.OnFlagEvaluated(func(*EvaluationDetails) { evaluated++ })
		c.OnConfigChanged(func(*evaluate.Config) { changed++ })
		c.OnClientReady(func(CacheState) { ready++ })
		c.OnError(func(string, error) { failed++ })
		for range 3 {
			c.GetBoolValue("isOn", false, nil)
			c.hooks.configChanged(nil)
			c.hooks.clientReady(NoFlagData)
			synctest.Wait()
		}
		// Nine hooks ended their goroutines, which OnError hooks receive; so did one of these each time.
		if evaluated != 3 || changed != 3 || ready != 3 || failed != 9 || c.hooks.panics.Load() != 18 {
			t.Errorf("%d, %d, %d, %d received; %d ended their goroutine", evaluated, changed, ready, failed, c.hooks.panics.Load())
		}
		if events := log.with(eventid.HookPanic); len(events) != 18 || !strings.Contains(events[0].text, "A hook ended its goroutine.") {
			t.Errorf("%+v", events)
		}
	})
}

func TestAPanickingEvaluationHookIsRecovered_S52(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, _ := recorded(slog.LevelError)
		var reported []string
		panicked := errors.New("oh")
		c, _ := hookedClient(t, slog.New(log), []byte(partlyBroken), &Hooks{
			OnFlagEvaluated: func(*EvaluationDetails) { panic(panicked) },
			OnError: func(message string, err error) {
				reported = append(reported, message)
				if !errors.Is(err, panicked) {
					t.Errorf("%v", err)
				}
				panic("OnError, too")
			},
		})
		calls := 0
		c.OnFlagEvaluated(func(*EvaluationDetails) { calls++ })
		if !c.GetBoolValue("good", false, nil) {
			t.Error("the value")
		}
		synctest.Wait()
		if panics := c.hooks.panics.Load(); calls != 1 || panics != 2 || len(reported) != 1 || reported[0] != "A hook panicked." {
			t.Errorf("the other hook was called %d times, %d panics, reported %q", calls, panics, reported)
		}
		wantEvents(t, log, eventid.HookPanic, 2)
	})
}
