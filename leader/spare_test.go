package leader

import (
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/wire"
)

// I1: an entry that an SDK fetched after the CDN's answer is not overwritten unseen.
func TestACommitDoesNotOverwriteALaterEntryWithOtherContent(t *testing.T) {
	c := testContent(2)
	for name, test := range map[string]struct {
		fetched time.Duration // when the entry was fetched, after the answer
		etag    string
		over    bool
		want    outcome
	}{
		"later":                    {time.Second, "other", false, outcomeOverwritten},
		"at the same time":         {0, "other", false, outcomeOverwritten},
		"earlier":                  {-time.Second, "other", false, outcomeOK},
		"later, the same":          {time.Second, c.storedETag(), false, outcomeOK},
		"later, after it is asked": {time.Second, "other", true, outcomeOK},
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
					commit.age = 2 * age // a real clock does not permit exactly the same millisecond
				}
				if commit.overwriteUpTo = 0; test.over {
					commit.overwriteUpTo = found
				}
				w, err := a.commit(t.Context(), commit, c)
				if err != nil || w.outcome != test.want {
					t.Fatalf("got %+v, %v, want %s", w, err, test.want)
				}
				kept := client.Get(t.Context(), a.keys.Entry).Val() == entry
				if kept != (test.want == outcomeOverwritten) || !kept && w.rev <= found || kept && w.found != found {
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

// wantNeverBelow checks for d that the entry's version does not fall.
func (s *testEnv) wantNeverBelow(version int64, d time.Duration) {
	s.Helper()
	for range int(d / (50 * time.Millisecond)) {
		s.wait(50 * time.Millisecond)
		if have := s.version(); have < version {
			s.Fatalf("version %d, want at least %d", have, version)
		}
	}
}

// wantOwnEntry checks that the leader's rev is the fetch time of the entry.
func (s *testEnv) wantOwnEntry(l *Leader) {
	s.Helper()
	if now := s.stats(l); now.Rev != s.entry().FetchTime {
		s.Errorf("the entry is not the leader's yet: %+v", now)
	}
}

func (s *testEnv) version() int64 {
	s.Helper()
	var version int64
	for version = s.cdn.Version(); version > 0; version-- {
		if string(s.entry().JSON) == string((fakecdn.Config{Version: version}).JSON()) {
			break
		}
	}
	return version
}

// The CDN changes twice during a poll, and an SDK already has the second version.
func TestAnEntryThatAnSDKFetchedDuringAPollIsKept(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		s.cdn.Publish()
		var version int64
		s.cdn.Break(fakecdn.Times(1, func(w http.ResponseWriter, r *http.Request, current func() fakecdn.Config) {
			mine := current()
			time.Sleep(time.Second)
			version = s.cdn.Publish()
			s.writeAsSDK(time.Now().UnixMilli(), current())
			fakecdn.Stale(mine)(w, r, current)
		}))
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(1500 * time.Millisecond)
		s.wantNeverBelow(version, 5*time.Second)
		s.wantOwnEntry(l)
	})
}

// The same if meta is lost: the content for its repair is older than the entry.
func TestRepairingALostMetaDoesNotOverwriteALaterEntry(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		version := s.cdn.Publish()
		s.client.Del(s.Context(), s.keys.Meta)
		s.writeAsSDK(s.entry().FetchTime+4000, s.cdn.Config())
		s.wantNeverBelow(version, 2*l.cfg.Timing.RenewInterval)
		s.wantOwnEntry(l)
	})
}

// A renewal does not notice damage behind the heads. The next leader repairs it.
func TestTheNextLeaderRepairsCorruptContent(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		_, stop := s.start(nil)
		s.wait(5 * time.Second)
		stop()
		blob := []byte(s.client.Get(s.Context(), s.keys.Blob).Val())
		blob[len(blob)-10] ^= 1
		s.client.Set(s.Context(), s.keys.Blob, blob, 0)
		s.start(nil)
		s.wait(2 * time.Second)
		repaired, err := wire.ParseBlob([]byte(s.client.Get(s.Context(), s.keys.Blob).Val()))
		if err != nil {
			s.Fatal(err)
		}
		if _, err := repaired.JSON(); err != nil {
			s.Error(err)
		}
	})
}

// A new leader finds no blob, and its first commit fails.
func TestAFailedCommitIsRetriedEvenIfTheBlobIsMissing(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		_, stop := s.start(nil)
		s.wait(5 * time.Second)
		stop()
		s.client.Del(s.Context(), s.keys.Blob)
		version := s.cdn.Publish()
		var refuse atomic.Bool
		refuse.Store(true)
		s.refuse(commitArgs, &refuse)
		l, _ := s.start(nil)
		s.wait(2 * time.Second)
		if now := s.stats(l); now.Commits != 0 || now.WriteError == "" {
			s.Fatalf("the commit was to fail: %+v", now)
		}
		refuse.Store(false)
		s.wait(l.cfg.Timing.RenewInterval)
		s.hasVersion(version)
	})
}

// I14: content that this leader took over from another keeps the time at which the CDN
// confirmed it to that leader.
func TestRepairedContentKeepsTheTimeOfItsAnswer(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		s.cdn.Break(fakecdn.Status(500))
		other := newAuthor(s.T, s.client, "OTHER")
		s.client.Del(s.Context(), s.keys.Lock)
		other.high = s.stats(l).Rev
		other.mustAcquire()
		commit := other.assertionFor(testContent(7), wire.Change, (20 * time.Second).Milliseconds())
		w, err := other.commit(s.Context(), commit, testContent(7))
		if err != nil || w.outcome != outcomeOK {
			s.Fatal(w, err)
		}
		s.wait(l.cfg.Timing.RenewInterval) // the leader is fenced
		var refuse atomic.Bool
		refuse.Store(true)
		s.refuse(renewArgs, &refuse) // so it receives no other time
		s.client.Del(s.Context(), s.keys.Lock)
		s.wait(2 * l.cfg.Timing.RetryPeriod) // the leader leads again
		s.server.Mini().FlushAll()
		refuse.Store(false)
		s.wait(3 * l.cfg.Timing.RenewInterval)
		now := s.stats(l)
		if got := s.client.HGet(s.Context(), s.keys.Meta, "cdn").Val(); got != strconv.FormatInt(w.cdn, 10) || now.Hash != testContent(7).hash {
			s.Errorf("confirmed at %s, want %d: %+v", got, w.cdn, now)
		}
	})
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
			g, err := two.acquire(t.Context(), 0)
			if err != nil || g.outcome != outcomeHeld || g.lock != one.lock {
				t.Fatalf("got %+v, %v", g, err)
			}
			left := client.PTTL(t.Context(), one.keys.Lock).Val()
			if g.left > test.want || g.left < test.want-time.Second || left > test.want || left < test.want-time.Second {
				t.Errorf("%v left became %v, returned as %v; want %v", test.left, left, g.left, test.want)
			}
		}
	})
}
