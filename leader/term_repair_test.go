package leader

import (
	"bytes"
	"strconv"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// writeAsSDK writes an entry as an official SDK does after it fetched the config.
func (s *testEnv) writeAsSDK(fetchTime int64, config fakecdn.Config) cachekeys.Entry {
	s.Helper()
	entry := cachekeys.Entry{FetchTime: fetchTime, ETag: config.ETag(), JSON: config.JSON()}
	if err := s.client.Set(s.Context(), s.keys.Entry, entry.Append(nil), 0).Err(); err != nil {
		s.Fatal(err)
	}
	return entry
}

// I1: official SDKs read the entry, and so do followers while no process leads.
func TestALaterEntryOfAnSDKIsCommittedWhileTheCDNDoesNotAnswer(t *testing.T) {
	for name, fault := range map[string]fakecdn.Fault{"500": fakecdn.Status(500), "Retry-After": fakecdn.TooMany(5 * time.Minute)} {
		t.Run(name, func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				l, _ := s.start(nil)
				s.cdn.Break(fault)
				s.wait(l.cfg.Timing.PollInterval)
				before := s.stats(l)
				version := s.cdn.Publish()
				entry := s.writeAsSDK(s.entry().FetchTime+30_000, s.cdn.Config())
				s.wait(l.cfg.Timing.RenewInterval + time.Second)
				s.hasVersion(version)
				now := s.stats(l)
				if now.Rev != entry.FetchTime+1 || now.ETag != entry.ETag || now.LastAnswer != before.LastAnswer || now.Repairs != 1 {
					s.Errorf("stats %+v", now)
				}
				if name == "Retry-After" && now.Polls != before.Polls {
					s.Error("the CDN was asked though it asked to wait")
				}
			})
		})
	}
}

func TestRepairFromMemoryKeepsALaterEntryOfAnSDK(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		mine := s.entry()
		s.cdn.Break(fakecdn.Status(500))
		version := s.cdn.Publish()
		s.server.Mini().FlushAll()
		s.writeAsSDK(mine.FetchTime+5000, s.cdn.Config())
		s.wait(2 * l.cfg.Timing.RenewInterval)
		s.hasVersion(version)
		if now := s.stats(l); now.Repairs != 1 || now.LastAnswer.UnixMilli() > mine.FetchTime {
			s.Errorf("stats %+v", now)
		}
	})
}

// The leader overwrites an invalid config, and content that it knows to be replaced.
func TestAnInvalidOrReplacedLaterEntryIsNotCommitted(t *testing.T) {
	for name, write := range map[string]func(s *testEnv, later int64, old fakecdn.Config){
		"no config": func(s *testEnv, later int64, _ fakecdn.Config) {
			s.client.Set(s.Context(), s.keys.Entry, strconv.FormatInt(later, 10)+"\nx\n{}", 0)
		},
		"no entry": func(s *testEnv, later int64, _ fakecdn.Config) {
			s.client.Set(s.Context(), s.keys.Entry, strconv.FormatInt(later, 10)+"\nx", 0)
		},
		"just replaced": func(s *testEnv, later int64, old fakecdn.Config) { s.writeAsSDK(later, old) },
	} {
		t.Run(name, func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				l, _ := s.start(nil)
				s.wait(5 * time.Second)
				old := s.cdn.Config()
				version := s.cdn.Publish()
				_ = l.RequestRefresh(s.Context(), "main")
				s.wait(time.Second)
				s.cdn.Break(fakecdn.Status(500))
				later := s.entry().FetchTime + 9000
				write(s, later, old)
				s.wait(l.cfg.Timing.RenewInterval + time.Second)
				s.hasVersion(version)
				if got := s.entry().FetchTime; got != later+1 {
					s.Errorf("fetch time %d, want %d", got, later+1)
				}
			})
		})
	}
}

// F27 and F32 together: until the leader knows that its commit succeeded, it takes the content
// that the commit replaced for current.
func TestALaggingEdgeDoesNotUndoACommitWithALostReply(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		link := new(redistest.Link)
		l, _ := s.start(link)
		old := s.cdn.Config()
		s.wait(5 * time.Second)
		version := s.cdn.Publish()
		link.Drop(func(frame []byte) bool { return bytes.HasPrefix(frame, []byte("*6\r\n$2\r\nOK")) })
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(2 * time.Second)
		s.hasVersion(version) // the commit ran; the leader waits for the reply
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(time.Second)
		s.cdn.Break(fakecdn.Times(1, fakecdn.Stale(old)))
		link.Drop(nil)
		link.Down()
		s.wait(500 * time.Millisecond)
		link.Up()
		for range 20 {
			s.wait(500 * time.Millisecond)
			s.hasVersion(version)
		}
		if now := s.stats(l); now.Suspect != 1 {
			s.Errorf("stats %+v", now)
		}
	})
}

// I1: followers still hold the newer content.
func TestALaggingEdgeIsNotBelievedAfterRedisLostItsData(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		old := s.cdn.Config()
		s.wait(5 * time.Second)
		version := s.cdn.Publish()
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(2 * time.Second)
		s.hasVersion(version)
		s.cdn.Break(fakecdn.Times(1, fakecdn.Stale(old)))
		s.server.Mini().FlushAll()
		s.wait(2 * l.cfg.Timing.RenewInterval)
		s.hasVersion(version)
		if now := s.stats(l); now.Suspect != 1 || now.Terms != 2 {
			s.Errorf("stats %+v", now)
		}
	})
}
