package follower

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2/server"
	"github.com/google/go-cmp/cmp"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/wire"
)

// S14, S15, S24: values and their details.
func TestValuesAndDetails(t *testing.T) {
	c := heldClient(t, nil, configJSON(7))
	ours := &UserData{Identifier: "1", Email: "a@example.com"}
	if c.GetIntValue("version", 0, nil) != 7 || !c.GetBoolValue("isOn", false, nil) || c.GetFloatValue("ratio", 0, nil) != 0.5 ||
		c.GetStringValue("text", "", ours) != "ours" || c.GetStringValue("text", "", nil) != "theirs" {
		t.Error("values")
	}
	d := c.GetStringValueDetails("text", "", ours)
	if d.Value != "ours" || d.Data.Key != "text" || d.Data.VariationID != "ours" || d.Data.User != ours || d.Data.IsDefaultValue ||
		d.Data.Error != nil || d.Data.ErrorCode != evaluate.CodeNone || d.Data.MatchedTargetingRule == nil || d.Data.MatchedPercentageOption != nil ||
		!d.Data.FetchTime.Equal(time.UnixMilli(wire.MinRev)) || d.Data.FetchTime.Location() != time.UTC {
		t.Errorf("%+v", d)
	}
	if d := c.GetIntValueDetails("version", 0, nil); d.Value != 7 || d.Data.VariationID != "v7" || d.Data.User != nil {
		t.Errorf("%+v", d)
	}
	if d := c.GetFloatValueDetails("ratio", 0, nil); d.Value != 0.5 {
		t.Errorf("%+v", d)
	}
	if d := c.GetBoolValueDetails("isOn", false, nil); !d.Value || d.Data.VariationID != "on" {
		t.Errorf("%+v", d)
	}
	if diff := cmp.Diff([]string{"version", "isOn", "ratio", "text"}, c.GetAllKeys()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]any{"version": 7, "isOn": true, "ratio": 0.5, "text": "ours"}, c.GetAllValues(ours)); diff != "" {
		t.Error(diff)
	}
	keys := c.GetAllKeys()
	keys[0] = "changed by the caller"
	if c.GetAllKeys()[0] != "version" {
		t.Error("the client returned its own slice")
	}
}

func TestFailuresReturnTheDefaultAndLogAnEvent(t *testing.T) {
	for name, test := range map[string]struct {
		json    []byte
		call    func(c *Client) EvaluationDetailsData
		code    evaluate.ErrorCode
		event   int
		message string
	}{
		"no config": {nil, func(c *Client) EvaluationDetailsData { return c.GetIntValueDetails("version", 42, nil).Data },
			evaluate.CodeConfigNotAvailable, 1000, "[1000] Config JSON is not present when evaluating setting 'version'. Returning the `defaultValue` parameter that you specified in your application: '42'."},
		"no such key": {configJSON(1), func(c *Client) EvaluationDetailsData { return c.GetBoolValueDetails("no", true, nil).Data },
			evaluate.CodeNoSuchKey, 1001, "[1001] Failed to evaluate setting 'no' (the key was not found in config JSON). Returning the `defaultValue` parameter that you specified in your application: 'true'. Available keys: ['version', 'isOn', 'ratio', 'text']."},
		"another type": {configJSON(1), func(c *Client) EvaluationDetailsData { return c.GetStringValueDetails("isOn", "x", nil).Data },
			evaluate.CodeTypeMismatch, 1002, "[1002] Error occurred in the `GetStringValueDetails` method while evaluating setting 'isOn'. Returning the `defaultValue` parameter that you specified in your application: 'x'."},
		"broken flag": {[]byte(`{"f":{"version":{"t":2}}}`), func(c *Client) EvaluationDetailsData { return c.GetIntValueDetails("version", 42, nil).Data },
			evaluate.CodeInvalidModel, 1002, "[1002] Error occurred in the `GetIntValueDetails` method while evaluating setting 'version'. Returning the `defaultValue` parameter that you specified in your application: '42'."},
	} {
		t.Run(name, func(t *testing.T) {
			log, _ := recorded(slog.LevelInfo)
			c := heldClient(t, slog.New(log), test.json)
			d := test.call(c)
			if !d.IsDefaultValue || d.ErrorCode != test.code || d.Error == nil || d.FetchTime.IsZero() != (test.json == nil) {
				t.Errorf("%+v", d)
			}
			found := log.with(test.event)
			if len(found) != 1 || found[0].level != slog.LevelError || !strings.HasPrefix(found[0].text, test.message) {
				t.Errorf("%+v", log.all())
			}
		})
	}
}

func TestWithoutConfigThereAreNoKeysAndNoValues(t *testing.T) {
	log, _ := recorded(slog.LevelError)
	c := heldClient(t, slog.New(log), nil)
	if keys := c.GetAllKeys(); len(keys) != 0 {
		t.Error(keys)
	}
	if values := c.GetAllValues(nil); values == nil || len(values) != 0 {
		t.Error(values)
	}
	wantEvents(t, log, 1000, 2)
}

func TestWarningsAndTheEvaluationLogReachTheLogger(t *testing.T) {
	json := configJSON(1)
	log, _ := recorded(slog.LevelWarn)
	heldClient(t, slog.New(log), json).GetStringValue("text", "", nil)
	if all := log.all(); len(all) != 1 || all[0].id != 3001 || all[0].level != slog.LevelWarn || !strings.HasPrefix(all[0].text, "[3001] ") {
		t.Errorf("%+v", all)
	}
	log, _ = recorded(slog.LevelInfo)
	heldClient(t, slog.New(log), json).GetStringValue("text", "", &UserData{Identifier: "1"})
	if all := log.all(); len(all) != 2 || all[0].id != 3003 || all[1].id != 5000 || all[1].level != slog.LevelInfo {
		t.Errorf("%+v", all)
	}
}

func TestRefreshReadsNow(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		c := n.ready(t)
		w.mute = true
		w.commit(configJSON(2))
		wantVersion(t, c, 1)
		if err := c.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantVersion(t, c, 2)
	})
}

// S45: callers that arrive during a read share its result.
func TestConcurrentRefreshesShareOneRead(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		n.writer(t, 1)
		c := n.ready(t)
		synctest.Wait()
		release := make(chan struct{})
		n.intercept(func(_ *server.Peer, cmd string, _ ...string) bool {
			if cmd == "HMGET" {
				<-release
			}
			return false
		})
		before := c.Stats().Reads
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() {
				if err := c.Refresh(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		close(release)
		group.Wait()
		if reads := c.Stats().Reads - before; reads != 1 {
			t.Errorf("%d reads", reads)
		}
	})
}

func TestRefreshReturnsTheCauseOfAFailure(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		n.writer(t, 1)
		c := n.ready(t)
		cause := errors.New("the caller's reason")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		n.link.Down()
		if err := c.Refresh(ctx); !errors.Is(err, cause) {
			t.Errorf("%v, want the context's", err)
		}
		synctest.Wait() // the client has noticed the loss of the connection
		if err := c.Refresh(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "follower: read the blob: ") {
			t.Errorf("%v", err)
		}
		wantVersion(t, c, 1)
	})
}

// S23, S41: the client is ready after MaxInitWait, with or without a config.
func TestReadyAfterMaxInitWaitAtTheLatest(t *testing.T) {
	for name, test := range map[string]struct{ wait, want, most time.Duration }{
		"default": {0, 5 * time.Second, 5 * time.Second},
		"shorter": {time.Second, time.Second, time.Second},
		"forever": {-1, 5 * time.Second, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				var hang sync.Mutex
				hang.Lock()
				n.intercept(func(_ *server.Peer, cmd string, _ ...string) bool {
					return cmd != "HELLO" && cmd != "SUBSCRIBE" && cmd != "PING"
				})
				start := time.Now()
				c := n.start(t, func(c *Config) { c.MaxInitWait = test.wait })
				state, err := c.WaitForReady(t.Context())
				if waited := time.Since(start); state != NoFlagData || err != nil || waited > test.most || test.wait >= 0 && waited > test.want {
					t.Errorf("%v, %v after %v", state, err, waited)
				}
			})
		})
	}
}

func TestWaitForReadyHeedsItsContext(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		n.intercept(func(*server.Peer, string, ...string) bool { return true })
		c := n.start(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.WaitForReady(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

// I13, S103: no event and no error contains the SDK key.
func TestTheSDKKeyIsNeverShown(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		log, logging := recorded(slog.LevelDebug)
		c := n.ready(t, logging, func(c *Config) {
			c.Logger = slog.New(slog.NewTextHandler(&lines{log: log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
		})
		w.publish("garbage " + testSDKKey)
		w.commit([]byte(`{"f":null}`))
		corruptBlob(t, n, w, flipBit)
		refuseSubscribe(n)
		n.link.Down()
		time.Sleep(time.Minute)
		n.link.Up()
		time.Sleep(time.Minute)
		errs := []error{c.Refresh(t.Context())}
		c.Close()
		errs = append(errs, c.Refresh(t.Context()))
		for _, bad := range []string{"", "x", testSDKKey + "x", "configcat-proxy/" + testSDKKey} {
			_, err := New(Config{SDKKey: bad, Redis: n.client(t)})
			errs = append(errs, err)
		}
		for _, err := range errs {
			if err != nil && strings.Contains(err.Error(), testSDKKey[16:38]) {
				t.Errorf("%v", err)
			}
		}
		all := log.all()
		if len(all) < 5 {
			t.Fatalf("only %d events", len(all))
		}
		for _, e := range all {
			for _, part := range []string{testSDKKey[16:38], testSDKKey[len(testSDKKey)-7:]} {
				if strings.Contains(e.text, part) {
					t.Errorf("%s", e.text)
				}
			}
		}
	})
}

// lines records each line that is written to it.
type lines struct{ log *record }

func (l *lines) Write(p []byte) (int, error) {
	l.log.mu.Lock()
	defer l.log.mu.Unlock()
	l.log.events = append(l.log.events, logged{text: string(p)})
	return len(p), nil
}

func TestCacheStatesHaveNames(t *testing.T) {
	for state, name := range map[CacheState]string{
		NoFlagData: "NoFlagData", HasLocalOverrideFlagDataOnly: "HasLocalOverrideFlagDataOnly",
		HasCachedFlagDataOnly: "HasCachedFlagDataOnly", HasUpToDateFlagData: "HasUpToDateFlagData", 9: "unknown",
	} {
		if state.String() != name {
			t.Errorf("%d is %q", state, state)
		}
	}
}
