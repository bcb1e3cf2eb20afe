package leader

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2/server"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
)

// I3: whatever happens to the leader after it has sent the commit.
func TestTheScriptThatWritesAChangePublishesIt(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		published := s.messages()
		link := new(redistest.Link)
		l, _ := s.start(link)
		s.wait(5 * time.Second)
		version := s.cdn.Publish()
		link.Drop(func(frame []byte) bool { return bytes.HasPrefix(frame, []byte("*7\r\n$2\r\nOK")) })
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(time.Second)
		s.hasVersion(version)
		want := wire.Message{Type: wire.Change}.Head() + " rev=" + strconv.FormatInt(s.entry().FetchTime, 10)
		if all := published(); !strings.Contains(all, want) {
			s.Errorf("the change is not announced:\n%s", all)
		}
	})
}

// Followers compare the times of CDN answers by Redis's clock (I1). So every message about the
// current content has that clock as its last field.
func TestMessagesEndWithRedisClock(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		const ahead = time.Hour // how far Redis's clock is ahead
		s.server.Mini().SetTime(time.Now().Add(ahead))
		published := s.messages()
		l, stop := s.start(nil)
		s.wait(10 * time.Second)
		s.server.Mini().SetTime(time.Now().Add(ahead))
		s.change(l)
		stop()
		s.wait(time.Second)
		now := time.Now().Add(ahead)
		counts := map[wire.MessageType]int{}
		for line := range strings.Lines(published()) {
			m, err := wire.ParseMessage([]byte(strings.TrimSuffix(line, "\n")))
			if err != nil || m.Type == wire.Refresh {
				continue // inline content
			}
			counts[m.Type]++
			if age := now.Sub(time.UnixMilli(m.Now)); age < 0 || age > time.Minute || !strings.HasSuffix(line, fmt.Sprintf(" now=%d\n", m.Now)) {
				s.Errorf("%q is %v old by Redis's clock", line, age)
			}
		}
		for _, kind := range []wire.MessageType{wire.Change, wire.Heartbeat, wire.Resign} {
			if counts[kind] == 0 {
				s.Errorf("no %s", kind)
			}
		}
	})
}

// I14: renewals continue while commits fail.
func TestAnAnswerAboutPendingContentConfirmsNoOtherContent(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		allow := s.refuse(commitArgs)
		before := s.stats(l)
		version := s.cdn.Publish()
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(2 * l.cfg.Timings.RenewInterval)
		now := s.stats(l)
		if now.WriteError == "" || now.Renewals == before.Renewals {
			s.Fatalf("commits were to fail and renewals to succeed: %+v", now)
		}
		if now.LastAnswer != before.LastAnswer || now.Rev != before.Rev {
			s.Errorf("from %+v to %+v", before, now)
		}
		allow()
		s.wait(l.cfg.Timings.RenewInterval)
		s.hasVersion(version)
	})
}

// A slow reply does not prolong the time for which a leader acts.
func TestTheLeaseCountsFromBeforeTheRenewalWasSent(t *testing.T) {
	for _, keys := range []int{1, 3} { // sent alone, and in a batch
		t.Run(strconv.Itoa(keys), func(t *testing.T) { trustFromBefore(t, keys) })
	}
}

func trustFromBefore(t *testing.T, keys int) {
	runEnv(t, func(s *testEnv) {
		link := new(redistest.Link)
		l, _ := s.startMany(link, keys)
		s.wait(10 * time.Second)
		timings := l.cfg.Timings
		for renewals := s.stats(l).Renewals; s.stats(l).Renewals == renewals; {
			s.wait(time.Millisecond)
		}
		renewed := time.Now()
		s.wait(timings.RenewInterval - 100*time.Millisecond)
		link.Freeze() // the next renewal is sent in 100 ms
		s.wait(2500 * time.Millisecond)
		link.Thaw()
		s.wait(10 * time.Millisecond)
		link.Freeze()
		// It stops acting at its deadline and then tries to release the lock.
		s.wait(time.Until(renewed.Add(timings.RenewInterval + timings.RenewDeadline + 2*releaseTimeout + 100*time.Millisecond)))
		for _, now := range l.Stats().Keys {
			if now.State != StateCandidate || now.Lapsed != 1 {
				s.Errorf("%+v", now)
			}
		}
		link.Thaw()
	})
}

// I14: a write that arrives late does not make the CDN's answer look more recent.
func TestALateWriteDoesNotMakeAnAnswerMoreRecent(t *testing.T) {
	for name, changed := range map[string]bool{"commit": true, "renew": false} {
		t.Run(name, func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				link := new(redistest.Link)
				l, _ := s.start(link)
				s.wait(10 * time.Second)
				release, asked := make(chan struct{}), make(chan struct{}, 1)
				s.cdn.Break(fakecdn.Announce(asked, fakecdn.Hang(release)))
				<-asked
				sent := time.Now()
				if changed {
					s.cdn.Publish()
				}
				for renewals := s.stats(l).Renewals; s.stats(l).Renewals == renewals; {
					s.wait(time.Millisecond)
				}
				link.Freeze()
				close(release)
				s.wait(2 * time.Second)
				link.Thaw()
				s.wait(100 * time.Millisecond)
				if answer := s.stats(l).LastAnswer; answer.After(sent) || answer.Before(sent.Add(-10*time.Millisecond)) {
					s.Errorf("the CDN was asked at %v, and is said to have answered at %v", sent, answer)
				}
			})
		})
	}
}

func TestALostReplyToACommitCausesNoSecondChange(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		link := new(redistest.Link)
		l, _ := s.start(link)
		s.wait(time.Second)
		version := s.cdn.Publish()
		link.Drop(func(frame []byte) bool { return bytes.HasPrefix(frame, []byte("*7\r\n$2\r\nOK")) })
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(2 * time.Second)
		s.hasVersion(version) // the commit ran; only its reply was lost
		rev := s.entry().FetchTime
		link.Drop(nil)
		s.wait(8 * time.Second)
		if now := s.stats(l); now.Rev < rev || now.Commits != 1 || now.Terms != 1 || now.Repairs != 0 {
			s.Errorf("stats %+v, rev %d", now, rev)
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
		allow := s.refuse(commitArgs)
		l, _ := s.start(nil)
		s.wait(2 * time.Second)
		if now := s.stats(l); now.Commits != 0 || now.WriteError == "" {
			s.Fatalf("the commit was to fail: %+v", now)
		}
		allow()
		s.wait(l.cfg.Timings.RenewInterval)
		s.hasVersion(version)
	})
}

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
					s.client.Set(s.Context(), s.keys.Lock, lock, l.cfg.Timings.LeaseDuration)
					s.server.Mini().SetTime(time.Now().Add(-time.Hour))
				}
				var refuse atomic.Bool
				s.refuseWhile(renewArgs, &refuse)
				if arrives == "after" {
					s.cdn.Break(fakecdn.Times(1, func(w http.ResponseWriter, r *http.Request, current func() fakecdn.Config) {
						time.Sleep(2 * l.cfg.Timings.RenewInterval)
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
		allow := s.refuse(renewArgs)
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(500 * time.Millisecond) // the CDN has confirmed the current content
		version := s.cdn.Publish()
		s.cdn.Break(cdnDown)
		s.writeAsSDK(time.Now().UnixMilli(), s.cdn.Config())
		allow()
		s.wantNeverBelow(version, 20*time.Second)
		s.wantOwnEntry(l)
	})
}

// I1: a leader may overwrite the entry that it read, but no later one.
func TestOnlyTheEntryThatWasReadIsOverwritten(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		s.cdn.Break(cdnDown)
		s.writeAsSDK(time.Now().UnixMilli(), s.cdn.Config())
		allow := s.refuse(commitArgs)
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
		allow()
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
