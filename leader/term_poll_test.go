package leader

import (
	"bytes"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
)

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
		s.wait(l.cfg.Timing.RenewInterval + time.Second)
		s.hasVersion(version)
	})
}

func TestRefreshRequestsDoNotDelayARenewal(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		link := new(redistest.Link)
		l, _ := s.start(link)
		s.wait(10 * time.Second)
		s.cdn.Break(fakecdn.Status(500))
		link.Drop(func(frame []byte) bool { return bytes.HasPrefix(frame, []byte("*6\r\n$2\r\nOK")) })
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
		s.wait(l.cfg.Timing.PollInterval)
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
