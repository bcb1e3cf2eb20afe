package bench_test

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/test/bench"
)

// Times cannot be tested; this test runs every measurement with the smallest numbers.
func TestEveryMeasurementYieldsFigures(t *testing.T) {
	for suite, run := range map[string]func(m *measurement){
		"propagation": func(m *measurement) {
			(&race{measurement: m, followers: 2, bytes: 1 << 10, rounds: 1}).run()
		},
		"patches": func(m *measurement) {
			(&fleetCase{measurement: m, followers: 4, processes: 2, bytes: 100 << 10, edit: bench.TenFlags, patches: true, rounds: 1}).run()
		},
		"missed":    func(m *measurement) { missed(m, 100<<10, 1, true) },
		"unpatched": func(m *measurement) { missed(m, 100<<10, 1, false) },
		"steps":     func(m *measurement) { steps(m, 100<<10, 1) },
		"keys":      func(m *measurement) { (&keysCase{m, 3, 1 << 10, time.Second, 100 * time.Millisecond}).run() },
		"unchanged": func(m *measurement) { unchangedPoll(m, 1<<10, 1) },
		"requests":  func(m *measurement) { requests(m, 2, time.Second, 1) },
		"sharing":   func(m *measurement) { sharing(m, 3, 1<<10) },
		"ready":     func(m *measurement) { ready(m, 10<<10, 1) },
		"memory":    func(m *measurement) { memory(m, 10<<10, 3) },
		"idle":      func(m *measurement) { idle(m, 2, 100*time.Millisecond) },
		"changes":   func(m *measurement) { changes(m, 10<<10, 100, 200*time.Millisecond) },
		"storm":     func(m *measurement) { storm(m, 3, "TLS") },
		"compile":   func(m *measurement) { compiling(m, 10<<10, 1) },
	} {
		t.Run(suite, func(t *testing.T) {
			t.Parallel()
			smoke(t, suite, run)
		})
	}
	// These change a shared setting, or count the work of all.
	t.Run("swap", func(t *testing.T) {
		smoke(t, "swap", func(m *measurement) { swap(m, 2, 100, 50*time.Millisecond) })
	})
	t.Run("evaluation", func(t *testing.T) {
		smoke(t, "evaluation", func(m *measurement) { evaluation(m, time.Millisecond) })
	})
}

func smoke(t *testing.T, suite string, run func(m *measurement)) {
	run(&measurement{TB: t, suite: "smoke " + suite})
	cases := results.Cases("smoke " + suite)
	if len(cases) == 0 {
		t.Error("nothing was measured")
	}
}
