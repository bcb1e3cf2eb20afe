package leader

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2/server"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
)

// I1, I14: the CDN confirms content, and before a write publishes that, Redis rolls back to
// other content, with its clock behind. The CDN has not confirmed the content in Redis.
func TestAnAnswerConfirmsItsContentOnly(t *testing.T) {
	for _, arrives := range []string{"before", "after"} {
		t.Run("the answer arrives "+arrives+" Redis rolls back", func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				l, _ := s.start(nil)
				s.wait(5 * time.Second)
				before := s.state()
				version := s.change(l)
				s.wait(time.Minute)
				top := s.entry().FetchTime
				lock := s.client.Get(s.Context(), s.keys.Lock).Val()
				fall := func() {
					s.rollBack(before)
					s.client.Set(s.Context(), s.keys.Lock, lock, l.cfg.Timing.LeaseDuration)
					s.server.Mini().SetTime(time.Now().Add(-time.Hour))
				}
				var refuse atomic.Bool
				s.refuse(renewArgs, &refuse)
				if arrives == "after" {
					s.cdn.Break(fakecdn.Times(1, func(w http.ResponseWriter, r *http.Request, current func() fakecdn.Config) {
						time.Sleep(2 * l.cfg.Timing.RenewInterval)
						fakecdn.Stale(current())(w, r, current)
						s.cdn.Break(cdnDown)
					}))
				}
				refuse.Store(arrives == "before")
				_ = l.RequestRefresh(s.Context(), "main")
				s.wait(500 * time.Millisecond)
				fall()
				refuse.Store(false)
				if arrives == "before" {
					s.cdn.Break(cdnDown)
				}
				s.wantNeverRaised(version, top, 20*time.Second)
				s.cdn.Repair()
				s.wait(time.Minute)
				s.hasVersion(version)
			})
		})
	}
}

// I1: an SDK fetches newer content after the CDN answered the leader, and the CDN fails before
// the leader publishes its answer. The leader's answer is the older of the two.
func TestAnEntryLaterThanAnUnpublishedAnswerIsKept(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		var refuse atomic.Bool
		refuse.Store(true)
		s.refuse(renewArgs, &refuse)
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(500 * time.Millisecond) // the CDN has confirmed the current content
		version := s.cdn.Publish()
		s.cdn.Break(cdnDown)
		s.writeAsSDK(time.Now().UnixMilli(), s.cdn.Config())
		refuse.Store(false)
		s.wantNeverBelow(version, 20*time.Second)
		s.wantOwnEntry(l)
	})
}

// I1: a leader may overwrite the entry that it read, but no later one.
func TestOnlyTheEntryThatWasReadIsOverwritten(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		s.cdn.Break(cdnDown)
		s.writeAsSDK(time.Now().UnixMilli(), s.cdn.Config())
		var refuse atomic.Bool
		refuse.Store(true)
		s.refuse(commitArgs, &refuse)
		l, _ := s.start(nil)
		s.wait(3 * time.Second) // the leader is to commit the SDK's entry
		s.cdn.Repair()
		s.wait(10 * time.Second) // the CDN confirms it
		if now := s.stats(l); now.Repairs == 0 || now.Commits != 0 || now.Fetched == 0 {
			s.Fatalf("the commit was to fail: %+v", now)
		}
		version := s.cdn.Publish()
		s.cdn.Break(cdnDown)
		s.writeAsSDK(time.Now().UnixMilli(), s.cdn.Config())
		refuse.Store(false)
		s.wantNeverBelow(version, 20*time.Second)
		s.wantOwnEntry(l)
	})
}

// I14: a leader that could not repair its content resigns. It publishes no new answer for the
// content to which Redis rolled back.
func TestResignDoesNotConfirmContentThatWasNotRepaired(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, stop := s.start(nil)
		s.wait(5 * time.Second)
		before := s.state()
		s.change(l)
		s.cdn.Break(cdnDown)
		s.wait(2 * time.Second)
		var refused atomic.Int64
		s.server.Mini().Server().SetPreHook(func(peer *server.Peer, cmd string, have ...string) bool {
			if cmd != "EVALSHA" && cmd != "EVAL" || len(have) != commitArgs && (len(have) != renewArgs || refused.Load() == 0) {
				return false
			}
			refused.Add(1) // after the first commit, renewals fail, too
			peer.WriteError("OOM command not allowed when used memory > 'maxmemory'.")
			return true
		})
		s.rollBack(before)
		for refused.Load() == 0 {
			_ = l.RequestRefresh(s.Context(), "main")
			s.wait(100 * time.Millisecond)
		}
		published := s.messages()
		stop()
		want := "cdn=" + before.meta["cdn"]
		s.wait(time.Second)
		if all := published(); !strings.Contains(all, "resign ") {
			s.Errorf("it does not resign: %s", all)
		}
		for line := range strings.Lines(published()) {
			if strings.Contains(line, "resign ") && !strings.Contains(line, want) {
				s.Errorf("%s is said of what was confirmed at %s", line, want)
			}
		}
	})
}
