package wire_test

import (
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/wire"
)

// Earlier versions, without the host in the ID, accept any ID of at most 64 bytes without a
// colon.
func TestLeaderIDsNameTheHostAndFitTheLock(t *testing.T) {
	for host, want := range map[string]string{
		"":                       "",
		"web-1.example":          "web-1.example",
		"a:b/c\x1b\n ü":          "a-b-c----",
		strings.Repeat("h", 100): strings.Repeat("h", 36),
	} {
		id := wire.NewLeaderID(host)
		if have := wire.LeaderHost(id); have != want {
			t.Errorf("%q: host %q, want %q", host, have, want)
		}
		if id == wire.NewLeaderID(host) {
			t.Errorf("%q: %s twice", host, id)
		}
		holder, epoch, err := wire.ParseLock(wire.LockValue(id, 7))
		if holder != id || epoch != 7 || err != nil || len(id) > 64 || strings.Contains(id, ":") {
			t.Errorf("%q: %q, %d, %v", id, holder, epoch, err)
		}
	}
	if have := wire.LeaderHost("7YXNYKVP62C7GU64NKVVERBN6B"); have != "" {
		t.Errorf("host %q of an ID without one", have)
	}
}

func TestLockRoundTrip(t *testing.T) {
	for _, epoch := range []int64{0, 1, wire.MaxRev} {
		for _, leader := range []string{"a", strings.Repeat("x", 64)} {
			id, have, err := wire.ParseLock(wire.LockValue(leader, epoch))
			if err != nil || id != leader || have != epoch {
				t.Errorf("%s, %d came back as %s, %d, %v", leader, epoch, id, have, err)
			}
		}
	}
}

func TestInvalidLocksAreRejected(t *testing.T) {
	for _, value := range []string{
		"", ":", "leader", "leader:", ":1", "leader:-1", "leader:01", "leader:1 ", "leader:1:2", "leader:10000000000000",
		strings.Repeat("x", 65) + ":1", strings.Repeat(":", 1<<20),
	} {
		_, _, err := wire.ParseLock(value)
		requireParseError(t, err, "lock")
	}
}
