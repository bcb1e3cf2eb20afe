package leader

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2/server"

	"github.com/catbridge/catbridge/test/fakecdn"
)

// I1, I14: the CDN confirms content, and Redis falls back to other content, with its clock
// behind, before a write told of it. What stands there now was not confirmed.
func TestAnAnswerIsToldOfItsContentAlone(t *testing.T) {
	for _, arrives := range []string{"before", "after"} {
		t.Run("the answer arrives "+arrives+" Redis falls back", func(t *testing.T) {
			play(t, func(s *stage) {
				l, _ := s.start(nil)
				s.wait(5 * time.Second)
				before := s.keep()
				version := s.change(l)
				s.wait(time.Minute)
				top := s.entry().FetchTime
				lock := s.client.Get(s.Context(), s.keys.Lock).Val()
				fall := func() {
					s.fallBack(before)
					s.client.Set(s.Context(), s.keys.Lock, lock, l.cfg.Timing.LeaseDuration)
					s.server.Mini().SetTime(time.Now().Add(-time.Hour))
				}
				var refuse atomic.Bool
				s.refuse(touchArgs, &refuse)
				if arrives == "after" {
					s.cdn.Break(fakecdn.Times(1, func(w http.ResponseWriter, r *http.Request, current func() fakecdn.Config) {
						time.Sleep(2 * l.cfg.Timing.RenewInterval)
						fakecdn.Stale(current())(w, r, current)
						s.cdn.Break(away)
					}))
				}
				refuse.Store(arrives == "before")
				_ = l.RequestRefresh(s.Context(), "main")
				s.wait(500 * time.Millisecond)
				fall()
				refuse.Store(false)
				if arrives == "before" {
					s.cdn.Break(away)
				}
				s.neverRaised(version, top, 20*time.Second)
				s.cdn.Mend()
				s.wait(time.Minute)
				s.hasVersion(version)
			})
		})
	}
}

// I1: an SDK fetched newer content after the CDN answered the leader, and the CDN is away
// before the leader can tell of its answer: the answer is the older of the two.
func TestAnEntryLaterThanAnUntoldAnswerIsSpared(t *testing.T) {
	play(t, func(s *stage) {
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		var refuse atomic.Bool
		refuse.Store(true)
		s.refuse(touchArgs, &refuse)
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(500 * time.Millisecond) // the CDN has confirmed what is current
		version := s.cdn.Publish()
		s.cdn.Break(away)
		s.anSDKWrites(time.Now().UnixMilli(), s.cdn.Config())
		refuse.Store(false)
		s.neverBelow(version, 20*time.Second)
		if now := s.stats(l); now.Rev != s.entry().FetchTime {
			s.Errorf("the entry is not the leader's yet: %+v", now)
		}
	})
}

// I1: a leader may write over the entry that it looked at, and over none that came since.
func TestOnlyTheEntryThatWasSeenIsWrittenOver(t *testing.T) {
	play(t, func(s *stage) {
		s.cdn.Break(away)
		s.anSDKWrites(time.Now().UnixMilli(), s.cdn.Config())
		var refuse atomic.Bool
		refuse.Store(true)
		s.refuse(commitArgs, &refuse)
		l, _ := s.start(nil)
		s.wait(3 * time.Second) // it is to commit what the SDK wrote
		s.cdn.Mend()
		s.wait(10 * time.Second) // and the CDN confirms that
		if now := s.stats(l); now.Repairs == 0 || now.Commits != 0 || now.Fetched == 0 {
			s.Fatalf("the commit was to fail: %+v", now)
		}
		version := s.cdn.Publish()
		s.cdn.Break(away)
		s.anSDKWrites(time.Now().UnixMilli(), s.cdn.Config())
		refuse.Store(false)
		s.neverBelow(version, 20*time.Second)
		if now := s.stats(l); now.Rev != s.entry().FetchTime {
			s.Errorf("the entry is not the leader's yet: %+v", now)
		}
	})
}

// I14: a leader that could not restore what it knows resigns: it says nothing new of what
// Redis fell back to.
func TestWhatWasNotRestoredIsNotSaidToBeConfirmed(t *testing.T) {
	play(t, func(s *stage) {
		l, stop := s.start(nil)
		s.wait(5 * time.Second)
		before := s.keep()
		s.change(l)
		s.cdn.Break(away)
		s.wait(2 * time.Second)
		var refused atomic.Int64
		s.server.Mini().Server().SetPreHook(func(peer *server.Peer, cmd string, have ...string) bool {
			if cmd != "EVALSHA" && cmd != "EVAL" || len(have) != commitArgs && (len(have) != touchArgs || refused.Load() == 0) {
				return false
			}
			refused.Add(1) // from the first commit on no renewal comes through either
			peer.WriteError("OOM command not allowed when used memory > 'maxmemory'.")
			return true
		})
		s.fallBack(before)
		for refused.Load() == 0 {
			_ = l.RequestRefresh(s.Context(), "main")
			s.wait(100 * time.Millisecond)
		}
		heard := s.hear()
		stop()
		want := "cdn=" + before.meta["cdn"]
		s.wait(time.Second)
		if all := heard(); !strings.Contains(all, "resign ") {
			s.Errorf("it does not resign: %s", all)
		}
		for line := range strings.Lines(heard()) {
			if strings.Contains(line, "resign ") && !strings.Contains(line, want) {
				s.Errorf("%s is said of what was confirmed at %s", line, want)
			}
		}
	})
}
