package model

import (
	"slices"
	"testing"
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

// A random search of moderate length finds a violation for each rule, too.
func TestModelSearchFindsViolations(t *testing.T) {
	limit := stepsWanted(t, 60_000)
	for _, c := range caught {
		t.Run(c.name, func(t *testing.T) {
			events, violated, n := search(c.faults, c.without, c.breaks, limit)
			if violated == nil {
				t.Skipf("not within %d steps: make model STEPS=… takes more", limit)
			}
			events, violated = shrink(events, c.without)
			t.Logf("%v after %d steps\n%s", violated, n, text(events))
		})
	}
}

// search draws traces until one breaks the invariant, or until limit steps.
func search(faults Classes, without Guard, breaks string, limit int) ([]Event, *Violation, int) {
	one := trace(faults, runLength)
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
