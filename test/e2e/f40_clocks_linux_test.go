package e2e

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/test/harness"
)

// F40: Redis's clock is set back by an hour while a flag is forced: it stays so, can be withdrawn, and does not
// return. Then the clock goes ahead beyond the end of another force.
func TestF40_ClockOfRedisThatMoves(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T) *movable {
		clock := redistest.NewClock(t)
		env := harness.NewPlain(t, (&redistest.Guard{Clock: clock}).Start(t), harness.RealProfile())
		env.Audit.Skewed = true
		return &movable{env, clock}
	}
	harness.InLanes(t, start, func(env *movable) {
		leader := env.Lead("leader")
		env.AwaitElected(leader)
		env.FollowN(2)
		env.AwaitVersion(env.CDN.Version(), env.PollBound())
		env.Oversee()
		for range env.Rounds(1) {
			config := env.CDN.Config()
			served := harness.ShownOf(config)
			forced := harness.Shown{Version: served.Version, Odd: !served.Odd}
			order(env.Environment, forcedOdd(forced.Odd, time.Minute), forced)
			env.clock.Step(env.T, -time.Hour)
			env.Pass(2 * env.Leader.RenewInterval)
			env.RequireShown(forced)
			order(env.Environment, unforced, served)
			env.Pass(2 * env.Leader.RenewInterval)
			requireTheCDNs(env.Environment, config)

			order(env.Environment, forcedOdd(forced.Odd, time.Minute), forced)
			env.Allow(served)
			env.clock.Step(env.T, time.Hour)
			env.AwaitShown(served, env.TakeoverBound()+env.PollBound())
			requireTheCDNs(env.Environment, config)
			env.Settle()
		}
	})
}
