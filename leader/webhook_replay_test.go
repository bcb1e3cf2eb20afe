package leader

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/leader/internal/hook"
)

// ConfigCat sends a webhook again if the response was lost.
func TestAReplayAtAnyProcessCausesNoPoll(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		one, two := s.withHook(nil), s.withHook(nil)
		s.wait(10 * time.Second)
		at := time.Now()
		if status, text := serveHook(one, hookRequest(hookID, at)); status != http.StatusOK {
			s.Fatalf("%d %s", status, text)
		}
		s.wait(20 * time.Second)
		before := s.stats(one).Polls
		for range 25 {
			for _, l := range []*Leader{one, two} {
				if status, text := serveHook(l, hookRequest(hookID, at)); status != http.StatusOK || !strings.Contains(text, "already accepted") {
					s.Errorf("%d %s", status, text)
				}
			}
		}
		s.wait(12 * time.Second)
		if polls := s.stats(one).Polls - before; polls != 0 {
			s.Errorf("%d polls", polls)
		}
		if a, b := s.stats(one).Webhooks, s.stats(two).Webhooks; a.Replayed != 25 || b.Replayed != 25 || a.Accepted+b.Accepted != 1 {
			s.Errorf("counted %+v and %+v", a, b)
		}
		// After the window its time is refused, so its ID need not be remembered.
		s.wait(5 * time.Minute)
		if status, _ := serveHook(two, hookRequest(hookID, at)); status != http.StatusBadRequest {
			s.Errorf("after the window: %d", status)
		}
		s.wait(hook.Remember)
		if n := len(s.server.Mini().Keys()); n != 5 {
			s.Errorf("Redis keeps %q", s.server.Mini().Keys())
		}
	})
}

// Replays of signed requests must not reach Redis.
func TestReplaysDoNotReachRedis(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		link := new(redistest.Link)
		l := s.withHook(link)
		s.wait(10 * time.Second)
		at := time.Now()
		serveHook(l, hookRequest(hookID, at))
		s.wait(time.Second) // its poll has ended
		commands := s.server.Mini().CommandCount()
		for range 1000 {
			serveHook(l, hookRequest(hookID, at))
		}
		if n := s.server.Mini().CommandCount() - commands; n != 0 {
			s.Errorf("%d commands", n)
		}
	})
}

func TestAWebhookThatFailedMayBeSentAgain(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		link := new(redistest.Link)
		l := s.withHook(link)
		s.wait(10 * time.Second)
		at := time.Now()
		link.Down()
		if status, text := serveHook(l, hookRequest(hookID, at)); status != http.StatusServiceUnavailable {
			s.Fatalf("%d %s", status, text)
		}
		link.Up()
		s.wait(time.Second)
		if status, text := serveHook(l, hookRequest(hookID, at)); status != http.StatusOK {
			s.Fatalf("sent again: %d %s", status, text)
		}
		if now := s.stats(l).Webhooks; now.Failed != 1 || now.Accepted != 1 {
			s.Errorf("counted %+v", now)
		}
	})
}

// A sender that receives a 200 does not retry. A repetition must not receive it before the
// first request has succeeded.
func TestARepeatedWebhookWaitsForTheFirst(t *testing.T) {
	for name, c := range map[string]struct {
		givenUp bool // canceled by its sender
		want    int  // the first request's status
	}{
		"accepted": {false, http.StatusOK},
		"failed":   {true, http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				link := new(redistest.Link)
				l := s.withHook(link)
				s.wait(10 * time.Second)
				ctx, giveUp := context.WithCancel(s.Context())
				defer giveUp()
				at := time.Now()
				send := func(ctx context.Context) <-chan int {
					answer := make(chan int, 1)
					go func() {
						status, _ := serveHook(l, hookRequest(hookID, at).WithContext(ctx))
						answer <- status
					}()
					s.wait(time.Second)
					return answer
				}
				link.Freeze()
				first, second := send(ctx), send(s.Context())
				if len(first)+len(second) != 0 {
					s.Fatal("answered while Redis was silent")
				}
				if c.givenUp {
					giveUp()
					s.wait(0)
				}
				link.Thaw()
				if a, b := <-first, <-second; a != c.want || b != http.StatusOK {
					s.Errorf("answered %d and %d", a, b)
				}
				now := s.stats(l).Webhooks
				if failed := now.Failed == 1; failed != c.givenUp || now.Failed+now.Accepted+now.Replayed != 2 {
					s.Errorf("counted %+v", now)
				}
			})
		})
	}
}
