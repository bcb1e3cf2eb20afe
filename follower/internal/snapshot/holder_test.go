package snapshot

import (
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
