package model

import (
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// runControl executes events, ends all faults, and returns the first violation.
func runControl(events []ControlEvent, without controlGuard) *Violation {
	sys := newControlSystem(without)
	for _, e := range events {
		if sys.Do(e); sys.violated != nil {
			return sys.violated
		}
	}
	if sys.floor != nil && sys.now > sys.floor.until {
		sys.floor = nil
	}
	sys.converge()
	return sys.violated
}

var controlWeights = map[ControlKind]int{TryLock: 5, RenewLock: 5, AskCDN: 3, Proceed: 10, Operate: 3, Withdraw: 2, Pass: 3}

func drawControl() *rapid.Generator[[]ControlEvent] {
	var kinds []ControlKind
	for kind := range controlKinds {
		for range max(1, controlWeights[kind]) {
			kinds = append(kinds, kind)
		}
	}
	one := rapid.Custom(func(t *rapid.T) ControlEvent {
		n := rapid.Uint64().Draw(t, "event") * 0x9e3779b97f4a7c15 // rapid prefers small numbers
		return ControlEvent{kinds[int(n>>40)%len(kinds)], uint8(n >> 32 % processes), uint8(n >> 24)}
	})
	return rapid.SliceOfN(one, 40, 40)
}

func controlText(events []ControlEvent) string {
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "{%d, %d, %d}, ", e.Kind, e.Who, e.Arg)
	}
	return b.String()
}

// What is current follows the latest control, a replaced one does not come back, and what a living leader
// acted on is in force again after a loss.
func TestControlModel(t *testing.T) {
	_ = flag.Set("rapid.checks", strconv.Itoa(max(1, stepsWanted(t, 400_000)/40)))
	_ = flag.Set("rapid.nofailfile", "true")
	rapid.Check(t, func(t *rapid.T) {
		events := drawControl().Draw(t, "events")
		if violated := runControl(events, 0); violated != nil {
			t.Fatalf("%v\n%s", violated, controlText(events))
		}
	})
}

// Without each rule, a search finds a run that breaks an invariant, and that breaks none with the rule.
func TestControlModelNeedsEachRule(t *testing.T) {
	for _, c := range []struct {
		name    string
		without controlGuard
		breaks  string
		trace   []ControlEvent // nil: a search finds one
	}{
		{"a commit does not compare seq", seqCompared, "latest", nil},
		{"a control that somebody else wrote is overwritten", expectedCompared, "overwritten", nil},
		{"a seq is used twice", seqIsTime, "one seq", nil},
		{"a restored control gets a new seq", repairKeepsSeq, "restored", nil},
		{"nobody restores", leaderRestores | candidateRestores, "restored", nil},
		{"the leader does not restore", leaderRestores, "restored", nil},
		{"a candidate does not restore", candidateRestores, "restored", nil},
		{"a candidate restores what it saw long ago", restoresLately, "withdrawn", []ControlEvent{
			{Operate, 0, 0}, {TryLock, 0, 0}, {TryLock, 1, 0}, {Operate, 0, 0}, {RenewLock, 0, 0}, {AskCDN, 0, 0}, {Proceed, 0, 0}, {Pass, 0, 2},
			{RenewLock, 0, 0}, {Pass, 0, 2}, {RenewLock, 0, 0}, {Pass, 0, 2}, {RenewLock, 0, 0}, {Pass, 0, 2}, {RenewLock, 0, 0}, {LoseControl, 0, 0}, {TryLock, 1, 0}, {Kill, 0, 0},
			{Proceed, 1, 0}, {Pass, 0, 3}, {TryLock, 2, 0},
		}},
		{"a process that was cut off restores", forgets, "withdrawn", []ControlEvent{
			{TryLock, 0, 0}, {Operate, 0, 0}, {RenewLock, 0, 0}, {Pass, 0, 3}, {TryLock, 1, 0}, {Operate, 0, 0}, {RenewLock, 1, 0}, {AskCDN, 1, 0},
			{Proceed, 1, 0}, {Pass, 0, 4}, {LoseControl, 0, 0}, {Kill, 1, 0}, {TryLock, 0, 0},
		}},
		{"a control never ends", endIsWritten, "quiet", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			events := c.trace
			breaks := func(events []ControlEvent) bool {
				v := runControl(events, c.without)
				return v != nil && v.Invariant == c.breaks
			}
			for seed := 0; c.trace == nil && seed < 20_000; seed++ {
				if events = drawControl().Example(seed); breaks(events) {
					break
				}
			}
			if !breaks(events) {
				t.Fatal("without the rule: no violation")
			}
			for at := 0; c.trace == nil && at < len(events); {
				if less := slices.Delete(slices.Clone(events), at, at+1); breaks(less) {
					events = less
				} else {
					at++
				}
			}
			if violated := runControl(events, 0); violated != nil {
				t.Errorf("with the rule: %v", violated)
			}
			t.Logf("%s", controlText(events))
		})
	}
}
