package e2e

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/test/harness"
)

// largeConfig is the size of a config that no message carries whole. What fills it stays the same:
// this revision announces changes as patches.
const largeConfig = 64 << 10

// fleetOfRevisions starts a leader of the base revision, and followers of both. One follower is
// within the test's process: several would share content, and none would need the patches that it
// has missed.
func fleetOfRevisions(r *harness.Revisions) (leads *harness.Process) {
	r.Helper()
	leads = r.LaunchOf(r.Base)
	r.AwaitHolder(leads)
	r.WatchOf(r.Base)
	r.WatchOf(r.This)
	r.Follow()
	r.AwaitVersion(r.CDN.Version(), r.PollBound())
	return leads
}

// candidate starts a leader that takes over when the one that leads ends.
func candidate(r *harness.Revisions, of harness.Revision) *harness.Process {
	r.Helper()
	p := r.LaunchOf(of)
	r.AwaitSubscribers(2 + len(r.Watchers) + len(r.Followers)) // its resignation must not get lost
	return p
}

// changes publishes changes, each of which all followers get.
func changes(r *harness.Revisions, n int) {
	r.Helper()
	for range n {
		r.AwaitVersion(r.CDN.Publish(), r.PollBound())
	}
}

// replace ends the leader by a signal, while one change may be half-way and another follows, and
// waits until the other leads and all followers have them.
func replace(r *harness.Revisions, leads, next *harness.Process, signal syscall.Signal) {
	r.Helper()
	bound := time.Second + r.PollBound()
	if signal == syscall.SIGKILL {
		bound = r.TakeoverBound() + r.PollBound()
	}
	r.CDN.Publish()
	r.Pass(r.RandomBelow(r.PollBound()))
	r.Signal(leads, signal)
	ended := time.Now()
	r.AwaitVersion(r.CDN.Publish(), bound)
	r.Recovered(ended, bound)
	<-leads.Exited
	if holder := r.Holder(); holder != next.ID {
		r.Errorf("%q leads, want %q", holder, next.ID)
	}
}

func patched(r *harness.Revisions) uint64 {
	return sumOf(r.Environment, func(f *harness.Follower) uint64 { return f.Client.Stats().Patched })
}

// checkPatching checks whether changes arrive as patches, of which this revision alone leaves any
// that lead to the current content.
func checkPatching(r *harness.Revisions, leader harness.Revision) {
	r.Helper()
	before := patched(r)
	changes(r, 3)
	came := patched(r) - before
	stored, current := r.Patches()
	switch leader {
	case r.This:
		if want := uint64(3 * len(r.Followers)); came != want {
			r.Errorf("%d of %d contents came as patches", came, want)
		}
		if stored.To() != current {
			r.Errorf("%d stored patches lead to %.8s, want %.8s", len(stored), stored.To(), current)
		}
		for i := 1; i < len(stored); i++ {
			if !strings.HasPrefix(stored[i-1].To, stored[i].From) {
				r.Errorf("the stored patches have a hole: one leads to %.16s, the next starts from %s", stored[i-1].To, stored[i].From)
			}
		}
	case r.Base:
		if came != 0 {
			r.Errorf("%d contents came as patches from a leader that cannot make any", came)
		}
		if stored.To() == current {
			r.Errorf("%d stored patches lead to content of a leader that cannot make any", len(stored))
		}
	}
}

// comeBack lets a follower miss what happens during away.
func comeBack(r *harness.Revisions, away func()) {
	r.Helper()
	gone := r.Followers[0]
	gone.Link.Down()
	r.Followers = r.Followers[1:]
	away()
	r.Followers = append([]*harness.Follower{gone}, r.Followers...)
	gone.Link.Up()
	up, bound := time.Now(), r.ReconnectBound()
	r.AwaitVersion(r.CDN.Version(), bound)
	r.Part("a follower comes back").Recovered(up, bound)
}

// requireNoRefusal checks that each side accepted what the other wrote.
func requireNoRefusal(r *harness.Revisions) {
	r.Helper()
	for _, f := range r.Followers {
		s := f.Client.Stats()
		if s.RefusedPatches+s.RefusedBlobs+s.BadMessages+s.Unknown+s.Anomalies != 0 {
			r.Errorf("%s refused something: %+v", f.Name, s)
		}
	}
}

// requireNoErrors checks the logs of all processes. Except is an event that is expected; empty: none is.
func requireNoErrors(r *harness.Revisions, except string) {
	r.Helper()
	for _, line := range r.Logged("error") {
		if except == "" || !strings.Contains(line, except) {
			r.Errorf("an error: %s", line)
		}
	}
}

// requireNoWarnings checks that no leader had to repair what the other revision wrote, and that no
// follower missed a message. Expected are a warning that there is no leader, and that rules are
// evaluated without a user, and, if the machine was too busy to deliver messages in time, that none arrive.
func requireNoWarnings(r *harness.Revisions) {
	r.Helper()
	expected := []string{`"event_id":6003,`, `"event_id":3001,`}
	if r.Stalled() > r.Follower.Idle {
		expected = append(expected, `"event_id":6011,`)
	}
	for _, line := range r.Logged("warn") {
		if !slices.ContainsFunc(expected, func(event string) bool { return strings.Contains(line, event) }) {
			r.Errorf("a warning: %s", line)
		}
	}
}

// Leaders of this revision and of the base revision replace each other while the content changes,
// small and large: they hand over, then they are killed. Followers of both get each change. A
// follower that missed the takeover comes back. Patches that Redis still holds from the time before
// the base revision led do not lead to its content, and the follower does not apply them.
func TestF39_LeadersOfTwoRevisionsReplaceEachOther(t *testing.T) {
	harness.OnRevisions(t, func(r *harness.Revisions) {
		leads := fleetOfRevisions(r)
		for range r.Rounds(1) {
			for _, size := range []int{0, largeConfig} {
				r.AwaitVersion(r.CDN.SetMinBytes(size), r.PollBound())
				for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
					for _, revision := range []harness.Revision{r.This, r.Base} {
						next := candidate(r, revision)
						comeBack(r, func() {
							changes(r, 1) // patches in Redis lead on from what it holds
							replace(r, leads, next, signal)
							changes(r, 1)
						})
						leads = next
						if size == 0 {
							changes(r, 2)
						} else {
							checkPatching(r, revision)
						}
					}
				}
				// What fills the config changes, too: no patch is worth it.
				r.AwaitVersion(r.CDN.SetVaryingBytes(largeConfig), r.PollBound())
				changes(r, 1)
			}
		}
		requireNoRefusal(r)
		requireNoErrors(r, "")
		requireNoWarnings(r)
		r.Settle()
	})
}

// The Sentinels replace the primary while each revision leads, and another time while a leader of
// either is killed and one of the other revision takes over.
func TestF39_SentinelsFailOverBetweenTwoRevisions(t *testing.T) {
	harness.OnRevisionsWithSentinels(t, func(r *harness.Revisions) {
		r.Audit.AllowLoss()
		leads := fleetOfRevisions(r)
		r.AwaitVersion(r.CDN.SetMinBytes(largeConfig), r.PollBound())
		for range r.Rounds(1) {
			for _, revision := range []harness.Revision{r.This, r.Base} {
				failOver(r, func() {}, redistest.DownAfter+3*time.Second)
				changes(r, 2)
				next := r.LaunchOf(revision)
				failOver(r, func() {
					r.Signal(leads, syscall.SIGKILL)
					<-leads.Exited
				}, max(r.Leader.LeaseDuration, redistest.DownAfter)+3*time.Second)
				r.AwaitHolder(next)
				leads = next
				checkPatching(r, revision)
			}
		}
		requireNoRefusal(r)
		// A write that is on its way when the primary is replaced fails, and is repeated.
		requireNoErrors(r, `"event_id":6104,`)
		r.Settle()
	})
}

// failOver makes the Sentinels replace the primary, and waits until followers have content that was
// published then.
func failOver(r *harness.Revisions, then func(), bound time.Duration) {
	r.Helper()
	primary := r.Sentinel.Primary(r.T)
	r.Eventually(0, "the Sentinels agree to a failover", func() bool { return r.Sentinel.Failover(r.T) == nil })
	agreed := time.Now()
	then()
	replaced(r.Environment, primary)
	r.AwaitVersion(r.CDN.Publish(), bound)
	r.Recovered(agreed, bound)
}
