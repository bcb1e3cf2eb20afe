package snapshot

import (
	"math"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/wire"
)

// Replaced contents are remembered for 2 minutes.
func TestReplacedContentsAreRememberedForTwoMinutes(t *testing.T) {
	start := time.Now()
	a, b := &Snapshot{Hash: "a"}, &Snapshot{Hash: "b"}
	var again replaced
	again.change(a, b, start)
	again.change(b, a, start)
	if again.has("a", start) || !again.has("b", start) {
		t.Errorf("after a, b, a: %v", again)
	}
	var r replaced
	held := &Snapshot{Hash: "0"}
	for i := range 1000 {
		next := &Snapshot{Hash: wire.ContentHash([]byte{byte(i), byte(i >> 8)})}
		r.change(held, next, start.Add(time.Duration(i)*time.Second))
		held = next
	}
	if len(r) != 120 {
		t.Errorf("%d contents", len(r))
	}
}

// A client may poll at any interval.
func TestAnAnswerStaysUpToDateForTheLongestInterval(t *testing.T) {
	now := time.Now()
	if a := (&Answer{At: now.Add(-time.Hour), Poll: math.MaxInt64}); !a.UpToDate(now) {
		t.Error("not up to date")
	}
	for ago, want := range map[time.Duration]bool{UpToDateSlack + time.Minute - 1: true, UpToDateSlack + time.Minute: false} {
		if a := (&Answer{At: now.Add(-ago), Poll: time.Minute}); a.UpToDate(now) != want {
			t.Errorf("%v ago: %v", ago, !want)
		}
	}
}
