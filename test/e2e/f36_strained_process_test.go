package e2e

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/program"
	"github.com/catbridge/catbridge/test/harness"
)

// eventLeading is in the log of a leader when a term begins.
const eventLeading = 6100

// On one processor, with constant garbage collection and the race detector, the leader
// keeps its lock.
func TestF36_BusyProcessKeepsItsLock(t *testing.T) {
	program.RequireRaceDetector(t)
	harness.OnProcessesOf(t, program.Racing, func(f *harness.Fleet) {
		strain := []string{"GOMAXPROCS=1", "GOGC=1"}
		all := []*harness.Process{f.Launch(strain...)}
		f.AwaitHolder(all[0])
		all = append(all, f.Launch(strain...))
		f.Join(2, 20)
		for range f.Rounds(1) {
			for end := time.Now().Add(2 * f.Leader.LeaseDuration); time.Now().Before(end); {
				changed, bound := time.Now(), f.PollBound()
				f.AwaitVersion(f.CDN.SetMinBytes(f.Random.IntN(200<<10)), bound)
				f.Recovered(changed, bound)
			}
			if n := all[0].CountEvents(eventLeading) + all[1].CountEvents(eventLeading); n != 1 {
				f.Errorf("%d terms", n)
			}
		}
		f.Settle()
	})
}
