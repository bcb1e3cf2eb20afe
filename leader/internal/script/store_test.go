package script

import (
	"fmt"
	"strconv"
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

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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
	*Store
	etag string // of the current content
	lock string
	rev  int64
	high int64
}

func newAuthor(t testing.TB, client *redis.Client, id string) *author {
	return &author{t: t, Store: NewBatcher(client, func() {}).NewStore(cachekeys.For(testKey, "", 0), id, 15*time.Second)}
}

func (a *author) mustAcquire() AcquireReply {
	a.t.Helper()
	g, err := a.Acquire(a.t.Context(), a.high)
	if err != nil || g.Outcome != Acquired {
		a.t.Fatalf("acquire: %+v, %v", g, err)
	}
	a.lock, a.rev, a.etag = g.Lock, g.Meta.Rev, g.Meta.ETag
	return g
}

func testContent(version int) *Content {
	return NewContent(fmt.Appendf(nil, `{"f":{"version":{"t":2,"v":{"i":%d}}}}`, version), `W/"v`+strconv.Itoa(version)+`"`)
}

func (a *author) assertionFor(c *Content, kind wire.MessageType, age int64) Assertion {
	return Assertion{
		Lock: a.lock, Base: a.rev, Above: a.high, Age: age, Latest: wire.MaxRev, ETag: c.StoredETag(), OverwriteUpTo: wire.MaxRev,
		SourceETag: c.StoredETag(), FormerETag: a.etag,
		Message: wire.Message{Type: kind, Hash: c.Hash, Len: len(c.JSON), Poll: 55 * time.Second, ETag: c.StoredETag()},
	}
}

func (a *author) mustCommit(c *Content) WriteReply {
	a.t.Helper()
	w, err := a.Commit(a.t.Context(), a.assertionFor(c, wire.Change, 0), c)
	if err != nil || w.Outcome != OK {
		a.t.Fatalf("commit: %+v, %v", w, err)
	}
	a.rev, a.etag = w.Rev, c.StoredETag()
	return w
}

func (a *author) renewAs(c *Content, age int64) WriteReply {
	a.t.Helper()
	w, err := a.Renew(a.t.Context(), a.assertionFor(c, wire.Heartbeat, age))
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
		g, err := two.Acquire(t.Context(), 0)
		if err != nil || g.Outcome != Held || g.Lock != one.lock || g.Left <= 0 || g.Left > one.lease {
			t.Fatalf("got %+v, %v", g, err)
		}
		if g.Meta.Rev != one.rev || g.Meta.Hash != testContent(1).Hash {
			t.Errorf("the reply lacks the current content: %+v", g.Meta)
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
		if second.Meta.Epoch <= first.Meta.Epoch {
			t.Errorf("epoch %d after %d", second.Meta.Epoch, first.Meta.Epoch)
		}
		w, err := inFlight.Commit(t.Context(), inFlight.assertionFor(testContent(1), wire.Change, 0), testContent(1))
		if err != nil || w.Outcome != Fenced {
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
		if w, err := one.Commit(t.Context(), one.assertionFor(testContent(1), wire.Change, 0), testContent(1)); err != nil || w.Outcome != Fenced {
			t.Errorf("commit: %+v, %v, want FENCED", w, err)
		}
		if w := one.renewAs(testContent(2), 0); w.Outcome != Fenced {
			t.Errorf("renew: %+v, want FENCED", w)
		}
		if outcome, err := one.Release(t.Context(), one.lock, wire.Message{Type: wire.Resign}); err != nil || outcome != Fenced {
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

		w, err := late.Commit(t.Context(), late.assertionFor(testContent(2), wire.Change, 0), testContent(2))
		if err != nil || w.Outcome != Stale || w.Meta.Rev != a.rev || w.Meta.Hash != testContent(2).Hash {
			t.Errorf("repeated: %+v, %v, want STALE with what is current", w, err)
		}
		w, err = late.Commit(t.Context(), late.assertionFor(testContent(1), wire.Change, 0), testContent(1))
		if err != nil || w.Outcome != Stale {
			t.Errorf("late: %+v, %v, want STALE", w, err)
		}
		if _, meta := a.stored(); meta.Rev != a.rev || meta.Hash != testContent(2).Hash {
			t.Errorf("now %+v", meta)
		}
	})
}

func TestRevOnlyRises(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "ONE")
		a.mustAcquire()
		last := a.mustCommit(testContent(1)).Rev
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
			rev := a.mustCommit(testContent(1)).Rev
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
		first, err := a.Commit(t.Context(), a.assertionFor(c, wire.Change, 60_000), c)
		if err != nil || first.Outcome != OK {
			t.Fatal(first, err)
		}
		a.high = first.Rev
		client.Del(t.Context(), a.keys.Meta, a.keys.Entry, a.keys.Blob)
		a.rev = 0
		repair := a.assertionFor(c, wire.Change, -1)
		repair.CDN = first.CDN
		w, err := a.Commit(t.Context(), repair, c)
		if err != nil || w.Outcome != OK || w.Rev != first.Rev+1 || w.CDN != first.CDN {
			t.Errorf("got %+v, %v; want rev %d, cdn %d", w, err, first.Rev+1, first.CDN)
		}
	})
}

func TestARenewalRaisesRevOnlyForAnAnswerOfTheCDN(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "ONE")
		a.mustAcquire()
		c := testContent(1)
		first := a.mustCommit(c)
		if w := a.renewAs(c, -1); w.Outcome != OK || w.Rev != first.Rev || w.CDN != first.CDN {
			t.Errorf("renewal: %+v", w)
		}
		w := a.renewAs(c, 0)
		if w.Outcome != OK || w.Rev <= first.Rev || w.CDN < first.CDN {
			t.Errorf("304: %+v after %+v", w, first)
		}
		a.rev = w.Rev
		if entry, meta := a.stored(); meta.Rev != w.Rev || string(entry.JSON) != string(c.JSON) {
			t.Errorf("stored %+v, %+v", entry, meta)
		}
	})
}

func TestARenewalReportsWhatRedisLost(t *testing.T) {
	c := testContent(1)
	for _, tt := range []struct {
		name    string
		corrupt func(t *testing.T, client *redis.Client, a *author)
		want    Outcome
	}{
		{"meta deleted", func(t *testing.T, client *redis.Client, a *author) { client.Del(t.Context(), a.keys.Meta) }, Regressed},
		{"meta of an older content", func(t *testing.T, client *redis.Client, a *author) {
			client.HSet(t.Context(), a.keys.Meta, "rev", a.rev-10, "hash", testContent(0).Hash)
		}, Regressed},
		{"rev raised by a renewal whose reply was lost", func(t *testing.T, _ *redis.Client, a *author) { a.renewAs(c, 0) }, Stale},
		{"entry deleted", func(t *testing.T, client *redis.Client, a *author) { client.Del(t.Context(), a.keys.Entry) }, Overwritten},
		{"entry of another SDK", func(t *testing.T, client *redis.Client, a *author) {
			client.Set(t.Context(), a.keys.Entry, strconv.FormatInt(a.rev+7, 10)+"\nother\n{}", 0)
		}, Overwritten},
		{"blob deleted", func(t *testing.T, client *redis.Client, a *author) { client.Del(t.Context(), a.keys.Blob) }, Overwritten},
		{"blob's rev flipped", func(t *testing.T, client *redis.Client, a *author) { client.SetRange(t.Context(), a.keys.Blob, 3, "0") }, Overwritten},
		{"lock deleted", func(t *testing.T, client *redis.Client, a *author) { client.Del(t.Context(), a.keys.Lock) }, Fenced},
		{"lock evicted and taken", func(t *testing.T, client *redis.Client, a *author) {
			client.Del(t.Context(), a.keys.Lock)
			newAuthor(t, client, "TWO").mustAcquire()
		}, Fenced},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, client *redis.Client) {
				a := newAuthor(t, client, "ONE")
				a.mustAcquire()
				a.mustCommit(c)
				tt.corrupt(t, client, a)
				if w := a.renewAs(c, -1); w.Outcome != tt.want {
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
			if want := testContent(10 - i).ETag; old.ETag != want {
				t.Errorf("ETag %d is %q, want %q", i, old.ETag, want)
			}
		}
	})
}

// I1: an entry that an SDK fetched after the CDN's answer is not overwritten unseen.
func TestACommitDoesNotOverwriteALaterEntryWithOtherContent(t *testing.T) {
	c := testContent(2)
	for name, test := range map[string]struct {
		fetched time.Duration // when the entry was fetched, after the answer
		etag    string
		over    bool
		want    Outcome
	}{
		"later":                    {time.Second, "other", false, Overwritten},
		"at the same time":         {0, "other", false, Overwritten},
		"earlier":                  {-time.Second, "other", false, OK},
		"later, the same":          {time.Second, c.StoredETag(), false, OK},
		"later, after it is asked": {time.Second, "other", true, OK},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, client *redis.Client) {
				a := newAuthor(t, client, "ONE")
				a.mustAcquire()
				a.mustCommit(testContent(1))
				now := client.Time(t.Context()).Val().UnixMilli()
				const age = 60_000
				a.rev = a.backdate(now - 2*age)
				found := now - age + test.fetched.Milliseconds()
				entry := fmt.Sprintf("%d\n%s\n{}", found, test.etag)
				client.Set(t.Context(), a.keys.Entry, entry, 0)
				commit := a.assertionFor(c, wire.Change, time.Since(time.UnixMilli(now-age)).Milliseconds())
				if test.fetched == 0 {
					commit.Age = 2 * age // a real clock does not permit exactly the same millisecond
				}
				if commit.OverwriteUpTo = 0; test.over {
					commit.OverwriteUpTo = found
				}
				w, err := a.Commit(t.Context(), commit, c)
				if err != nil || w.Outcome != test.want {
					t.Fatalf("got %+v, %v, want %s", w, err, test.want)
				}
				kept := client.Get(t.Context(), a.keys.Entry).Val() == entry
				if kept != (test.want == Overwritten) || !kept && w.Rev <= found || kept && w.Found != found {
					t.Errorf("kept: %v, %+v, the entry was of %d", kept, w, found)
				}
			})
		})
	}
}

// backdate sets rev in meta and returns it.
func (a *author) backdate(rev int64) int64 {
	a.t.Helper()
	if err := a.client.HSet(a.t.Context(), a.keys.Meta, "rev", rev).Err(); err != nil {
		a.t.Fatal(err)
	}
	return rev
}

// A lock lasts longer if Redis's clock is set back.
func TestALockThatLastsTooLongIsCut(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		one, two := newAuthor(t, client, "ONE"), newAuthor(t, client, "TWO")
		one.mustAcquire()
		for _, test := range []struct{ left, want time.Duration }{
			{time.Hour, two.lease}, {5 * two.lease, two.lease}, {3 * two.lease, 3 * two.lease}, {time.Second, time.Second},
		} {
			client.PExpire(t.Context(), one.keys.Lock, test.left)
			g, err := two.Acquire(t.Context(), 0)
			if err != nil || g.Outcome != Held || g.Lock != one.lock {
				t.Fatalf("got %+v, %v", g, err)
			}
			left := client.PTTL(t.Context(), one.keys.Lock).Val()
			if g.Left > test.want || g.Left < test.want-time.Second || left > test.want || left < test.want-time.Second {
				t.Errorf("%v left became %v, returned as %v; want %v", test.left, left, g.Left, test.want)
			}
		}
	})
}
