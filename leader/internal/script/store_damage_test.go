package script

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
)

// A clock before 2001 would result in revs of 12 digits, which cannot be rewritten in place.
func TestAClockBefore2001IsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := redistest.Virtual(t)
		server.Mini().SetTime(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
		a := newAuthor(t, server.Client(t, nil), "ONE")
		if _, err := a.Acquire(t.Context(), 0); err == nil || !strings.Contains(err.Error(), "CLOCK") {
			t.Errorf("got %v", err)
		}
	})
}

func TestAnEntryWithTheHighestRevIsReported(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "ONE")
		a.mustAcquire()
		client.Set(t.Context(), a.keys.Entry, strconv.FormatInt(wire.MaxRev, 10)+"\nx\n{}", 0)
		_, err := a.Commit(t.Context(), a.assertionFor(testContent(1), wire.Change, 0), testContent(1))
		if err == nil || !strings.Contains(err.Error(), "delete the entry") {
			t.Errorf("got %v", err)
		}
		client.Set(t.Context(), a.keys.Entry, strconv.FormatInt(wire.MaxRev+1, 10)+"\nx\n{}", 0) // malformed, so it is ignored
		a.mustCommit(testContent(1))
	})
}

// Values that others wrote to meta are not trusted and do not stop a leader.
func TestInvalidMetaIsOverwritten(t *testing.T) {
	for _, rev := range []string{"", "x", "-5", "5", "1e15", "99999999999999", "1700000000000"} {
		t.Run(rev, func(t *testing.T) {
			onBoth(t, func(t *testing.T, client *redis.Client) {
				a := newAuthor(t, client, "ONE")
				client.HSet(t.Context(), a.keys.Meta, "rev", rev, "hash", "zz", "cdn", "??", "epoch", "1e300", "etags", "\n\n", "refresh", "abc")
				a.mustAcquire()
				a.mustCommit(testContent(1))
				a.stored()
				if _, err := a.RequestRefresh(t.Context(), RefreshRequest{Publish: true}); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// I6: a value of any type is overwritten.
func TestScriptsOverwriteKeysOfTheWrongType(t *testing.T) {
	for _, name := range []string{"entry", "blob", "meta", "lock"} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, client *redis.Client) {
				a := newAuthor(t, client, "ONE")
				key := map[string]string{"entry": a.keys.Entry, "blob": a.keys.Blob, "meta": a.keys.Meta, "lock": a.keys.Lock}[name]
				redistest.SetWrongType(t, client, key)
				a.mustAcquire()
				a.mustCommit(testContent(1))
				a.stored()

				redistest.SetWrongType(t, client, key)
				want := map[string]Outcome{"entry": Overwritten, "blob": Overwritten, "meta": Regressed, "lock": Fenced}[name]
				w := a.renewAs(testContent(1), -1)
				if w.Outcome != want {
					t.Fatalf("renew: %+v, want %s", w, want)
				}
				if name == "lock" {
					if got, err := a.Release(t.Context(), a.lock, wire.Message{Type: wire.Resign}); err != nil || got != Fenced {
						t.Errorf("release: %s, %v", got, err)
					}
					a.mustAcquire()
				}
				if name != "lock" {
					a.rev = w.Meta.Rev
				}
				a.mustCommit(testContent(2))
				a.stored()
			})
		})
	}
}

// Of a lock or a field of meta, a script returns at most one byte more than its limit in
// package wire.
func TestScriptsReturnNoMoreThanTheLimits(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "ONE")
		long := strings.Repeat("x", 1<<20)
		client.Set(t.Context(), a.keys.Lock, long, 0)
		client.HSet(t.Context(), a.keys.Meta, "rev", "1700000000000", "etag", long, "etags", long)
		reply, err := a.scripts.run(t.Context(), acquireScript, []string{a.keys.Lock, a.keys.Meta, a.keys.Control}, a.leaderID, a.lease.Milliseconds(), 0)
		if err != nil {
			t.Fatal(err)
		}
		lock, _ := reply[1].(string)
		etags, _ := reply[6+slices.Index(wire.MetaFields(), "etags")].(string)
		if len(lock) != wire.MaxLockBytes+1 || len(etags) != wire.MaxMetaFieldBytes+1 {
			t.Errorf("lock %d bytes, etags %d", len(lock), len(etags))
		}
		grant, err := a.Acquire(t.Context(), 0)
		if err != nil || grant.Outcome != Held || grant.Meta.Rev != 1700000000000 {
			t.Errorf("%.200v, %v", grant, err)
		}
	})
}
