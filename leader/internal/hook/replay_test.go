package hook

import (
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

func accepted() (bool, error) { return true, nil }

func TestTheMemoryOfIDsIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r Replays
		for i := range 3 * maxIDs {
			if isNew, err := r.Once(strconv.Itoa(i), accepted); !isNew || err != nil {
				t.Fatal("a new ID is known", err)
			}
		}
		if n := len(r.accepted); n > maxIDs {
			t.Errorf("%d IDs are remembered", n)
		}
		time.Sleep(Remember)
		for i, want := range []bool{true, false} {
			if isNew, _ := r.Once("x", accepted); isNew != want || len(r.accepted) != 1 {
				t.Errorf("request %d: %d IDs are remembered after all have run out", i, len(r.accepted))
			}
		}
	})
}

// A request waits for an earlier one with its ID, and takes its place if that failed.
func TestARequestWaitsForAnEarlierOneWithItsID(t *testing.T) {
	for _, failure := range []error{nil, errors.New("no reply")} {
		synctest.Test(t, func(t *testing.T) {
			var r Replays
			release, calls := make(chan struct{}), 0
			go func() {
				isNew, err := r.Once("x", func() (bool, error) { <-release; return failure == nil, failure })
				if isNew != (failure == nil) || err != failure {
					t.Errorf("the first: %v, %v", isNew, err)
				}
			}()
			synctest.Wait()
			done := false
			go func() {
				isNew, err := r.Once("x", func() (bool, error) { calls++; return true, nil })
				if done = true; isNew != (failure != nil) || err != nil {
					t.Errorf("the second: %v, %v", isNew, err)
				}
			}()
			synctest.Wait()
			if done {
				t.Error("it did not wait")
			}
			close(release)
			synctest.Wait()
			if !done || calls != 1 && failure != nil || calls != 0 && failure == nil {
				t.Errorf("done %v, %d calls", done, calls)
			}
		})
	}
}
