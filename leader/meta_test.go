package leader

import (
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/wire"
)

// Followers refuse a meta with a malformed field, and refresh requests increment a field.
func TestTheNextRenewalRepairsACorruptFieldOfMeta(t *testing.T) {
	for name, fields := range map[string][]any{
		"len":                 {"len", "7"},
		"len gone":            {"len"},
		"len no number":       {"len", "x"},
		"etag":                {"etag", "other"},
		"etag gone":           {"etag"},
		"epoch":               {"epoch", "1e300"},
		"cdn no number":       {"cdn", "yesterday"},
		"cdn short":           {"cdn", "17672256"},
		"poll no number":      {"poll", "-1"},
		"refresh no number":   {"refresh", "many"},
		"refresh long":        {"refresh", "99999999999999"},
		"etags without times": {"etags", "W/x"},
		"etags empty line":    {"etags", "1767225600000 a\n\n1767225600000 b"},
		"etags too many":      {"etags", strings.Repeat("1767225600000 a\n", 8) + "1767225600000 a"},
		"etags too long":      {"etags", "1767225600000 " + strings.Repeat("x", 300)},
	} {
		t.Run(name, func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				l, _ := s.start(nil)
				s.wait(10 * time.Second)
				before := s.stats(l)
				if len(fields) == 1 {
					s.client.HDel(s.Context(), s.keys.Meta, fields[0].(string))
				} else {
					s.client.HSet(s.Context(), s.keys.Meta, fields...)
				}
				s.wait(l.cfg.Timing.RenewInterval)
				m := s.meta()
				if m.Rev == 0 || m.Hash != before.Hash || m.ETag != before.ETag || m.Len != before.Length || m.Poll != l.cfg.Timing.PollInterval || m.CDN == 0 {
					s.Errorf("meta %+v", m)
				}
				if now := s.stats(l); now.Repairs != 1 || now.Polls != before.Polls || now.Terms != 1 || now.WriteError != "" {
					s.Errorf("stats %+v", now)
				}
				version := s.cdn.Publish()
				if err := l.RequestRefresh(s.Context(), "main"); err != nil {
					s.Error(err)
				}
				s.wait(time.Millisecond)
				s.hasVersion(version)
			})
		})
	}
}

func TestIntactMetaIsNotWrittenAgain(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		for range 12 {
			s.wait(2 * time.Second)
			s.cdn.Publish()
			_ = l.RequestRefresh(s.Context(), "main")
		}
		if n := len(s.meta().Recent); n != wire.MaxRecentETags {
			s.Fatalf("%d ETags", n)
		}
		s.wait(5 * time.Minute)
		if now := s.stats(l); now.Repairs != 0 || now.Commits != 13 {
			s.Errorf("stats %+v", now)
		}
		s.client.HDel(s.Context(), s.keys.Meta, "refresh", "etags", "poll")
		s.wait(time.Minute)
		if now := s.stats(l); now.Repairs != 0 {
			s.Errorf("stats %+v", now)
		}
	})
}
