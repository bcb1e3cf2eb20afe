package follower

import (
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"testing"
)

// What a snapshot once said of a flag it says again, whatever becomes of its user.
func TestASnapshotSaysTheSameOfAFlagAgain(t *testing.T) {
	user := &UserData{Email: "a@example.com"}
	held, text := heldClient(t, nil, configJSON(1)).Snapshot(user), String("text", "")
	for range 2 {
		if got := text.Get(held); got != "ours" {
			t.Error(got)
		}
		user.Email = "a@elsewhere.com"
	}
	for range 2 {
		if v, r := Int("version", 0).Get(held), Float("ratio", 0).Get(held); v != 1 || r != 0.5 {
			t.Error(v, r)
		}
	}
}

// More flags than slots: each has its own value, for many goroutines at once.
func TestFlagsOfASnapshotAreNotMixedUp(t *testing.T) {
	const n = 5 * memoSlots
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
					// Of another type, under the same key.
					if got := Float(flag.Key(), -1).Get(held); got != float64(i) {
						t.Errorf("%s: %v", flag.Key(), got)
					}
				}
			}
		})
	}
	readers.Wait()
}

// What is to be told of an evaluation is told each time.
func TestRememberedFlagsAreStillReported(t *testing.T) {
	t.Run("hooks", func(t *testing.T) {
		c, _ := hookedClient(t, nil, configJSON(1), nil)
		held, on := c.Snapshot(nil), Bool("isOn", false)
		on.Get(held)
		told := 0
		defer c.OnFlagEvaluated(func(*EvaluationDetails) { told++ })()
		for range 2 {
			on.Get(held)
		}
		if told != 2 {
			t.Errorf("told of %d of 2 evaluations", told)
		}
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

// Descriptors of ever new keys do not fill the memory: they are not remembered.
func TestFlagsBeyondTheNumberedOnesAreEvaluated(t *testing.T) {
	held, err := NewSnapshot(nil, map[string]any{"isOn": true})
	if err != nil {
		t.Fatal(err)
	}
	flag := BoolFlag{key: "isOn"}
	for range 2 {
		if !flag.Get(held) {
			t.Error("off")
		}
	}
	if held.memo.get(flag.id) != nil {
		t.Error("remembered without a number")
	}
}
