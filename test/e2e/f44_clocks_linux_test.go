package e2e

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/test/harness"
)

// movable is an environment whose Redis has a clock that can be set.
type movable struct {
	*harness.Environment
	clock *redistest.Clock
}

// Redis's clock is set back and ahead while an edge of the CDN lags, Redis comes back from an old
// copy, and a follower that may ask the CDN itself is cut off with newer content.
func TestF44_ClocksOfRedisThatMove(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T) *movable {
		clock := redistest.NewClock(t)
		server := (&redistest.Guard{Clock: clock}).Start(t)
		env := harness.NewPlain(t, server, harness.RealProfile())
		env.Audit.Skewed = true
		return &movable{env, clock}
	}
	harness.InLanes(t, start, func(env *movable) {
		env.UseProcesses()
		steps := []time.Duration{-time.Hour, time.Hour, 2 * time.Second, time.Hour, -2 * time.Second, -time.Hour}
		mixed(env.Environment, 2, func(round int) { env.clock.Step(env.T, steps[round%len(steps)]) })
	})
}
