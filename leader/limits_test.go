package leader

import (
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/memory"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
)

// Of a lock or a field of meta, a script returns at most one byte more than its limit in
// cachekeys.
func TestScriptsReturnNoMoreThanTheLimits(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "ONE")
		long := strings.Repeat("x", 1<<20)
		client.Set(t.Context(), a.keys.Lock, long, 0)
		client.HSet(t.Context(), a.keys.Meta, "rev", "1700000000000", "etag", long, "etags", long)
		reply, err := a.scripts.run(t.Context(), acquireScript, []string{a.keys.Lock, a.keys.Meta}, a.leaderID, a.lease.Milliseconds(), 0)
		if err != nil {
			t.Fatal(err)
		}
		lock, _ := reply[1].(string)
		etags, _ := reply[len(reply)-2].(string)
		if len(lock) != wire.MaxLockBytes+1 || len(etags) != wire.MaxMetaFieldBytes+1 {
			t.Errorf("lock %d bytes, etags %d", len(lock), len(etags))
		}
		grant, err := a.acquire(t.Context(), 0)
		if err != nil || grant.outcome != outcomeHeld || grant.meta.Rev != 1700000000000 {
			t.Errorf("%.200v, %v", grant, err)
		}
	})
}

// The check reads what a follower reads, but does not keep it.
func TestCheckingFollowerRightsTakesLittleMemory(t *testing.T) {
	server := redistest.Start(t)
	client := server.Client(t, nil)
	keys := cachekeys.For(testKey, "", 0)
	huge := strings.Repeat("x", 64<<20)
	for _, key := range []string{keys.Entry, keys.Blob, keys.Lock} {
		client.Set(t.Context(), key, huge, 0)
	}
	client.HSet(t.Context(), keys.Meta, "etag", huge)
	var err error
	if took := memory.Allocated(func() { err = CheckFollowerRights(t.Context(), client, testKey, "") }); err != nil || took > 4<<20 {
		t.Errorf("%v, %d bytes", err, took)
	}
}
