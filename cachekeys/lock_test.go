package cachekeys_test

import (
	"strings"
	"testing"

	"github.com/catbridge/catbridge/cachekeys"
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
		id := cachekeys.NewLeaderID(host)
		if have := cachekeys.LeaderHost(id); have != want {
			t.Errorf("%q: host %q, want %q", host, have, want)
		}
		if id == cachekeys.NewLeaderID(host) {
			t.Errorf("%q: %s twice", host, id)
		}
		holder, epoch, err := cachekeys.ParseLock(cachekeys.LockValue(id, 7))
		if holder != id || epoch != 7 || err != nil || len(id) > 64 || strings.Contains(id, ":") {
			t.Errorf("%q: %q, %d, %v", id, holder, epoch, err)
		}
	}
	if have := cachekeys.LeaderHost("7YXNYKVP62C7GU64NKVVERBN6B"); have != "" {
		t.Errorf("host %q of an ID without one", have)
	}
}
