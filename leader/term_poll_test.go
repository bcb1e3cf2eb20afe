package leader

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
)

func TestRefreshRequestsCauseAtMostOnePollPerSecond(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(10 * time.Second)
		before := s.stats(l).Polls
		version := s.cdn.Publish()
		for range 1000 {
			if err := l.RequestRefresh(s.Context(), "main"); err != nil {
				s.Fatal(err)
			}
		}
		s.wait(time.Millisecond)
		s.hasVersion(version)
		s.wait(20 * time.Second)
		// A request that arrived during the first poll causes a second one, which finds nothing new.
		if polls := s.stats(l).Polls - before; polls > uint64(2+len(recheckPauses)) {
			s.Errorf("1000 requests in an instant made %d polls", polls)
		}
		requests := s.cdn.Requests()
		for i := range requests[1:] {
			if gap := requests[i+1].At.Sub(requests[i].At); gap < minFetchGap {
				s.Errorf("%v between two polls", gap)
			}
		}
		if err := l.RequestRefresh(s.Context(), "other"); !errors.Is(err, ErrUnknownName) {
			s.Errorf("got %v", err)
		}
	})
}

// A request is also counted in meta: if the message is lost, the next renewal returns it.
func TestALostRefreshRequestCostsOneRenewal(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(10 * time.Second)
		version := s.cdn.Publish()
		s.client.HIncrBy(s.Context(), s.keys.Meta, "refresh", 1)
		s.wait(l.cfg.Timings.RenewInterval)
		s.hasVersion(version)
		before := s.stats(l).Polls
		s.client.HDel(s.Context(), s.keys.Meta, "refresh") // the count restarts
		s.wait(l.cfg.Timings.RenewInterval)
		s.cdn.Publish()
		s.client.HIncrBy(s.Context(), s.keys.Meta, "refresh", 1)
		s.wait(l.cfg.Timings.RenewInterval)
		if polls := s.stats(l).Polls - before; polls != 1 {
			s.Errorf("%d polls after the count was lost, want 1", polls)
		}
	})
}

// F27: a lagging edge is asked again and not believed; a real rollback is believed.
func TestRecentlyReplacedContentIsBelievedOnlyIfServedTwice(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		old := s.cdn.Config()
		s.wait(5 * time.Second)
		version := s.change(l)

		s.cdn.Break(fakecdn.Times(1, fakecdn.Stale(old)))
		before := s.stats(l)
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(1500 * time.Millisecond)
		s.hasVersion(version)
		if now := s.stats(l); now.Polls-before.Polls != 2 || now.Suspect-before.Suspect != 1 || now.Commits != before.Commits {
			s.Errorf("a lagging edge: from %+v to %+v", before, now)
		}

		s.cdn.Break(fakecdn.Stale(old)) // now every edge serves it
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(1500 * time.Millisecond)
		s.hasVersion(old.Version)
	})
}

func TestFailedPollsKeepTheCurrentContent(t *testing.T) {
	for name, fault := range map[string]fakecdn.Fault{
		"403": fakecdn.Status(403), "404": fakecdn.Status(404), "500": fakecdn.Status(500),
		"garbage": fakecdn.Garbage(), "html": fakecdn.HTML(), "oversize": fakecdn.Oversize(wire.MaxConfigBytes),
		"no f": fakecdn.Body("application/json", `{"p":{}}`), "network": fakecdn.Network(errors.New("refused")),
	} {
		t.Run(name, func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				l, _ := s.start(nil)
				before, entry := s.stats(l), s.entry()
				s.cdn.Break(fault)
				s.cdn.Publish()
				s.wait(3 * l.cfg.Timings.PollInterval)
				now := s.stats(l)
				if got := s.entry(); got.FetchTime != entry.FetchTime || !bytes.Equal(got.JSON, entry.JSON) {
					s.Errorf("the entry changed: %d to %d", entry.FetchTime, got.FetchTime)
				}
				if now.LastAnswer != before.LastAnswer || now.PollErrors == 0 || now.PollError == "" || now.State != StateSteady {
					s.Errorf("stats %+v", now)
				}
				if s.client.TTL(s.Context(), s.keys.Lock).Val() <= 0 {
					s.Error("the lock was lost")
				}
				s.cdn.Repair()
				s.wait(l.cfg.Timings.PollInterval)
				s.hasVersion(s.cdn.Version())
				if strings.Contains(s.log.String(), testKey) {
					s.Error("the log has the SDK key")
				}
			})
		})
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.cdn.Break(fakecdn.TooMany(5 * time.Minute))
		s.wait(l.cfg.Timings.PollInterval)
		before := s.stats(l).Polls
		s.wait(4 * time.Minute)
		if polls := s.stats(l).Polls - before; polls != 0 {
			s.Errorf("%d polls while asked to wait", polls)
		}
		s.cdn.Repair()
		s.wait(2 * time.Minute)
		if polls := s.stats(l).Polls - before; polls == 0 {
			s.Error("no poll after the wait")
		}
	})
}

// After a failover to a replica that was behind, the count is lower.
func TestARefreshRequestIsHandledAfterTheCountFell(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		for range 5 {
			_ = l.RequestRefresh(s.Context(), "main")
		}
		s.wait(10 * time.Second)
		version := s.cdn.Publish()
		s.client.HSet(s.Context(), s.keys.Meta, "refresh", 2)
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(l.cfg.Timings.RenewInterval + time.Second)
		s.hasVersion(version)
	})
}

func TestRefreshRequestsDoNotDelayARenewal(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		link := new(redistest.Link)
		l, _ := s.start(link)
		s.wait(10 * time.Second)
		s.cdn.Break(fakecdn.Status(500))
		link.Drop(func(frame []byte) bool { return bytes.HasPrefix(frame, []byte("*7\r\n$2\r\nOK")) })
		for s.stats(l).WriteError == "" {
			s.wait(100 * time.Millisecond)
		}
		link.Drop(nil)
		request := wire.Message{Type: wire.Refresh, Seq: 1}.Append(nil)
		for range 40 {
			s.client.Publish(s.Context(), s.keys.Events, request)
			s.wait(500 * time.Millisecond)
		}
		if now := s.stats(l); now.Terms != 1 || now.Lapsed != 0 || now.WriteError != "" {
			s.Errorf("stats %+v", now)
		}
	})
}

// S85. The request is not lost: the leader polls after the wait.
func TestRetryAfterIsHonouredDespiteRefreshRequests(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.cdn.Break(fakecdn.TooMany(5 * time.Minute))
		s.wait(l.cfg.Timings.PollInterval)
		s.cdn.Repair()
		before, version := s.stats(l).Polls, s.cdn.Publish()
		for range 24 {
			_ = l.RequestRefresh(s.Context(), "main")
			s.wait(10 * time.Second)
		}
		if polls := s.stats(l).Polls - before; polls != 0 {
			s.Errorf("%d polls while asked to wait", polls)
		}
		s.wait(time.Minute)
		s.hasVersion(version)
	})
}

// An edge of the CDN may lag behind the webhook.
func TestARefreshRequestPollsForTenSeconds(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l := s.withHook(nil)
		s.wait(10 * time.Second)
		before := s.stats(l).Polls
		serveHook(l, hookRequest(hookID, time.Now()))
		for i, pause := range []time.Duration{time.Millisecond, 2 * time.Second, 3 * time.Second, 5 * time.Second} {
			s.wait(pause)
			if polls := s.stats(l).Polls - before; polls != uint64(i+1) {
				s.Errorf("%d polls, want %d", polls, i+1)
			}
		}
		s.wait(30 * time.Second)
		if polls := s.stats(l).Polls - before; polls != 4 {
			s.Errorf("%d polls, want 4", polls)
		}
		serveHook(l, hookRequest(strings.Repeat("a", 32), time.Now()))
		s.wait(time.Second)
		version := s.cdn.Publish()
		s.wait(1100 * time.Millisecond)
		s.hasVersion(version)
		s.wait(l.cfg.Timings.PollInterval + 10*time.Second)
		if polls := s.stats(l).Polls - before; polls != 7 {
			s.Errorf("%d polls, want 7: there was something new, and then a regular one", polls)
		}
	})
}
