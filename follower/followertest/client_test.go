package followertest_test

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/follower/followertest"
)

func TestClientReturnsTheValuesOfTheMap(t *testing.T) {
	flags := followertest.New(t, map[string]any{"on": true, "text": "a", "whole": uint8(7), "decimal": float32(0.5)})
	if state := flags.CacheState(); state != follower.HasUpToDateFlagData {
		t.Errorf("cache state %v", state)
	}
	if !flags.GetBoolValue("on", false, nil) || flags.GetStringValue("text", "", nil) != "a" ||
		flags.GetIntValue("whole", 0, nil) != 7 || flags.GetFloatValue("decimal", 0, nil) != 0.5 {
		t.Errorf("values %v", flags.GetAllValues(nil))
	}
	if id := flags.GetBoolValueDetails("on", false, nil).Data.VariationID; id != "on:true" {
		t.Errorf("variation ID %q", id)
	}
}

func TestChangeIsInForceWhenSetReturns(t *testing.T) {
	flags := followertest.New(t, map[string]any{"n": 0, "other": "stays"})
	for n := 1; n <= 100; n++ {
		flags.Set("n", n)
		if have := flags.GetIntValue("n", -1, nil); have != n {
			t.Fatalf("%d after %d was set", have, n)
		}
	}
	flags.Delete("n")
	if have := flags.GetIntValue("n", -1, nil); have != -1 {
		t.Errorf("a deleted flag returns %d", have)
	}
	if have := flags.GetStringValue("other", "", nil); have != "stays" {
		t.Errorf("another flag returns %q", have)
	}
	flags.SetAll(map[string]any{"new": true})
	if keys := flags.GetAllKeys(); len(keys) != 1 || keys[0] != "new" {
		t.Errorf("keys %q", keys)
	}
}

// A change is in force although the code under test refreshes all the time.
func TestChangeIsInForceDuringConcurrentRefreshes(t *testing.T) {
	flags := followertest.New(t, map[string]any{"n": 0})
	done := make(chan struct{})
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					_ = flags.Refresh(t.Context())
				}
			}
		})
	}
	for n := 1; n <= 500; n++ {
		flags.Set("n", n)
		if have := flags.GetIntValue("n", -1, nil); have != n {
			t.Errorf("%d after %d was set", have, n)
			break
		}
	}
	close(done)
	group.Wait()
}

func TestSetCallsHooks(t *testing.T) {
	changes := make(chan *evaluate.Config, 10)
	flags := followertest.New(t, map[string]any{"a": 1}, func(cfg *follower.Config) {
		cfg.Hooks = &follower.Hooks{OnConfigChanged: func(config *evaluate.Config) { changes <- config }}
	})
	flags.Set("b", 2)
	for _, want := range []int{1, 2} {
		if config := <-changes; len(config.Keys()) != want {
			t.Errorf("the hook was given %q", config.Keys())
		}
	}
}

func TestConfigJSONWithTargetingRules(t *testing.T) {
	flags := followertest.New(t, nil)
	flags.SetConfigJSON([]byte(`{"f":{"beta":{"t":0,"v":{"b":false},"r":[
		{"c":[{"u":{"a":"Email","c":2,"l":["@example.com"]}}],"s":{"v":{"b":true}}}]}}}`))
	if !flags.GetBoolValue("beta", false, &follower.UserData{Email: "jane@example.com"}) ||
		flags.GetBoolValue("beta", true, &follower.UserData{Email: "jane@example.org"}) {
		t.Error("the rule was not followed")
	}
}

func TestWorksInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		flags := followertest.New(t, map[string]any{"on": false})
		time.Sleep(time.Hour)
		flags.Set("on", true)
		if !flags.GetBoolValue("on", false, nil) || flags.CacheState() != follower.HasUpToDateFlagData {
			t.Errorf("%v, %v", flags.GetAllValues(nil), flags.CacheState())
		}
	})
}

// recorder is a testing.TB that counts failures.
type recorder struct {
	testing.TB
	failures int
}

func (r *recorder) Error(...any)          { r.failures++ }
func (r *recorder) Errorf(string, ...any) { r.failures++ }

func TestInvalidFlagsFailTheTestAndChangeNothing(t *testing.T) {
	r := &recorder{TB: t}
	flags := followertest.New(r, map[string]any{"on": true})
	flags.Set("on", []string{"no flag"})
	flags.Set("on", nil)
	flags.SetConfigJSON([]byte("{"))
	if r.failures != 3 {
		t.Errorf("%d failures, want 3", r.failures)
	}
	flags.Set("other", 1)
	if !flags.GetBoolValue("on", false, nil) {
		t.Error("the flag was changed")
	}
}

func TestConfigMayHaveAnySize(t *testing.T) {
	for _, size := range []int{1 << 10, 10 << 10, 100 << 10, 1 << 20} {
		long := strings.Repeat("0123456789abcdef", size/16)
		flags := followertest.New(t, map[string]any{"text": long})
		if got := flags.GetStringValue("text", "", nil); got != long {
			t.Errorf("a text of %d bytes at the start: %d bytes", size, len(got))
		}
		flags.Set("text", long+"!")
		if got := flags.GetStringValue("text", "", nil); got != long+"!" {
			t.Errorf("a text of %d bytes that was set: %d bytes", size, len(got))
		}
	}
}
