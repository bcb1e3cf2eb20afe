package leader

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/catbridge/catbridge/cachekeys"
	_ "github.com/catbridge/catbridge/internal/testenv/bubble"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // for leaders without a Logger
	goleak.VerifyTestMain(m)
}

const testKey = "configcat-sdk-1/TEST_KEY-0123456789012/1234567890123456789012"

// onBoth runs a test on a virtual server and on a real one.
func onBoth(t *testing.T, test func(t *testing.T, client *redis.Client)) {
	t.Helper()
	t.Run("virtual", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { test(t, redistest.Virtual(t).Client(t, nil)) })
	})
	t.Run("real", func(t *testing.T) { test(t, redistest.Start(t).Client(t, nil)) })
}

// author is a leader process reduced to its scripts.
type author struct {
	t testing.TB
	store
	lock string
	rev  int64
	high int64
}

func newAuthor(t testing.TB, client *redis.Client, id string) *author {
	return &author{t: t, store: store{client: client, scripts: newPipeline(client), keys: cachekeys.For(testKey, "", 0), leaderID: id, lease: 15 * time.Second}}
}

func (a *author) mustAcquire() acquireReply {
	a.t.Helper()
	g, err := a.acquire(a.t.Context(), a.high)
	if err != nil || g.outcome != outcomeAcquired {
		a.t.Fatalf("acquire: %+v, %v", g, err)
	}
	a.lock, a.rev = g.lock, g.meta.Rev
	return g
}

func testContent(version int) *content {
	return newContent(fmt.Appendf(nil, `{"f":{"version":{"t":2,"v":{"i":%d}}}}`, version), `W/"v`+strconv.Itoa(version)+`"`, 0)
}

func (a *author) assertionFor(c *content, kind wire.MessageType, age int64) assertion {
	return assertion{
		lock: a.lock, base: a.rev, above: a.high, age: age, latest: wire.MaxRev, etag: c.storedETag(), overwriteUpTo: wire.MaxRev,
		message: wire.Message{Type: kind, Hash: c.hash, Len: len(c.json), Poll: 55 * time.Second, ETag: c.storedETag()},
	}
}

func (a *author) mustCommit(c *content) writeReply {
	a.t.Helper()
	w, err := a.commit(a.t.Context(), a.assertionFor(c, wire.Change, 0), c)
	if err != nil || w.outcome != outcomeOK {
		a.t.Fatalf("commit: %+v, %v", w, err)
	}
	a.rev = w.rev
	return w
}

func (a *author) renewAs(c *content, age int64) writeReply {
	a.t.Helper()
	w, err := a.renew(a.t.Context(), a.assertionFor(c, wire.Heartbeat, age))
	if err != nil {
		a.t.Fatal(err)
	}
	return w
}

// stored reads entry, blob and meta and checks that they agree (I3).
func (a *author) stored() (cachekeys.Entry, wire.Meta) {
	a.t.Helper()
	ctx := a.t.Context()
	entry, err := cachekeys.ParseEntry([]byte(a.client.Get(ctx, a.keys.Entry).Val()))
	if err != nil {
		a.t.Fatal(err)
	}
	blob, err := wire.ParseBlob([]byte(a.client.Get(ctx, a.keys.Blob).Val()))
	if err != nil {
		a.t.Fatal(err)
	}
	json, err := blob.JSON()
	if err != nil {
		a.t.Fatal(err)
	}
	meta, err := wire.ParseMeta(a.client.HMGet(ctx, a.keys.Meta, wire.MetaFields()...).Val())
	if err != nil {
		a.t.Fatal(err)
	}
	if string(json) != string(entry.JSON) || meta.Rev != entry.FetchTime || blob.Rev != meta.Rev || blob.Hash != meta.Hash || meta.ETag != entry.ETag {
		a.t.Fatalf("entry %+v, blob %+v and meta %+v do not agree", entry, blob, meta)
	}
	return entry, meta
}

func TestOnlyOneProcessAcquiresTheLock(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		one, two := newAuthor(t, client, "ONE"), newAuthor(t, client, "TWO")
		one.mustAcquire()
		one.mustCommit(testContent(1))
		g, err := two.acquire(t.Context(), 0)
		if err != nil || g.outcome != outcomeHeld || g.lock != one.lock || g.left <= 0 || g.left > one.lease {
			t.Fatalf("got %+v, %v", g, err)
		}
		if g.meta.Rev != one.rev || g.meta.Hash != testContent(1).hash {
			t.Errorf("the reply lacks the current content: %+v", g.meta)
		}
	})
}

// A write of the earlier epoch that is still in flight must not take effect.
func TestAcquiringAgainFencesTheEarlierEpoch(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "ONE")
		first := a.mustAcquire()
		inFlight := *a
		second := a.mustAcquire()
		if second.meta.Epoch <= first.meta.Epoch {
			t.Errorf("epoch %d after %d", second.meta.Epoch, first.meta.Epoch)
		}
		w, err := inFlight.commit(t.Context(), inFlight.assertionFor(testContent(1), wire.Change, 0), testContent(1))
		if err != nil || w.outcome != outcomeFenced {
			t.Errorf("got %+v, %v, want FENCED", w, err)
		}
	})
}

func TestAWriteWithoutTheLockChangesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		one, two := newAuthor(t, client, "ONE"), newAuthor(t, client, "TWO")
		one.mustAcquire()
		one.mustCommit(testContent(1))
		client.Del(t.Context(), one.keys.Lock) // like its expiry
		two.mustAcquire()
		two.mustCommit(testContent(2))
		before, beforeMeta := two.stored()

		one.rev = two.rev // even with the right base
		if w, err := one.commit(t.Context(), one.assertionFor(testContent(1), wire.Change, 0), testContent(1)); err != nil || w.outcome != outcomeFenced {
			t.Errorf("commit: %+v, %v, want FENCED", w, err)
		}
		if w := one.renewAs(testContent(2), 0); w.outcome != outcomeFenced {
			t.Errorf("renew: %+v, want FENCED", w)
		}
		if outcome, err := one.release(t.Context(), one.lock, wire.Message{Type: wire.Resign}); err != nil || outcome != outcomeFenced {
			t.Errorf("release: %v, %v, want FENCED", outcome, err)
		}
		after, afterMeta := two.stored()
		if string(after.Append(nil)) != string(before.Append(nil)) || afterMeta.Rev != beforeMeta.Rev {
			t.Errorf("changed from %v to %v", before, after)
		}
		if got := client.Get(t.Context(), two.keys.Lock).Val(); got != two.lock {
			t.Errorf("lock is %q, want %q", got, two.lock)
		}
	})
}

// F32: a commit is repeated after its reply was lost, or it arrives late, after a newer one.
func TestARepeatedCommitHasOneEffectAndALateCommitNone(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "ONE")
		a.mustAcquire()
		a.mustCommit(testContent(1))
		late := *a
		a.mustCommit(testContent(2))

		w, err := late.commit(t.Context(), late.assertionFor(testContent(2), wire.Change, 0), testContent(2))
		if err != nil || w.outcome != outcomeStale || w.meta.Rev != a.rev || w.meta.Hash != testContent(2).hash {
			t.Errorf("repeated: %+v, %v, want STALE with what is current", w, err)
		}
		w, err = late.commit(t.Context(), late.assertionFor(testContent(1), wire.Change, 0), testContent(1))
		if err != nil || w.outcome != outcomeStale {
			t.Errorf("late: %+v, %v, want STALE", w, err)
		}
		if _, meta := a.stored(); meta.Rev != a.rev || meta.Hash != testContent(2).hash {
			t.Errorf("now %+v", meta)
		}
	})
}

func TestRevOnlyRises(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "ONE")
		a.mustAcquire()
		last := a.mustCommit(testContent(1)).rev
		if !wire.ValidRev(last) {
			t.Fatalf("rev %d", last)
		}
		ahead := last + time.Hour.Milliseconds()
		for _, step := range []struct {
			name    string
			prepare func()
			floor   int64
		}{
			{"commits within a millisecond", func() {}, 0},
			{"an entry from the future", func() { client.Set(t.Context(), a.keys.Entry, fmt.Sprintf("%d\nx\n{}", ahead), 0) }, ahead},
			{"a rev seen before", func() { a.high = ahead + 5000 }, ahead + 5000},
			{"everything lost", func() { client.FlushAll(t.Context()); a.mustAcquire() }, ahead + 5000},
		} {
			step.prepare()
			rev := a.mustCommit(testContent(1)).rev
			if rev <= last || rev <= step.floor {
				t.Errorf("%s: rev %d after %d, floor %d", step.name, rev, last, step.floor)
			}
			last = rev
			a.high = max(a.high, rev)
		}
		a.stored()
	})
}

// A repair is not an answer of the CDN (I14): its rev is the next free one, and the time of
// the last answer stays.
func TestARepairDoesNotMoveRevTowardsThePresent(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "ONE")
		a.mustAcquire()
		c := testContent(1)
		first, err := a.commit(t.Context(), a.assertionFor(c, wire.Change, 60_000), c)
		if err != nil || first.outcome != outcomeOK {
			t.Fatal(first, err)
		}
		a.high = first.rev
		client.Del(t.Context(), a.keys.Meta, a.keys.Entry, a.keys.Blob)
		a.rev = 0
		repair := a.assertionFor(c, wire.Change, -1)
		repair.cdn = first.cdn
		w, err := a.commit(t.Context(), repair, c)
		if err != nil || w.outcome != outcomeOK || w.rev != first.rev+1 || w.cdn != first.cdn {
			t.Errorf("got %+v, %v; want rev %d, cdn %d", w, err, first.rev+1, first.cdn)
		}
	})
}

func TestARenewalRaisesRevOnlyForAnAnswerOfTheCDN(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "ONE")
		a.mustAcquire()
		c := testContent(1)
		first := a.mustCommit(c)
		if w := a.renewAs(c, -1); w.outcome != outcomeOK || w.rev != first.rev || w.cdn != first.cdn {
			t.Errorf("renewal: %+v", w)
		}
		w := a.renewAs(c, 0)
		if w.outcome != outcomeOK || w.rev <= first.rev || w.cdn < first.cdn {
			t.Errorf("304: %+v after %+v", w, first)
		}
		a.rev = w.rev
		if entry, meta := a.stored(); meta.Rev != w.rev || string(entry.JSON) != string(c.json) {
			t.Errorf("stored %+v, %+v", entry, meta)
		}
	})
}

func TestARenewalReportsWhatRedisLost(t *testing.T) {
	c := testContent(1)
	for _, tt := range []struct {
		name    string
		corrupt func(t *testing.T, client *redis.Client, a *author)
		want    outcome
	}{
		{"meta deleted", func(t *testing.T, client *redis.Client, a *author) { client.Del(t.Context(), a.keys.Meta) }, outcomeRegressed},
		{"meta of an older content", func(t *testing.T, client *redis.Client, a *author) {
			client.HSet(t.Context(), a.keys.Meta, "rev", a.rev-10, "hash", testContent(0).hash)
		}, outcomeRegressed},
		{"rev raised by a renewal whose reply was lost", func(t *testing.T, _ *redis.Client, a *author) { a.renewAs(c, 0) }, outcomeStale},
		{"entry deleted", func(t *testing.T, client *redis.Client, a *author) { client.Del(t.Context(), a.keys.Entry) }, outcomeOverwritten},
		{"entry of another SDK", func(t *testing.T, client *redis.Client, a *author) {
			client.Set(t.Context(), a.keys.Entry, strconv.FormatInt(a.rev+7, 10)+"\nother\n{}", 0)
		}, outcomeOverwritten},
		{"blob deleted", func(t *testing.T, client *redis.Client, a *author) { client.Del(t.Context(), a.keys.Blob) }, outcomeOverwritten},
		{"blob's rev flipped", func(t *testing.T, client *redis.Client, a *author) { client.SetRange(t.Context(), a.keys.Blob, 3, "0") }, outcomeOverwritten},
		{"lock deleted", func(t *testing.T, client *redis.Client, a *author) { client.Del(t.Context(), a.keys.Lock) }, outcomeFenced},
		{"lock evicted and taken", func(t *testing.T, client *redis.Client, a *author) {
			client.Del(t.Context(), a.keys.Lock)
			newAuthor(t, client, "TWO").mustAcquire()
		}, outcomeFenced},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, client *redis.Client) {
				a := newAuthor(t, client, "ONE")
				a.mustAcquire()
				a.mustCommit(c)
				tt.corrupt(t, client, a)
				if w := a.renewAs(c, -1); w.outcome != tt.want {
					t.Errorf("got %+v, want %s", w, tt.want)
				}
			})
		})
	}
}

func TestMetaKeepsABoundedNumberOfReplacedETags(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "ONE")
		a.mustAcquire()
		for version := range 12 {
			a.mustCommit(testContent(version))
		}
		_, meta := a.stored()
		if len(meta.Recent) != wire.MaxRecentETags {
			t.Fatalf("%d ETags", len(meta.Recent))
		}
		for i, old := range meta.Recent {
			if want := testContent(10 - i).etag; old.ETag != want {
				t.Errorf("ETag %d is %q, want %q", i, old.ETag, want)
			}
		}
	})
}

// A clock before 2001 would result in revs of 12 digits, which cannot be rewritten in place.
func TestAClockBefore2001IsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := redistest.Virtual(t)
		server.Mini().SetTime(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
		a := newAuthor(t, server.Client(t, nil), "ONE")
		if _, err := a.acquire(t.Context(), 0); err == nil || !strings.Contains(err.Error(), "CLOCK") {
			t.Errorf("got %v", err)
		}
	})
}

func TestAnEntryWithTheHighestRevIsReported(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "ONE")
		a.mustAcquire()
		client.Set(t.Context(), a.keys.Entry, strconv.FormatInt(wire.MaxRev, 10)+"\nx\n{}", 0)
		_, err := a.commit(t.Context(), a.assertionFor(testContent(1), wire.Change, 0), testContent(1))
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
				if _, err := a.requestRefresh(t.Context(), a.keys.Events); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestAMalformedReplyIsAnError(t *testing.T) {
	for _, reply := range [][]any{nil, {}, {int64(1)}, {"OK"}, {"OK", "x", "1", "1", int64(1), "1"}, {"NEWS"}, {"STALE", "1"}} {
		if w, err := parseWriteReply(reply); err == nil {
			t.Errorf("%v gave %+v", reply, w)
		}
	}
}
