package leader

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A message would reach every follower, just before the change.
func TestTheLeaderPublishesNoRefreshRequest(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		leading := s.withHook(nil)
		s.wait(10 * time.Second)
		other := s.withHook(nil)
		s.wait(10 * time.Second)
		published, before := s.messages(), s.stats(leading).Refreshes
		for i, l := range []*Leader{leading, other} {
			version := s.cdn.Publish()
			if status, text := serveHook(l, hookRequest(strings.Repeat(strconv.Itoa(i), 32), time.Now())); status != http.StatusOK {
				s.Fatalf("%d: %d %s", i, status, text)
			}
			s.wait(500 * time.Millisecond)
			s.hasVersion(version)
			if n := strings.Count(published(), "cb1 refresh"); n != i {
				s.Errorf("process %d: %d messages ask for a poll, want %d", i, n, i)
			}
			s.wait(10 * time.Second)
		}
		if n := s.stats(leading).Refreshes - before; n != 2 {
			s.Errorf("%d refreshes", n)
		}
	})
}
