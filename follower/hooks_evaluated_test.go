package follower

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/eventlog"
)

// hookedClient is a heldClient with hooks. wait waits until all that was reported has
// been told.
func hookedClient(t *testing.T, logger *slog.Logger, json []byte, hooks *Hooks) (c *Client, wait func()) {
	t.Helper()
	c = heldClient(t, logger, json)
	c.hooks = startHooks(hooks, c.log)
	c.log = c.log.For(c.hooks)
	c.stop = make(chan struct{})
	t.Cleanup(c.hooks.close)
	return c, func() {
		told := make(chan struct{})
		c.hooks.enqueue(readyCall, func() { close(told) })
		<-told
	}
}

const partlyBroken = `{"f":{"good":{"t":0,"v":{"b":true},"i":"on"},"bad":{"t":2}}}`

func TestHooksAreToldOfEveryEvaluation_S49(t *testing.T) {
	var told []string
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
		told = append(told, text)
	}})
	for name, test := range map[string]struct {
		call func()
		want []string
	}{
		"value":           {func() { c.GetBoolValue("good", false, nil) }, []string{"good is on"}},
		"user":            {func() { c.GetBoolValue("good", false, user) }, []string{"good is on for a user"}},
		"details":         {func() { c.GetBoolValueDetails("good", false, nil) }, []string{"good is on"}},
		"no such key":     {func() { c.GetIntValue("missing", 1, nil) }, []string{"missing failed"}},
		"broken":          {func() { c.GetIntValue("bad", 1, nil) }, []string{"bad failed"}},
		"of another type": {func() { c.GetStringValueDetails("good", "", nil) }, []string{"good failed"}},
		"all values":      {func() { c.GetAllValues(nil) }, []string{"good is on", "bad failed"}},
		"keys":            {func() { c.GetAllKeys() }, nil},
	} {
		told = nil
		if test.call(); !cmp.Equal(told, test.want) {
			t.Errorf("%s: told of %q, want %q", name, told, test.want)
		}
	}
}

// A hook that evaluates is not told of that, or it would never end.
func TestAHookMayEvaluate_S49(t *testing.T) {
	client := make(chan *Client, 1)
	calls := 0
	hook := func(d *EvaluationDetails) {
		calls++
		c := <-client
		client <- c
		if !c.GetBoolValue(d.Data.Key, false, nil) || len(c.GetAllValues(nil)) != 2 {
			t.Error("evaluation within a hook")
		}
	}
	c, _ := hookedClient(t, nil, []byte(partlyBroken), &Hooks{OnFlagEvaluated: hook})
	client <- c
	for range 3 {
		c.GetBoolValue("good", false, nil)
	}
	if calls != 3 {
		t.Errorf("%d calls", calls)
	}
}

func TestAHookOfEvaluationThatPanicsHarmsNobody_S52(t *testing.T) {
	log, _ := recorded(slog.LevelError)
	var reported []string
	panicked := errors.New("oh")
	c, wait := hookedClient(t, slog.New(log), []byte(partlyBroken), &Hooks{
		OnFlagEvaluated: func(*EvaluationDetails) { panic(panicked) },
		OnError: func(message string, err error) {
			reported = append(reported, message)
			if !errors.Is(err, panicked) {
				t.Errorf("%v", err)
			}
			panic("OnError, too")
		},
	})
	told := 0
	c.OnFlagEvaluated(func(*EvaluationDetails) { told++ })
	if !c.GetBoolValue("good", false, nil) {
		t.Error("the value")
	}
	wait()
	if _, panics := c.hooks.counts(); told != 1 || panics != 2 || len(reported) != 1 || reported[0] != "A hook panicked." {
		t.Errorf("the other hook was told %d times, %d panics, reported %q", told, panics, reported)
	}
	wantEvents(t, log, eventHookPanic, 2)
}

// Errors are reported whatever the log level is, and warnings are not.
func TestHooksAreToldOfErrors_S50(t *testing.T) {
	for name, logger := range map[string]*slog.Logger{
		"no logger":   nil,
		"level error": slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError})),
		"level off":   slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError + 1})),
		"level info":  slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelInfo})),
	} {
		t.Run(name, func(t *testing.T) {
			var messages []string
			var codes []evaluate.ErrorCode
			hook := func(message string, err error) {
				messages = append(messages, message)
				failure, _ := errors.AsType[*evaluate.Error](err)
				if failure == nil {
					t.Errorf("%v", err)
					return
				}
				codes = append(codes, failure.Code)
			}
			c, wait := hookedClient(t, logger, []byte(partlyBroken), &Hooks{OnError: hook})
			c.GetBoolValue("good", false, nil)
			c.GetIntValue("missing", 1, nil)
			c.GetIntValue("bad", 1, nil)
			c.GetAllValues(nil)
			c.log.Warn(eventLag, "a warning")
			wait()
			want := []string{
				"Failed to evaluate setting 'missing' (the key was not found in config JSON). Returning the `defaultValue` parameter that you specified in your application: '1'. Available keys: ['good', 'bad'].",
				"Error occurred in the `GetIntValue` method while evaluating setting 'bad'. Returning the `defaultValue` parameter that you specified in your application: '1'.",
				"Error occurred in the `GetAllValues` method. Returning evaluation result.",
			}
			if diff := cmp.Diff(want, messages); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]evaluate.ErrorCode{1001, 1, 1}, codes); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestHooksComeAndGoAtAnyTime_S12(t *testing.T) {
	c, wait := hookedClient(t, nil, []byte(partlyBroken), nil)
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
	wait()
	before, failures := evaluated.Load(), failed.Load()
	c.GetBoolValue("missing", false, nil)
	wait()
	if before < 400 || evaluated.Load() != before || failed.Load() != failures {
		t.Errorf("%d evaluations told, then %d", before, evaluated.Load()-before)
	}
	if c.hooks.wantsEvaluations() || c.hooks.Listening() {
		t.Error("hooks are left")
	}
}

// S2: what is added after Close is never called.
func TestCloseDropsHooks_S2(t *testing.T) {
	log, _ := recorded(slog.LevelWarn)
	told := func(*EvaluationDetails) { t.Error("told after Close") }
	c, _ := hookedClient(t, slog.New(log), []byte(partlyBroken), &Hooks{OnFlagEvaluated: told})
	close(c.stop)
	c.hooks.close()
	c.OnFlagEvaluated(told)()
	c.OnError(func(string, error) { t.Error("told after Close") })
	c.OnClientReady(func(CacheState) {})
	c.OnConfigChanged(func(*evaluate.Config) {})
	if !c.GetBoolValue("good", false, nil) || c.GetBoolValue("missing", false, nil) {
		t.Error("values")
	}
	found := log.with(eventClosedNoEffect)
	if len(found) != 4 || found[0].text != "[3201] The client object is already closed, thus `OnFlagEvaluated()` has no effect. event_id=3201" {
		t.Errorf("%+v", found)
	}
}

// evaluating is a log that is written by way of a flag.
type evaluating struct {
	slog.Handler
	evaluate func()
}

func (e evaluating) Handle(context.Context, slog.Record) error {
	e.evaluate()
	return nil
}

// A logger may ask for a flag, also when it is told that hooks are slow.
func TestALoggerMayEvaluateWhileHooksAreSlow(t *testing.T) {
	client := make(chan *Client, 1)
	logged := 0
	logger := slog.New(evaluating{slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelWarn}), func() {
		c := <-client
		client <- c
		logged++
		c.GetBoolValue("good", false, nil)
		c.Stats()
	}})
	told, release := make(chan struct{}), make(chan struct{})
	c, _ := hookedClient(t, logger, []byte(partlyBroken), &Hooks{
		OnFlagEvaluated: func(*EvaluationDetails) {},
		OnConfigChanged: func(*evaluate.Config) {
			told <- struct{}{}
			<-release
		},
	})
	c.source = idleSource(c.holder)
	client <- c
	c.hooks.configChanged(nil)
	<-told
	for range hookQueue + 1 {
		c.hooks.configChanged(nil)
	}
	if logged != 1 {
		t.Errorf("logged %d times", logged)
	}
	c.hooks.close()
	close(release)
}

// A log without a listener and a logger is off.
func TestErrorsCostNothingWhereNobodyListens_S50(t *testing.T) {
	h := new(hookRunner)
	if log := eventlog.New(nil).For(h); log.Enabled(slog.LevelError) {
		t.Error("enabled")
	}
}
