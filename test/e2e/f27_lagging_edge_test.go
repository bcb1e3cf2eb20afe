package e2e

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/test/harness"
)

// An edge of the CDN lags behind and serves the previous content. The leader asks again and
// does not publish it.
func TestF27_LaggingEdgeDoesNotBringOldContentBack(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		first, _ := env.StartAll(2)
		for range env.Rounds(3) {
			old := env.CDN.Config()
			env.AwaitVersion(env.CDN.Publish(), env.PollBound())
			suspect, asked, start := first.Stats().Suspect, len(env.CDN.Requests()), time.Now()
			env.CDN.Break(fakecdn.Times(1, fakecdn.Stale(old)))
			env.Eventually(env.PollBound(), "the old content is suspect", func() bool { return first.Stats().Suspect > suspect })
			env.Pass(2 * time.Second)
			n := len(env.CDN.Requests()) - asked
			due := int(time.Since(start)/env.Leader.PollInterval) + 1 // one request may have been under way
			if env.Virtual && n != 2 || n < 2 || n > due+1 {
				env.Errorf("%d requests, want that of the poll and one more", n)
			}
			env.Audit.Check(env.T)
			env.CDN.Repair()
		}
		env.Settle()
	})
}

// Two edges that disagree for long answer in turn. Each change between them costs at most
// one more fetch, and no content goes back.
func TestF27_AlternatingEdgesCostOneFetchAFlip(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		env.Leader.PollInterval = min(env.Leader.PollInterval, 5*time.Second) // the answer stays suspect for two minutes
		first, second := env.StartAll(2)
		for range env.Rounds(1) {
			old := env.CDN.Config()
			version := env.CDN.Publish()
			env.AwaitVersion(version, env.PollBound())
			terms := func() uint64 { return first.Stats().Terms + second.Stats().Terms }
			suspect := func() uint64 { return first.Stats().Suspect + second.Stats().Suspect }
			began, before, asked, start := terms(), suspect(), len(env.CDN.Requests()), time.Now()
			env.CDN.Break(fakecdn.InTurn(fakecdn.Stale(old)))
			const flips = 8
			env.Eventually(2*flips*env.PollBound(), "the edges have flipped some times", func() bool { return suspect() >= before+flips })
			flipped := int(suspect() - before)
			polls := int(time.Since(start)/env.Leader.PollInterval) + 1 + int(terms()-began)
			if n := len(env.CDN.Requests()) - asked; n > polls+flipped+1 { // a poll may be under way
				env.Errorf("%d requests within %v with %d flips, want at most %d", n, time.Since(start), flipped, polls+flipped+1)
			}
			env.RequireVersion(version)
			env.Audit.Check(env.T)
			env.CDN.Repair()
			env.Settle()
		}
	})
}
