package model

import (
	"os"
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

// A random search finds a violation for each rule, too. With STEPS it also searches for those that
// take long.
func TestModelSearchFindsViolations(t *testing.T) {
	limit, most := stepsWanted(t, 5_000_000), quick
	if os.Getenv("STEPS") != "" {
		most = slow
	}
	for _, c := range caught {
		if c.effort > most {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			events, violated, n := search(draws(c.faults), c.without, c.breaks, limit)
			if violated == nil {
				t.Fatalf("not within %d steps", limit)
			}
			events, violated = shrink(events, c.without)
			t.Logf("%v after %d steps\n%s", violated, n, text(events))
		})
	}
}

// draws returns what a search draws: events of all the classes of faults, but of AllFaults of some.
func draws(faults Classes) *rapid.Generator[[]Event] {
	if faults == AllFaults {
		return trace(faults, runLength)
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
