package test

import (
	"flag"
	"hash/fnv"
	"iter"
	"math/rand/v2"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// settings are the flags of the tests, which [Main] defines. A test whose name begins with
// TestF and a number belongs to a row of docs/faults.md. It runs a few rounds of its fault,
// or, with -rounds, many in several environments at once, on which make faults reports.
var settings struct {
	rounds int
	seed   uint64
	report string
}

func defineFlags() {
	flag.IntVar(&settings.rounds, "rounds", 0, "number of rounds of the most frequent faults, fewer of the others; 0: a few of each")
	flag.Uint64Var(&settings.seed, "seed", 1, "seed of the random numbers")
	flag.StringVar(&settings.report, "report", "", "`path` of the report")
}

// manyRounds reports whether each fault has many rounds.
func manyRounds() bool { return settings.rounds > 0 }

// reportSeed returns the seed of the random numbers.
func reportSeed() uint64 { return settings.seed }

// reportPath returns the path of the report; empty: none.
func reportPath() string { return settings.report }

// perHundred is the number of rounds of a row when the most frequent rows run 100: fewer
// where Redis itself must fail over, or where a round takes long.
var perHundred = map[string]int{
	"F01": 100, "F02": 100, "F09": 100, "F12": 100, "F14": 100, "F16": 100,
	"F10": 2, "F11": 10, "F13": 5, "F15": 2, "F26": 3, "F31": 3, "F33": 10, "F36": 3,
}

// roundTrip is the bound for one round trip, on a busy machine.
const roundTrip = 250 * time.Millisecond

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

// inLanes runs in one environment, or, for many rounds, in as many environments as
// necessary, some of them at once. Each environment knows its number of rounds; 0: the few
// of make test.
func inLanes[W interface{ base() *environment }](t *testing.T, start func(t *testing.T) W, run func(env W)) {
	t.Helper()
	row := rowOf(t)
	if row == "" || !manyRounds() {
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

func (env *environment) base() *environment { return env }

// rounds yields each round of this environment: few of them, or as many as are requested. A
// test that does not call it has one round.
func (env *environment) rounds(few int) iter.Seq[int] {
	n := few
	if env.left > 0 {
		n = env.left
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
func (env *environment) roundsDone() int {
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

// upTo returns a random duration below d.
func (env *environment) upTo(d time.Duration) time.Duration {
	return time.Duration(env.random.Int64N(int64(d)))
}

// recovered records that the effect of a fault since the given moment is over. The bound is
// that of the row: many rounds must keep it, few have the slack of a busy machine.
func (env *environment) recovered(since time.Time, bound time.Duration) {
	env.Helper()
	env.recoveredAfter(time.Since(since), bound)
}

func (env *environment) recoveredAfter(took, bound time.Duration) {
	env.Helper()
	env.judge(env.account, took, bound)
}

// part is a later effect of a fault, which has its own bound and its own row in the report.
type part struct {
	*environment
	name string
}

func (env *environment) part(name string) part { return part{env, name} }

// recovered is [environment.recovered] of this part.
func (p part) recovered(since time.Time, bound time.Duration) {
	p.Helper()
	a := accountNamed(p.account.name+", "+p.name, p.leader.LeaseDuration)
	a.round()
	p.judge(a, time.Since(since), bound)
}

func (env *environment) judge(a *account, took, bound time.Duration) {
	env.Helper()
	a.recovered(took, bound)
	if env.left == 0 {
		bound += env.slack
	}
	if took > bound {
		env.Errorf("%s: recovered after %v, want at most %v", a.name, took.Round(time.Millisecond), bound)
	}
}
