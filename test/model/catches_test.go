package model

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Without each rule, its trace breaks an invariant; with it, the same trace does not.
func TestModelNeedsEachRule(t *testing.T) {
	for _, c := range caught {
		t.Run(c.name, func(t *testing.T) {
			if violated, _ := Run(c.trace, 0); violated != nil {
				t.Errorf("with the rule: %v", violated)
			}
			switch violated, _ := Run(c.trace, c.without); {
			case violated == nil:
				t.Error("without the rule: no violation")
			case violated.Invariant != c.breaks:
				t.Errorf("breaks %v, want %s", violated, c.breaks)
			}
		})
	}
}

// A random search finds a violation for each rule, too, within a number of steps that is several
// times what the slowest takes. STEPS says otherwise.
func TestModelSearchFindsViolations(t *testing.T) {
	limit := stepsWanted(t, 5_000_000)
	for _, c := range caught {
		t.Run(c.name, func(t *testing.T) {
			if c.faults == unsearched {
				t.Skip("its events must come in one order, which no search of this length meets")
			}
			events, violated, n := search(draws(c.faults, c.trace), c.without, c.breaks, limit)
			if violated == nil {
				t.Fatalf("not within %d steps", limit)
			}
			events, violated = shrink(events, c.without)
			t.Logf("%v after %d steps\n%s", violated, n, text(events))
		})
	}
}

// rare stands for the classes of faults of a trace to which they hardly ever lead. The search draws
// short runs of the trace's own events, in any order, half of them with another argument.
const rare Classes = 0

// unsearched stands for those of a trace that no search finds: only TestModelNeedsEachRule has it.
const unsearched = AllFaults + 1

// draws returns what a search draws: events of all the classes of faults, but of AllFaults of some.
func draws(faults Classes, found []Event) *rapid.Generator[[]Event] {
	switch faults {
	case AllFaults:
		return trace(faults, runLength)
	case rare:
		one := rapid.Custom(func(t *rapid.T) Event {
			e := rapid.SampledFrom(found).Draw(t, "event")
			if rapid.Bool().Draw(t, "other") {
				e.Arg = rapid.Byte().Draw(t, "arg")
			}
			return e
		})
		return rapid.SliceOfN(one, 5*len(found), 5*len(found))
	}
	return rapid.SliceOfN(event(KindsOf(faults)), runLength, runLength)
}

// search draws traces until one breaks the invariant.
func search(one *rapid.Generator[[]Event], without Guard, breaks string, limit int) ([]Event, *Violation, int) {
	n := 0
	for seed := 0; n < limit; seed++ {
		events := one.Example(seed)
		violated, took := Run(events, without)
		if n += took; violated != nil && violated.Invariant == breaks {
			return slices.Clone(events), violated, n
		}
	}
	return nil, nil, n
}
