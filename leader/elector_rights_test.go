package leader

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// slowRights makes each check of rights take a second, and counts the checks.
type slowRights struct {
	trips
	all, inFlight, most atomic.Int64
}

func (r *slowRights) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Args()[1] == rightsSource {
			r.all.Add(1)
			r.most.Store(max(r.most.Load(), r.inFlight.Add(1)))
			defer r.inFlight.Add(-1)
			time.Sleep(time.Second) // ignores ctx
		}
		return next(ctx, cmd)
	}
}

func TestRightsOfFewSDKKeysAreCheckedAtATime(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		const keys = 100
		client, checks := s.server.Client(s.T, nil), new(slowRights)
		client.AddHook(checks)
		l, _ := s.startManyOn(client, keys)
		s.wait(time.Minute)
		if most := checks.most.Load(); most != rightsAtOnce {
			t.Errorf("%d at once", most)
		}
		// SDK keys that were checked before their term started are checked again.
		if all := checks.all.Load(); all < keys || all > keys+2*rightsAtOnce {
			t.Errorf("%d checks", all)
		}
		for _, k := range l.Stats().Keys {
			if k.State != Steady || k.Terms != 1 || k.Renewals < 12 {
				t.Fatalf("it waited for the checks: %+v", k)
			}
		}
	})
}

func TestAShutdownDoesNotWaitForChecksOfRights(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		client, checks := s.server.Client(s.T, nil), new(slowRights)
		client.AddHook(checks)
		_, stop := s.startManyOn(client, 100)
		s.wait(time.Second / 2)
		stop()
		// An SDK key that was checked may notice its term before the shutdown, and be checked again.
		if all := checks.all.Load(); all > 2*rightsAtOnce {
			t.Errorf("%d checks", all)
		}
	})
}
