package model

import (
	"slices"
	"testing"
)

// Each rule of the protocol is there for something: without it an invariant breaks. So the
// model can fail, and what it does not find is not there to be found, within its limits.
func TestModelCatches(t *testing.T) {
	for _, c := range []struct {
		name    string
		without Guard
		breaks  []string
		faults  Classes // that it takes
	}{
		{"a commit that is not fenced", FencedCommit, []string{"I2"}, AllFaults},
		{"a touch that is not fenced", FencedTouch, []string{"I2"}, AllFaults},
		{"a lock that outlasts its clock", LockEnds, []string{"I8"}, ProcessFaults | ClockSteps},
		{"a commit that does not look at the base", Base, []string{"I1"}, ProcessFaults | ExchangeFaults},
		{"a rev that is the time and may fall", RevRises, []string{"I1", "I9"}, AllFaults},
		{"a fetch time below that of the entry", EntryFloor, []string{"I9"}, AllFaults},
		{"an entry of an SDK written over unseen", AskBeforeHealing, []string{"I1"}, AllFaults},
		{"healing that moves rev to the present", HealingStaysBehind, []string{"I1", "I14"}, AllFaults},
		{"healing that claims an answer", HealingTellsNothing, []string{"I14"}, AllFaults},
		{"an answer about what is pending told of what is current", PendingTellsNothing, []string{"I14"}, AllFaults},
		{"a message of its own script", OneScript, []string{"I3"}, AllFaults},
		{"a touch that does not look at what it renews", TouchChecks, []string{"I8", "I3", "I9"}, AllFaults},
		{"an edge that lags and is believed", DoubtReplaced, []string{"I1"}, LaggingEdges},
		{"a memory of what was replaced that goes with Redis's", RememberReplaced, []string{"I1"}, LaggingEdges | DataLoss | Failovers},
		{"an old memory that seeds Redis", ReseedCurrentOnly, []string{"I1"}, AllFaults},
		{"an SDK's later entry overwritten from memory", SpareFetchedLater, []string{"I1"}, AllFaults},
		{"content that is not compared with its hash", HashChecked, []string{"I4"}, DataLoss | MessageFaults},
		{"a blob that meta does not name", MetaNamesContent, []string{"I1", "I3"}, AllFaults},
		{"a follower that takes any rev", NeverLower, []string{"I1"}, MessageFaults},
		{"no rule 6", RuleSix, []string{"I8"}, AllFaults},
		{"rule 6 without an answer of the CDN", RuleSixAnswer, []string{"I1"}, AllFaults},
		{"an answer that confirms other content", AnswerIsAboutHeld, []string{"I14"}, AllFaults},
		{"nothing that makes up for a lost message", Heartbeats | ReadOnConnect | ReadMetaAgain, []string{"I8"}, MessageFaults},
	} {
		t.Run(c.name, func(t *testing.T) {
			const limit = 8_000_000
			steps := 0
			one := trace(c.faults, 150)
			for seed := 0; steps < limit; seed++ {
				violated, n := Run(one.Example(seed), c.without)
				steps += n
				if violated == nil {
					continue
				}
				events, violated := shrink(one.Example(seed), c.without)
				if !slices.Contains(c.breaks, violated.Invariant) {
					t.Errorf("breaks %v, want %v", violated, c.breaks)
				}
				t.Logf("%v after %d steps\n%s", violated, steps, text(events))
				return
			}
			t.Errorf("not noticed in %d steps", steps)
		})
	}
}
