package model

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// trace draws a run: some classes of faults, and events of them.
func trace(classes Classes, length int) *rapid.Generator[[]Event] {
	return rapid.Custom(func(t *rapid.T) []Event {
		kinds := KindsOf(classes & drawClasses(t))
		one := event(kinds)
		events := make([]Event, length)
		for i := range events {
			events[i] = one.Draw(t, "event")
		}
		return events
	})
}

// drawClasses draws each class with the same probability. rapid prefers small numbers, with
// which the last classes would rarely occur.
func drawClasses(t *rapid.T) Classes {
	return Classes(rapid.Uint64().Draw(t, "classes") * 0x9e3779b97f4a7c15 >> 40)
}

func event(kinds []Kind) *rapid.Generator[Event] {
	return rapid.Custom(func(t *rapid.T) Event {
		// rapid prefers small numbers; here all are equally likely.
		n := rapid.Uint64().Draw(t, "event") * 0x9e3779b97f4a7c15
		return Event{Kind: kinds[int(n>>40)%len(kinds)], Who: uint8(n >> 32 % processes), Arg: uint8(n >> 24)}
	})
}

// text formats a trace as Go source.
func text(events []Event) string {
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "{%v, %d, %d}, ", e.Kind, e.Who, e.Arg)
	}
	return b.String()
}

// shrink removes and simplifies events while the same invariant is violated.
func shrink(events []Event, without Guard) ([]Event, *Violation) {
	violated, n := Run(events, without)
	events = events[:n]
	for size := len(events); size > 0; size /= 2 {
		for at := 0; at+size <= len(events); {
			less := append(append([]Event(nil), events[:at]...), events[at+size:]...)
			if v, n := Run(less, without); v != nil && v.Invariant == violated.Invariant {
				violated, events = v, less[:n]
				continue
			}
			at += size
		}
	}
	for i := range events {
		for _, arg := range []uint8{0, 1, 2, 3} {
			simpler := append([]Event(nil), events...)
			simpler[i].Arg = arg
			if v, n := Run(simpler, without); v != nil && v.Invariant == violated.Invariant && n == len(events) {
				violated, events = v, simpler
				break
			}
		}
	}
	return events, violated
}

// runLength is the number of events in a run.
const runLength = 150

// stepsWanted returns the total number of events: STEPS if it is set.
func stepsWanted(t *testing.T, otherwise int) int {
	text := os.Getenv("STEPS")
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(strings.ReplaceAll(text, "_", ""))
	if err != nil || n < 1 {
		t.Fatalf("STEPS=%q: want a positive number", text)
	}
	return n
}

// I1, I2, I3, I4, I9, I10 and I14 hold after each event, and I8 once faults stop.
func TestModel(t *testing.T) {
	_ = flag.Set("rapid.checks", strconv.Itoa(max(1, stepsWanted(t, 400_000)/runLength)))
	_ = flag.Set("rapid.steps", strconv.Itoa(runLength))
	_ = flag.Set("rapid.nofailfile", "true") // the trace is enough
	if os.Getenv("STEPS") == "" && flag.Lookup("rapid.seed").Value.String() == "0" {
		_ = flag.Set("rapid.seed", "1") // a run of the tests is repeatable; searches for more have STEPS
	}
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		sys := New(0)
		defer sys.Close()
		one := event(KindsOf(AllFaults & drawClasses(t)))
		var events []Event
		t.Repeat(map[string]func(*rapid.T){
			"event": func(t *rapid.T) {
				e := one.Draw(t, "event")
				events = append(events, e)
				sys.Do(e)
				n++
			},
			"": func(t *rapid.T) {
				if sys.violated != nil {
					t.Fatalf("%v\n%s", sys.violated, text(events))
				}
			},
		})
		sys.converge()
		if sys.violated != nil {
			t.Fatalf("%v\n%s", sys.violated, text(events))
		}
	})
	t.Logf("%d steps", n)
}
