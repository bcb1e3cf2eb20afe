package test

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// movable is an environment whose Redis has a clock that can be set.
type movable struct {
	*environment
	clock *redistest.Clock
}

// Redis's clock is set back and ahead while an edge of the CDN lags, Redis comes back from an old
// copy, and a follower that may ask the CDN itself is cut off with newer content.
func TestF44_ClocksOfRedisThatMove(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T) *movable {
		clock := redistest.NewClock(t)
		server := (&redistest.Guard{Clock: clock}).Start(t)
		env := onPlain(t, server, realProfile())
		env.audit.skewed = true
		return &movable{env, clock}
	}
	inLanes(t, start, func(env *movable) {
		env.processes()
		steps := []time.Duration{-time.Hour, time.Hour, 2 * time.Second, time.Hour, -2 * time.Second, -time.Hour}
		env.mixed(2, func(round int) { env.clock.Step(env.T, steps[round%len(steps)]) })
	})
}
