package follower

import (
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/catbridge/catbridge/evaluate"
)

// A snapshot returns the same value for a flag again, for each type.
func TestASnapshotReturnsTheSameValueAgain(t *testing.T) {
	held := heldClient(t, nil, configJSON(1)).Snapshot(&UserData{Email: "a@example.com"})
	on, version, ratio, text := Bool("isOn", false), Int("version", 0), Float("ratio", 0), String("text", "")
	for range 2 {
		if o, v, r, s := on.Get(held), version.Get(held), ratio.Get(held), text.Get(held); !o || v != 1 || r != 0.5 || s != "ours" {
			t.Error(o, v, r, s)
		}
	}
	for _, id := range []flagID{on.id, version.id, ratio.id, text.id} {
		if held.evaluationCache.get(id) == nil {
			t.Errorf("%s was not remembered", id.Value().key)
		}
	}
}

// A snapshot caches the first flags that are read, each once.
func TestASnapshotCachesItsFirstFlags(t *testing.T) {
	var c evaluationCache
	for i := range 2 * evaluationCacheSize {
		id := idOf(evaluate.KindInt, strconv.Itoa(i))
		for range 2 {
			c.put(id, evaluate.IntValue(int64(i)))
		}
	}
	for i := range 2 * evaluationCacheSize {
		v := c.get(idOf(evaluate.KindInt, strconv.Itoa(i)))
		if remembered := i < evaluationCacheSize; remembered != (v != nil) || remembered && v.Int() != int64(i) {
			t.Errorf("%d: %v", i, v)
		}
	}
}

// With more flags than a snapshot caches, each flag still has its own value, in many goroutines.
func TestFlagsOfASnapshotAreNotMixedUp(t *testing.T) {
	const n = 5 * evaluationCacheSize
	values := map[string]any{}
	flags := make([]IntFlag, n)
	for i := range flags {
		key := "mixed" + strconv.Itoa(i)
		values[key], flags[i] = i, Int(key, -1)
	}
	held, err := NewSnapshot(nil, values)
	if err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for range 3 {
				for i, flag := range flags {
					if got := flag.Get(held); got != i {
						t.Errorf("%s: %d", flag.Key(), got)
					}
					// The same key as a flag of another type.
					if got := Float(flag.Key(), -1).Get(held); got != float64(i) {
						t.Errorf("%s: %v", flag.Key(), got)
					}
				}
			}
		})
	}
	readers.Wait()
}

// Hooks and the log receive each evaluation, also of cached flags.
func TestCachedFlagsAreStillReported(t *testing.T) {
	t.Run("hooks", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, _ := hookedClient(t, nil, configJSON(1), nil)
			held, on := c.Snapshot(nil), Bool("isOn", false)
			on.Get(held)
			calls := 0
			defer c.OnFlagEvaluated(func(*EvaluationDetails) { calls++ })()
			for range 2 {
				on.Get(held)
			}
			synctest.Wait()
			if calls != 2 {
				t.Errorf("received %d of 2 evaluations", calls)
			}
		})
	})
	for event, flag := range map[int]Flag{5000: Bool("isOn", false), 1001: Bool("missing", false)} {
		t.Run(fmt.Sprint(event), func(t *testing.T) {
			log, _ := recorded(slog.LevelInfo)
			held := heldClient(t, slog.New(log), configJSON(1)).Snapshot(nil)
			for range 2 {
				flag.GetValue(held)
			}
			if n := len(log.with(event)); n != 2 {
				t.Errorf("logged %d of 2 times", n)
			}
		})
	}
}

// The zero value of a descriptor names no flag.
func TestTheZeroDescriptorIsEvaluatedEachTime(t *testing.T) {
	held, err := NewSnapshot(nil, map[string]any{"": true})
	if err != nil {
		t.Fatal(err)
	}
	var flag BoolFlag
	for range 2 {
		if !flag.Get(held) {
			t.Error("off")
		}
	}
	if held.evaluationCache.get(flag.id) != nil {
		t.Error("remembered")
	}
}
