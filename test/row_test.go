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

// A test whose name begins with TestF and a number is a row of docs/faults.md. It plays
// a few rounds of its fault, and with -rounds many, in several worlds at once, which
// make faults reports.
var (
	manyRounds = flag.Int("rounds", 0, "rounds of the faults that are tried most, fewer of the others; 0: a few of each")
	seed       = flag.Uint64("seed", 1, "what chance begins with")
	reportFile = flag.String("report", "", "`path` of the report of many rounds")
)

// perHundred is how many rounds a row plays where those that are tried most play 100:
// fewer where Redis itself must fail over, or where a round takes long.
var perHundred = map[string]int{
	"F01": 100, "F02": 100, "F09": 100, "F12": 100, "F14": 100, "F16": 100,
	"F10": 2, "F11": 10, "F13": 5, "F15": 2, "F26": 3, "F31": 3, "F33": 10, "F36": 3,
}

// roundTrip stands for one in the bounds, with what a busy machine adds.
const roundTrip = 250 * time.Millisecond

const (
	usualRounds = 20
	laneRounds  = 10 // of one world; more rounds are played in further worlds
)

var rowName = regexp.MustCompile(`^Test(F\d\d)_`)

// rowOf is the row that a test is; empty: none.
func rowOf(t *testing.T) string {
	if m := rowName.FindStringSubmatch(t.Name()); m != nil {
		return m[1]
	}
	return ""
}

// inLanes plays in one world, or, where many rounds are asked for, in as many worlds as
// it takes, some of them at once. Each is told how many rounds are left to play; 0: the
// few of make test.
func inLanes[W interface{ base() *world }](t *testing.T, start func(t *testing.T) W, play func(w W)) {
	t.Helper()
	row := rowOf(t)
	if row == "" || *manyRounds == 0 {
		play(start(t))
		return
	}
	share, ok := perHundred[row]
	if !ok {
		share = usualRounds
	}
	total := max(1, *manyRounds*share/100)
	left := total
	for lane := 1; left > 0; lane++ {
		rounds := min(left, laneRounds)
		left -= rounds
		t.Run("lane "+strconv.Itoa(lane), func(t *testing.T) {
			t.Parallel()
			for rounds > 0 && !t.Failed() {
				t.Run("world", func(t *testing.T) {
					w := start(t)
					w.base().left = rounds
					play(w)
					rounds -= w.base().played()
					w.base().account.tell(total)
				})
			}
		})
	}
}

func (w *world) base() *world { return w }

// rounds gives each round of this world: few, or as many as are asked for. A test
// without it is one round.
func (w *world) rounds(few int) iter.Seq[int] {
	n := few
	if w.left > 0 {
		n = w.left
	}
	return func(yield func(int) bool) {
		for i := range n {
			if w.Failed() || !yield(i) {
				return
			}
			w.done++
			w.account.round()
		}
	}
}

// played tells how many rounds this world has played.
func (w *world) played() int {
	if w.done == 0 {
		w.done++
		w.account.round()
	}
	return w.done
}

// chance gives a world its own numbers, the same ones for the same seed.
func chance(t *testing.T) *rand.Rand {
	name := fnv.New64a()
	_, _ = name.Write([]byte(t.Name()))
	return rand.New(rand.NewPCG(*seed, name.Sum64()))
}

// upTo is a random duration below d.
func (w *world) upTo(d time.Duration) time.Duration { return time.Duration(w.random.Int64N(int64(d))) }

// recovered says that what a fault did at that moment is over now. The bound is that of
// the row: many rounds must keep it, a few have the slack of a busy machine.
func (w *world) recovered(since time.Time, bound time.Duration) {
	w.Helper()
	w.recoveredAfter(time.Since(since), bound)
}

func (w *world) recoveredAfter(took, bound time.Duration) {
	w.Helper()
	w.judge(w.account, took, bound)
}

// part is a later part of what a fault does, which has a bound and a row of its own in
// the report.
type part struct {
	*world
	name string
}

func (w *world) part(name string) part { return part{w, name} }

// recovered is [world.recovered] of this part.
func (p part) recovered(since time.Time, bound time.Duration) {
	p.Helper()
	a := accountNamed(p.account.name+", "+p.name, p.leader.LeaseDuration)
	a.round()
	p.judge(a, time.Since(since), bound)
}

func (w *world) judge(a *account, took, bound time.Duration) {
	w.Helper()
	a.recovered(took, bound)
	if w.left == 0 {
		bound += w.slack
	}
	if took > bound {
		w.Errorf("%s: recovered after %v, want at most %v", a.name, took.Round(time.Millisecond), bound)
	}
}
