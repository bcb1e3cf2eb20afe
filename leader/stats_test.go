package leader

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

func TestStatsOfACandidateDescribeTheCurrentContent(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		first, _ := s.start(nil)
		s.wait(time.Second)
		second, _ := s.start(nil)
		s.wait(3 * time.Second)
		leading, waiting := s.stats(first), s.stats(second)
		if waiting.State != StateCandidate || waiting.LockHolder != first.ID() {
			t.Fatalf("the second: %+v", waiting)
		}
		if waiting.Rev == 0 || waiting.Rev != leading.Rev || waiting.Hash != leading.Hash || waiting.ETag != leading.ETag || waiting.LastAnswer != leading.LastAnswer {
			t.Errorf("the candidate tells %+v\nthe leader %+v", waiting, leading)
		}
	})
}

// A monitor detects by Due that a process hangs. An outage must not look like that.
func TestALoopIsNeverOverdueDuringAnOutage(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, stop := s.start(nil)
		check := func(d time.Duration) {
			for range int(d / (500 * time.Millisecond)) {
				s.wait(500 * time.Millisecond)
				if stats := s.stats(l); stats.Due.Before(time.Now()) {
					t.Fatalf("due %v ago: %+v", time.Since(stats.Due), stats)
				}
			}
		}
		check(time.Minute)
		reached := s.stats(l).LastContact
		s.server.Mini().SetError("LOADING")
		check(5 * time.Minute)
		if stats := s.stats(l); time.Since(stats.LastContact) < 4*time.Minute || stats.LastContact.Before(reached) {
			t.Errorf("last contact %v ago", time.Since(stats.LastContact))
		}
		s.server.Mini().SetError("")
		check(time.Minute)
		if stats := s.stats(l); time.Since(stats.LastContact) > 10*time.Second {
			t.Errorf("last contact %v ago", time.Since(stats.LastContact))
		}
		stop()
	})
}

func TestWriteErrorIsClearedWhenRedisAnswers(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		link := new(redistest.Link)
		link.Down()
		l, _ := s.start(link)
		if s.stats(l).WriteError == "" {
			s.Fatal("no error")
		}
		link.Up()
		s.wait(10 * time.Second)
		if now := s.stats(l); now.WriteError != "" || now.State != StateSteady {
			s.Errorf("stats %+v", now)
		}
	})
}

func TestStatsReportRefreshesLengthAndRetryAfter(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		second, _ := s.start(nil)
		s.wait(5 * time.Second)
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(20 * time.Second)
		now := s.stats(l)
		if size := len(s.entry().JSON); now.Refreshes != 1 || now.Length != size || s.stats(second).Length != size || !now.HeldUntil.IsZero() {
			t.Errorf("stats %+v", now)
		}
		s.cdn.Break(fakecdn.TooMany(5 * time.Minute))
		s.wait(l.cfg.Timings.PollInterval)
		if held := time.Until(s.stats(l).HeldUntil); held < 4*time.Minute || held > 5*time.Minute {
			t.Errorf("held for %v", held)
		}
	})
}

func TestClockOffsetIsRedisClockLessLocalClock(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		s.server.Mini().SetTime(time.Now().Add(time.Hour))
		l, _ := s.start(nil)
		s.wait(time.Second)
		if offset := s.stats(l).ClockOffset; offset < 59*time.Minute || offset > time.Hour {
			t.Errorf("offset %v", offset)
		}
	})
}

func TestEachFetchIsTimed(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(3 * time.Minute)
		s.cdn.Publish()
		s.wait(time.Minute)
		s.cdn.Break(fakecdn.Status(503))
		s.wait(time.Minute)
		stats := s.stats(l)
		if stats.Fetched != 2 || stats.PollErrors == 0 || stats.Fetched+stats.NotModified+stats.PollErrors != stats.Polls {
			t.Errorf("the outcomes of %d polls: %d fetched, %d not modified, %d failed", stats.Polls, stats.Fetched, stats.NotModified, stats.PollErrors)
		}
		if stats.PollInterval != 55*time.Second {
			t.Errorf("poll interval %v", stats.PollInterval)
		}
		if stats.Polls < 3 || stats.FetchTimes.Count() != stats.Polls {
			t.Errorf("%d fetches timed of %d", stats.FetchTimes.Count(), stats.Polls)
		}
	})
}
