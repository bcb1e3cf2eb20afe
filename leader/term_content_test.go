package leader

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/internal/script"
)

// wantNeverRaised checks for d that no content of another version is raised above top, the
// rev that followers hold.
func (s *testEnv) wantNeverRaised(version, top int64, d time.Duration) {
	s.Helper()
	want := fmt.Appendf(nil, `"i":%d`, version)
	const pause = 250 * time.Millisecond // what was written stays for a renewal interval
	for range int(d / pause) {
		s.wait(pause)
		entry, err := cachekeys.ParseEntry([]byte(s.client.Get(s.Context(), s.keys.Entry).Val()))
		if err == nil && !bytes.Contains(entry.JSON, want) && entry.FetchTime > top {
			s.Fatalf("the entry at %d, above %d, is %.80s", entry.FetchTime, top, entry.JSON)
		}
	}
}

var cdnDown = fakecdn.Status(500)

// F44, I1: Redis restarts from a copy that is older than all remembered ETags, the CDN fails,
// and the lock, meta, the blob or the entry is lost, too.
func TestOldContentIsNotRaisedEvenIfItsETagIsNotRemembered(t *testing.T) {
	for _, lost := range []string{"nothing", "entry", "blob", "meta", "meta and blob", "meta and entry", "everything but the entry"} {
		for _, restarted := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s lost, leader restarted %v", lost, restarted), func(t *testing.T) {
				runEnv(t, func(s *testEnv) {
					l, stop := s.start(nil)
					s.wait(5 * time.Second)
					before := s.state()
					var version int64
					for range 12 {
						version = s.change(l)
					}
					top := s.entry().FetchTime
					s.wait(3 * time.Minute) // these ETags are no longer remembered
					top = max(top, s.entry().FetchTime)
					s.cdn.Break(cdnDown)
					if restarted {
						stop()
					}
					s.rollBack(before)
					for name, key := range map[string]string{"entry": s.keys.Entry, "blob": s.keys.Blob, "meta": s.keys.Meta} {
						if strings.Contains(strings.Replace(lost, "everything but the entry", "meta blob", 1), name) {
							s.client.Del(s.Context(), key)
						}
					}
					if restarted {
						s.start(nil) // it does not know the earlier content
					}
					s.wantNeverRaised(version, top, 2*time.Minute)
					if _, err := wire.ParseBlob([]byte(s.client.Get(s.Context(), s.keys.Blob).Val())); err != nil {
						s.Errorf("new followers get no flags: %v", err)
					}
					if s.meta().Rev == 0 {
						s.Error("nothing is said to be current")
					}
					s.cdn.Repair()
					s.wait(time.Minute)
					s.hasVersion(version)
					if rev := s.entry().FetchTime; rev <= top {
						s.Errorf("rev %d after %d", rev, top)
					}
					if m := s.meta(); m.Waits != 0 {
						s.Errorf("meta still says that the leader waits: %+v", m)
					}
				})
			})
		}
	}
}

// A candidate that never held the content only knows that there was a higher rev. It takes
// over after Redis rolled back. It reports that everywhere, and its heartbeats continue.
func TestALeaderThatDoesNotKnowTheCurrentContentWaitsForTheCDN(t *testing.T) {
	for _, lost := range []string{"", "entry", "blob"} {
		t.Run("lost: "+lost, func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				l, stop := s.start(nil)
				s.wait(5 * time.Second)
				before := s.state()
				version := s.change(l)
				candidate, _ := s.start(nil)
				s.wait(5 * time.Second)
				top := s.entry().FetchTime
				s.cdn.Break(cdnDown)
				s.rollBack(before)
				stop() // before it notices; the candidate takes over the content now in Redis
				if lost != "" {
					s.client.Del(s.Context(), map[string]string{"entry": s.keys.Entry, "blob": s.keys.Blob}[lost])
				}
				published := s.messages()
				s.wantNeverRaised(version, top, 30*time.Second)
				now := s.stats(candidate)
				if !now.Waits || !strings.Contains(s.log.String(), "event_id=6118") || strings.Count(s.log.String(), "event_id=6118") != 1 {
					s.Errorf("it does not say once that it waits: %+v", now)
				}
				if m := s.meta(); m.Waits < top-60_000 || m.Waits > top || m.Rev >= m.Waits {
					s.Errorf("meta does not say that the leader waits: %+v, highest was %d", m, top)
				}
				if !strings.Contains(published(), "heartbeat rev=") {
					s.Error("no heartbeats go on")
				}
				blob, err := wire.ParseBlob([]byte(s.client.Get(s.Context(), s.keys.Blob).Val()))
				if err != nil || blob.Rev != s.entry().FetchTime {
					s.Errorf("what is missing is not repaired: %+v, %v", blob, err)
				}
				s.cdn.Repair()
				s.wait(time.Minute)
				s.hasVersion(version)
				if now := s.stats(candidate); now.Waits {
					s.Errorf("it still waits: %+v", now)
				}
				if m := s.meta(); m.Waits != 0 {
					s.Errorf("meta still says so: %+v", m)
				}
			})
		})
	}
}

// Redis's clock was set back, Redis lost its data, and another leader wrote newer content at
// lower revs. A process that held the older content at a higher rev must not bring it back,
// not even when the clock has passed that rev.
func TestRevsProveNothingWhileTheClockIsBehind(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		slow, _ := s.start(nil)
		s.wait(5 * time.Second)
		s.change(slow)
		fast := s.meta()
		// The clock is set back by 20 s, Redis loses everything, and another process leads with new content.
		s.server.Mini().SetTime(time.Now().Add(-20 * time.Second))
		s.server.Mini().FlushAll()
		version := s.cdn.Publish()
		if w := s.commitAsOther(0, 0, script.NewContent(s.cdn.Config().JSON(), `W/"new"`)); w.Rev >= fast.Rev {
			s.Fatalf("rev %d is not below %d", w.Rev, fast.Rev)
		}
		s.cdn.Break(cdnDown)
		s.wait(5 * time.Second) // the first process sees it as a candidate
		s.server.Mini().SetTime(time.Time{})
		s.wait(2 * time.Minute) // the lock expires; the clock is past the highest rev
		if s.stats(slow).State == StateCandidate {
			s.Fatal("it does not lead")
		}
		s.hasVersion(version)
	})
}

// F44, I1: content is fetched while Redis refuses writes, and newer content is fetched and
// committed. Then a lagging edge serves the former content once. It was never committed, but
// counts as replaced.
func TestContentThatWasNeverCommittedIsRememberedAsReplaced(t *testing.T) {
	for _, another := range []bool{false, true} {
		t.Run(fmt.Sprintf("another process takes over %v", another), func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				l, stop := s.start(nil)
				s.wait(5 * time.Second)
				allow := s.refuse(commitArgs)
				second := s.cdn.Publish()
				lagging := s.cdn.Config()
				_ = l.RequestRefresh(s.Context(), "main")
				s.wait(5 * time.Second)
				if s.version() == second {
					s.Fatal("it was committed")
				}
				third := s.cdn.Publish()
				_ = l.RequestRefresh(s.Context(), "main")
				s.wait(1500 * time.Millisecond)
				allow()
				s.wait(5 * time.Second)
				s.hasVersion(third)
				if another {
					stop()
					s.cdn.Break(fakecdn.Times(1, fakecdn.Stale(lagging)))
					s.start(nil)
				} else {
					s.cdn.Break(fakecdn.Times(1, fakecdn.Stale(lagging)))
					_ = l.RequestRefresh(s.Context(), "main")
				}
				s.wantNeverBelow(third, 10*time.Second)
			})
		})
	}
}

// F44, F32: a new leader fetches newer content than another process committed, and cannot
// commit it yet. An edge that lags then serves the content that is still in Redis.
func TestContentOfAFormerLeaderIsRememberedAsReplaced(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		_, stop := s.start(nil)
		s.wait(5 * time.Second)
		lagging := s.cdn.Config()
		stop()
		allow := s.refuse(commitArgs)
		second := s.cdn.Publish()
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		if s.version() == second {
			s.Fatal("it was committed")
		}
		s.cdn.Break(fakecdn.Times(1, fakecdn.Stale(lagging)))
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(500 * time.Millisecond)
		allow()
		s.wait(1300 * time.Millisecond)
		s.hasVersion(second)
		if now := s.stats(l); now.Suspect != 1 {
			s.Errorf("stats %+v", now)
		}
	})
}

// F44, I1: within seconds there are more changes than meta remembers, and then one answer of
// an edge that lags behind all of them.
func TestTheMemoryOfReplacedETagsIsBoundedByTimeOnly(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		var lagging fakecdn.Config
		var version int64
		for n := range 3 * wire.MaxRecentETags {
			version = s.change(l)
			if n == 3*wire.MaxRecentETags/2 {
				lagging = s.cdn.Config()
			}
		}
		if n := len(s.meta().Recent); n != wire.MaxRecentETags {
			s.Errorf("meta has %d ETags, which a reader of an earlier version refuses", n)
		}
		s.cdn.Break(fakecdn.Times(1, fakecdn.Stale(lagging)))
		_ = l.RequestRefresh(s.Context(), "main")
		s.wantNeverBelow(version, 10*time.Second)
	})
}

// F27: a real rollback is believed when it is served twice, and its ETag is forgotten. The
// content that it replaced is suspect from then on.
func TestARealRollbackIsBelievedAndForgotten(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		first := s.cdn.Config()
		s.change(l)
		second := s.cdn.Config()
		s.cdn.Break(fakecdn.Stale(first)) // the CDN rolls back for good
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(1500 * time.Millisecond)
		s.hasVersion(first.Version)
		before := s.stats(l).Suspect
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(20 * time.Second)
		if now := s.stats(l).Suspect; now != before {
			s.Errorf("believed content is suspect %d times", now-before)
		}
		for _, old := range s.meta().Recent {
			if old.ETag == s.meta().ETag {
				s.Error("meta names what is current as replaced")
			}
		}
		s.cdn.Break(fakecdn.Times(1, fakecdn.Stale(second)))
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(500 * time.Millisecond)
		s.hasVersion(first.Version)
	})
}

// Redis lost everything and its clock is behind the highest rev. The content of this process
// may have been replaced at a lower rev. It asks the CDN first and writes nothing until then.
func TestNothingIsRepairedFromMemoryWhileTheClockIsBehind(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		version := s.change(l)
		s.cdn.Break(cdnDown)
		s.server.Mini().SetTime(time.Now().Add(-time.Hour))
		s.server.Mini().FlushAll()
		for range 300 {
			s.wait(100 * time.Millisecond)
			if entry := s.client.Get(s.Context(), s.keys.Entry).Val(); entry != "" {
				s.Fatalf("seeded: %.60s", entry)
			}
		}
		s.cdn.Repair()
		s.wait(10 * time.Second)
		s.hasVersion(version)
	})
}

// F44, I1: content that was believed in an earlier term counts as replaced, too. A 304 from a
// lagging edge is suspect like a 200: the commit may have succeeded with its reply lost, and
// Redis may have rolled back since.
func TestALagging304IsSuspectAcrossTerms(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		s.change(l)
		lagging := s.cdn.Config()
		allow := s.refuse(commitArgs)
		third := s.cdn.Publish()
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(1500 * time.Millisecond)
		top := s.entry().FetchTime
		// The term ends. As far as the process knows, the new content was never committed.
		s.client.Del(s.Context(), s.keys.Lock)
		s.cdn.Break(fakecdn.Times(1, fakecdn.Stale(lagging)))
		s.wait(100 * time.Millisecond)
		allow()
		s.wantNeverRaised(third, top, 10*time.Second)
		s.hasVersion(third)
		if now := s.stats(l); now.Terms < 2 || now.Suspect == 0 {
			s.Errorf("nothing was suspect in the second term: %+v", now)
		}
	})
}

// redisState is a copy of what Redis stores.
type redisState struct {
	entry, blob string
	meta        map[string]string
}

func (s *testEnv) state() redisState {
	ctx := s.Context()
	return redisState{s.client.Get(ctx, s.keys.Entry).Val(), s.client.Get(ctx, s.keys.Blob).Val(), s.client.HGetAll(ctx, s.keys.Meta).Val()}
}

// rollBack makes Redis store k and no lock, as after a failover to a replica that was
// behind.
func (s *testEnv) rollBack(k redisState) {
	ctx := s.Context()
	s.server.Mini().FlushAll()
	s.client.Set(ctx, s.keys.Entry, k.entry, 0)
	s.client.Set(ctx, s.keys.Blob, k.blob, 0)
	s.client.HSet(ctx, s.keys.Meta, k.meta)
}

// F5, I1: Redis rolls back to replaced content and loses the lock. A process that knows newer
// content must not give the old content a rev above the one that followers hold: neither to
// repair an entry, nor because an edge of the CDN lags, nor without the CDN.
func TestRolledBackContentDoesNotOutrankNewerContent(t *testing.T) {
	for name, test := range map[string]struct {
		fault   func(old fakecdn.Config) fakecdn.Fault
		corrupt func(s *testEnv)
	}{
		"the CDN answers":         {nil, nil},
		"a lagging edge":          {func(old fakecdn.Config) fakecdn.Fault { return fakecdn.Times(1, fakecdn.Stale(old)) }, nil},
		"no CDN":                  {func(fakecdn.Config) fakecdn.Fault { return fakecdn.Status(500) }, nil},
		"no CDN, and no entry":    {func(fakecdn.Config) fakecdn.Fault { return fakecdn.Status(500) }, func(s *testEnv) { s.client.Del(s.Context(), s.keys.Entry) }},
		"a lagging edge, no blob": {func(old fakecdn.Config) fakecdn.Fault { return fakecdn.Times(1, fakecdn.Stale(old)) }, func(s *testEnv) { s.client.Del(s.Context(), s.keys.Blob) }},
	} {
		t.Run(name, func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				l, _ := s.start(nil)
				s.wait(5 * time.Second)
				old, before := s.cdn.Config(), s.state()
				version := s.cdn.Publish()
				_ = l.RequestRefresh(s.Context(), "main")
				s.wait(5 * time.Second)
				s.hasVersion(version)
				top := s.entry().FetchTime

				s.rollBack(before)
				if test.corrupt != nil {
					test.corrupt(s)
				}
				if test.fault != nil {
					s.cdn.Break(test.fault(old))
				}
				for range 200 {
					s.wait(50 * time.Millisecond)
					entry, err := cachekeys.ParseEntry([]byte(s.client.Get(s.Context(), s.keys.Entry).Val()))
					if err == nil && s.version() < version && entry.FetchTime > top {
						s.Fatalf("version %d at %d, above %d", s.version(), entry.FetchTime, top)
					}
				}
				s.hasVersion(version)
				if got := s.entry().FetchTime; got <= top {
					s.Errorf("fetch time %d after %d", got, top)
				}
			})
		})
	}
}
