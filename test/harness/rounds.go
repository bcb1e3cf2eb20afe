package harness

import (
	"hash/fnv"
	"iter"
	"math/rand/v2"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// perHundred is the number of rounds of a row when the most frequent rows run 100: fewer
// where Redis itself must fail over, or where a round takes long.
var perHundred = map[string]int{
	"F01": 100, "F02": 100, "F09": 100, "F12": 100, "F14": 100, "F16": 100,
	"F10": 2, "F11": 10, "F13": 5, "F15": 2, "F26": 3, "F31": 3, "F33": 10, "F36": 3,
	"F39": 5,
}

const (
	usualRounds = 20
	laneRounds  = 10 // in one environment; more rounds run in more environments
)

var rowName = regexp.MustCompile(`^Test(F\d\d)_`)

// rowOf returns the row that a test belongs to; empty: none.
func rowOf(t *testing.T) string {
	if m := rowName.FindStringSubmatch(t.Name()); m != nil {
		return m[1]
	}
	return ""
}

// InLanes runs in one environment, or, for many rounds, in as many environments as
// necessary, some of them at once. Each environment knows its number of rounds; 0: the few
// of make test.
func InLanes[W interface{ base() *Environment }](t *testing.T, start func(t *testing.T) W, run func(env W)) {
	t.Helper()
	Real(t)
	row := rowOf(t)
	if row == "" || !ManyRounds() {
		run(start(t))
		return
	}
	share, ok := perHundred[row]
	if !ok {
		share = usualRounds
	}
	total := max(1, settings.rounds*share/100)
	left := total
	for lane := 1; left > 0; lane++ {
		rounds := min(left, laneRounds)
		left -= rounds
		t.Run("lane "+strconv.Itoa(lane), func(t *testing.T) {
			t.Parallel()
			for rounds > 0 && !t.Failed() {
				t.Run("environment", func(t *testing.T) {
					env := start(t)
					env.base().left = rounds
					run(env)
					rounds -= env.base().roundsDone()
					env.base().account.progress(total)
				})
			}
		})
	}
}

func (env *Environment) base() *Environment { return env }

// Rounds yields each round of this environment: few of them, one with -short, or as many as are
// requested. A test that does not call it has one round.
func (env *Environment) Rounds(few int) iter.Seq[int] {
	n := few
	switch {
	case env.left > 0:
		n = env.left
	case testing.Short():
		n = 1
	}
	return func(yield func(int) bool) {
		for i := range n {
			if env.Failed() || !yield(i) {
				return
			}
			env.done++
			env.account.round()
		}
	}
}

// roundsDone returns the number of rounds that this environment has run.
func (env *Environment) roundsDone() int {
	if env.done == 0 {
		env.done++
		env.account.round()
	}
	return env.done
}

// chance returns the random numbers of an environment, which are the same for the same
// seed.
func chance(t *testing.T) *rand.Rand {
	name := fnv.New64a()
	_, _ = name.Write([]byte(t.Name()))
	return rand.New(rand.NewPCG(settings.seed, name.Sum64()))
}

// RandomBelow returns a random duration below d.
func (env *Environment) RandomBelow(d time.Duration) time.Duration {
	return time.Duration(env.Random.Int64N(int64(d)))
}

// Recovered records that the effect of a fault since the given moment is over. The bound is
// that of the row: many rounds must keep it, few have the slack of a busy machine.
func (env *Environment) Recovered(since time.Time, bound time.Duration) {
	env.Helper()
	env.RecoveredAfter(time.Since(since), bound)
}

// RecoveredAfter is like [Environment.Recovered], after a duration that was measured otherwise.
func (env *Environment) RecoveredAfter(took, bound time.Duration) {
	env.Helper()
	env.judge(env.account, took, bound)
}

// Part is a later effect of a fault, which has its own bound and its own row in the report.
type Part struct {
	*Environment
	name string
}

// Part returns a later effect of the fault.
func (env *Environment) Part(name string) Part { return Part{env, name} }

// Recovered is [Environment.Recovered] of this part.
func (p Part) Recovered(since time.Time, bound time.Duration) {
	p.Helper()
	a := accountNamed(p.account.name+", "+p.name, p.Leader.LeaseDuration)
	a.round()
	p.judge(a, time.Since(since), bound)
}

func (env *Environment) judge(a *account, took, bound time.Duration) {
	env.Helper()
	a.recovered(took, bound)
	if env.left == 0 {
		bound += env.Slack
	}
	if took > bound {
		env.Errorf("%s: recovered after %v, want at most %v", a.name, took.Round(time.Millisecond), bound)
	}
}
