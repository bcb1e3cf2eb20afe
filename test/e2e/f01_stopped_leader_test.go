package e2e

import (
	"syscall"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/leader"
	"github.com/catbridge/catbridge/test/harness"
)

const eventResigned = 6101

// continueAndAwaitStepDown continues a stopped process and waits until its term has ended. The reason
// may be that it lost the lock, or, where Redis does not answer in time, that it could not renew it.
func continueAndAwaitStepDown(f *harness.Fleet, p *harness.Process) {
	f.Helper()
	ended := p.CountEvents(eventResigned)
	f.Signal(p, syscall.SIGCONT)
	f.Eventually(f.TakeoverBound(), "it steps down", func() bool { return p.CountEvents(eventResigned) > ended })
}

// The process is stopped at a random moment, for longer than its lock lives.
func TestF01_StoppedProcessStepsDown(t *testing.T) {
	harness.OnProcesses(t, func(f *harness.Fleet) {
		all := f.LaunchAll(2, 3)
		for range f.Rounds(1) {
			f.Pass(f.RandomBelow(f.Leader.PollInterval))
			stopped := time.Now()
			f.Signal(all[0], syscall.SIGSTOP)
			f.AwaitHolder(all[1])
			f.Recovered(stopped, f.TakeoverBound())
			f.AwaitVersion(f.CDN.Publish(), f.PollBound())
			f.Pass(time.Until(stopped.Add(f.Leader.LeaseDuration * 7 / 4)))
			continueAndAwaitStepDown(f, all[0])
			if id := f.Holder(); id != all[1].ID {
				f.Errorf("%s leads after the other went on", id)
			}
			f.Settle()
			all[0], all[1] = all[1], all[0]
		}
	})
}

// The process is stopped between fetch and commit: the commit is under way, and arrives
// after another leader has published newer content.
func TestF01_CommitOfAStoppedProcessIsRefused(t *testing.T) {
	harness.OnProcesses(t, func(f *harness.Fleet) {
		links := []*redistest.Link{{}, {}}
		all := []*harness.Process{f.LaunchBehind(links[0])}
		f.AwaitHolder(all[0])
		all = append(all, f.LaunchBehind(links[1]))
		f.Join(2, 3)
		for range f.Rounds(1) {
			commitUnderWay(f, links[0])
			stopped := time.Now()
			f.Signal(all[0], syscall.SIGSTOP)
			refused := f.RefusedScripts()
			f.AwaitHolder(all[1])
			f.Recovered(stopped, f.TakeoverBound())
			f.AwaitVersion(f.CDN.Publish(), f.PollBound())
			f.Pass(time.Until(stopped.Add(f.Leader.LeaseDuration * 7 / 4)))
			links[0].Thaw() // the commit arrives now
			f.Eventually(f.Leader.RenewInterval, "it is refused", func() bool { return f.RefusedScripts() > refused })
			continueAndAwaitStepDown(f, all[0])
			if id := f.Holder(); id != all[1].ID {
				f.Errorf("%s leads after the other went on", id)
			}
			f.Settle()
			all[0], all[1] = all[1], all[0]
			links[0], links[1] = links[1], links[0]
		}
	})
}

// commitUnderWay changes the content and freezes the leader's network while its commit is
// on its way to Redis.
func commitUnderWay(f *harness.Fleet, link *redistest.Link) {
	f.Helper()
	f.Eventually(time.Minute, "a commit is under way", func() bool {
		release, asked := make(chan struct{}), make(chan struct{}, 100)
		f.CDN.Break(fakecdn.Announce(asked, fakecdn.Hang(release)))
		<-asked
		version := f.CDN.Publish()
		link.Freeze()
		close(release)
		f.CDN.Repair()
		etag := f.CDN.Config().ETag()
		for deadline := time.Now().Add(f.Leader.RenewDeadline / 4); time.Now().Before(deadline); f.Pass(f.CheckInterval()) {
			if link.Holds(etag) {
				return true
			}
		}
		link.Thaw() // a renewal delayed it
		f.AwaitVersion(version, f.PollBound()+f.Leader.RenewInterval)
		return false
	})
}

// F1: a leader is stopped between fetch and commit until its lock has expired, and
// continues after another one has published newer content. Its pending commit is refused.
func TestF01_LateWriteOfAStoppedLeaderIsRefused(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		first, second := env.StartAll(3)
		for range env.Rounds(3) {
			first, second = stopBetweenFetchAndCommit(env, first, second)
			stopped, refused := time.Now(), env.RefusedScripts()
			env.Eventually(env.TakeoverBound(), "the other leads", second.Leads)
			env.Recovered(stopped, env.TakeoverBound())
			env.AwaitVersion(env.CDN.Publish(), env.PollBound())
			first.Link.Thaw() // the commit arrives now
			if !env.Virtual {
				env.Eventually(env.Leader.RenewInterval, "it is refused", func() bool { return env.RefusedScripts() > refused })
			}
			env.Eventually(env.TakeoverBound(), "the stopped one is a candidate", func() bool {
				s := first.Stats()
				return s.State == leader.StateCandidate && s.LockHolder == second.ID()
			})
			env.Pass(2 * env.Leader.RenewInterval)
			env.Audit.Check(env.T)
			env.Settle()
		}
	})
}

// I2: the same while no other leader has written. A leader without the lock writes nothing,
// not even correct content.
func TestF01_LateWriteIsRefusedEvenIfNothingElseChanged(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		first, second := env.StartAll(1)
		first, second = stopBetweenFetchAndCommit(env, first, second)
		env.CDN.Break(fakecdn.Down)
		env.Eventually(env.TakeoverBound(), "the other leads", second.Leads)
		first.Link.Thaw()
		env.Eventually(env.TakeoverBound(), "the stopped one is a candidate", func() bool {
			s := first.Stats()
			return s.State == leader.StateCandidate && s.LockHolder == second.ID()
		})
		env.Pass(2 * env.Leader.RenewInterval)
		env.Audit.Check(env.T)
		if v := env.Audit.Stored(); v >= env.CDN.Version() {
			env.Errorf("version %d is stored: a process without the lock wrote it", v)
		}
		env.CDN.Repair()
		env.Settle()
	})
}

// stopBetweenFetchAndCommit changes the content, waits until the leader among two processes
// has fetched it, and freezes that one's connections before its commit gets through. It
// returns the stopped process and the other one.
func stopBetweenFetchAndCommit(env *harness.Environment, one, two *harness.Leader) (stopped, other *harness.Leader) {
	env.Helper()
	env.Eventually(time.Minute, "a commit is under way", func() bool {
		if stopped, other = one, two; two.Leads() {
			stopped, other = two, one
		}
		release, asked := make(chan struct{}), make(chan struct{}, 100)
		env.CDN.Break(fakecdn.Announce(asked, fakecdn.Hang(release)))
		<-asked
		env.CDN.Publish()
		// A renewal that hangs would delay the commit, so the change follows a renewal.
		renewals := stopped.Stats().Renewals
		env.Eventually(env.Leader.LeaseDuration, "a renewal", func() bool { return !stopped.Leads() || stopped.Stats().Renewals > renewals })
		stopped.Link.Freeze()
		close(release)
		env.CDN.Repair()
		etag := env.CDN.Config().ETag()
		for deadline := time.Now().Add(env.Leader.RenewDeadline / 4); time.Now().Before(deadline); env.Pass(env.CheckInterval()) {
			if stopped.Link.Holds(etag) {
				return true
			}
		}
		stopped.Link.Thaw()
		return false
	})
	return stopped, other
}
