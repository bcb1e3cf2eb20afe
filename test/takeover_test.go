package test

import (
	"strconv"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/leader"
)

func TestF02_KilledLeaderIsReplacedWhenItsLockExpires(t *testing.T) {
	scenario(t, func(env *environment) {
		first, second := env.ready(3)
		for i := range env.rounds(2) {
			env.pass(env.upTo(env.leader.RenewInterval))
			first.kill()
			killed := time.Now()
			env.eventually(env.takeover(), "the other leads", second.leads)
			env.recovered(killed, env.takeover())
			if took := time.Since(killed); env.virtual && took < env.leader.LeaseDuration-env.leader.RenewInterval-time.Second {
				env.Errorf("took over after %v though the lock was held", took)
			}
			env.reached(env.cdn.Publish(), env.poll())
			first, second = second, env.lead("leader "+strconv.Itoa(i+3))
		}
		env.settle()
	})
}

func TestF03_LeaderThatShutsDownIsReplacedAtOnce(t *testing.T) {
	scenario(t, func(env *environment) {
		first, second := env.ready(2)
		for i := range env.rounds(4) {
			stopped := time.Now()
			first.stop()
			if second.stats().Fenced+first.stats().Fenced != 0 {
				env.Error("a shutdown was fenced")
			}
			env.eventually(time.Second, "the other leads", second.leads)
			env.recovered(stopped, time.Second)
			env.reached(env.cdn.Publish(), env.poll())
			next := env.lead("leader " + strconv.Itoa(i+3))
			env.eventually(env.takeover(), "the next process knows the leader", func() bool {
				return next.stats().LockHolder == second.ID()
			})
			env.subscribed(2 + len(env.readers))
			first, second = second, next
		}
		env.settle()
	})
}

// F1: a leader is stopped between fetch and commit until its lock has expired, and
// continues after another one has published newer content. Its pending commit is refused.
func TestF01_LateWriteOfAStoppedLeaderIsRefused(t *testing.T) {
	scenario(t, func(env *environment) {
		first, second := env.ready(3)
		for range env.rounds(3) {
			first, second = env.stopBetweenFetchAndCommit(first, second)
			stopped, refused := time.Now(), env.refused()
			env.eventually(env.takeover(), "the other leads", second.leads)
			env.recovered(stopped, env.takeover())
			env.reached(env.cdn.Publish(), env.poll())
			first.link.Thaw() // the commit arrives now
			if !env.virtual {
				env.eventually(env.leader.RenewInterval, "it is refused", func() bool { return env.refused() > refused })
			}
			env.eventually(env.takeover(), "the stopped one is a candidate", func() bool {
				s := first.stats()
				return s.State == leader.Candidate && s.LockHolder == second.ID()
			})
			env.pass(2 * env.leader.RenewInterval)
			env.audit.check(env.T)
			env.settle()
		}
	})
}

// I2: the same while no other leader has written. A leader without the lock writes nothing,
// not even correct content.
func TestF01_LateWriteIsRefusedEvenIfNothingElseChanged(t *testing.T) {
	scenario(t, func(env *environment) {
		first, second := env.ready(1)
		first, second = env.stopBetweenFetchAndCommit(first, second)
		env.cdn.Break(fakecdn.Down)
		env.eventually(env.takeover(), "the other leads", second.leads)
		first.link.Thaw()
		env.eventually(env.takeover(), "the stopped one is a candidate", func() bool {
			s := first.stats()
			return s.State == leader.Candidate && s.LockHolder == second.ID()
		})
		env.pass(2 * env.leader.RenewInterval)
		env.audit.check(env.T)
		if v := env.audit.stored(); v >= env.cdn.Version() {
			env.Errorf("version %d is stored: a process without the lock wrote it", v)
		}
		env.cdn.Repair()
		env.settle()
	})
}

// stopBetweenFetchAndCommit changes the content, waits until the leader among two processes
// has fetched it, and freezes that one's connections before its commit gets through. It
// returns the stopped process and the other one.
func (env *environment) stopBetweenFetchAndCommit(one, two *runner) (stopped, other *runner) {
	env.Helper()
	env.eventually(time.Minute, "a commit is under way", func() bool {
		if stopped, other = one, two; two.leads() {
			stopped, other = two, one
		}
		release, asked := make(chan struct{}), make(chan struct{}, 100)
		env.cdn.Break(fakecdn.Announce(asked, fakecdn.Hang(release)))
		<-asked
		env.cdn.Publish()
		// A renewal that hangs would delay the commit, so the change follows a renewal.
		renewals := stopped.stats().Renewals
		env.eventually(env.leader.LeaseDuration, "a renewal", func() bool { return !stopped.leads() || stopped.stats().Renewals > renewals })
		stopped.link.Freeze()
		close(release)
		env.cdn.Repair()
		etag := env.cdn.Config().ETag()
		for deadline := time.Now().Add(env.leader.RenewDeadline / 4); time.Now().Before(deadline); env.pass(env.pause()) {
			if stopped.link.Holds(etag) {
				return true
			}
		}
		stopped.link.Thaw()
		return false
	})
	return stopped, other
}

// A leader whose every command times out stops acting before its lock expires, and stops
// polling the CDN.
func TestLeaderWithoutRedisStopsPolling(t *testing.T) {
	scenario(t, func(env *environment) {
		first := env.lead("leader A")
		env.elected(first)
		first.link.Freeze()
		env.eventually(env.leader.LeaseDuration, "it gave up", func() bool { return !first.leads() })
		polls := len(env.cdn.Requests())
		env.pass(2 * env.leader.PollInterval)
		if n := len(env.cdn.Requests()); n != polls {
			env.Errorf("%d polls without the lock", n-polls)
		}
		first.link.Thaw()
		env.eventually(env.takeover(), "it leads again", first.leads)
		env.followers(1)
		env.settle()
	})
}

// steadyFor publishes at intervals for the given time while the network is bad: the leader
// keeps its term, and followers get every version.
func (env *environment) steadyFor(first *runner, d time.Duration) {
	env.Helper()
	before := first.stats()
	for end := time.Now().Add(d); time.Now().Before(end); {
		changed := time.Now()
		version := env.cdn.Publish()
		env.reached(version, env.poll()+env.leader.RenewInterval+4*time.Second)
		env.recovered(changed, env.poll()+env.leader.RenewInterval+4*time.Second)
		env.pass(env.upTo(env.leader.PollInterval))
	}
	if s := first.stats(); s.Terms != before.Terms || s.Fenced != before.Fenced || s.Lapsed != before.Lapsed || !first.leads() {
		env.Errorf("the leader lost its term: %+v", s)
	}
}
