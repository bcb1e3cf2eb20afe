package e2e

import (
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/catbridge/catbridge/test/harness"
)

// stopwatch measures the longest time in which a follower got no change.
type stopwatch struct {
	last    time.Time
	longest time.Duration
}

func (s *stopwatch) lap(now time.Time) {
	if !s.last.IsZero() {
		s.longest = max(s.longest, now.Sub(s.last))
	}
	s.last = now
}

// changeOften changes the content at intervals until its result is called, which returns
// the longest time that each follower was without a change.
func changeOften(env *harness.Environment, interval time.Duration) (end func() []time.Duration) {
	stop := make(chan struct{})
	stopped := sync.OnceFunc(func() { close(stop) })
	var running sync.WaitGroup
	running.Go(func() {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				env.CDN.Publish()
			case <-stop:
				return
			}
		}
	})
	watches := make([]stopwatch, len(env.Followers))
	for i, r := range env.Followers {
		running.Go(func() {
			for {
				select {
				case <-r.Next():
					watches[i].lap(time.Now())
				case <-stop:
					return
				}
			}
		})
	}
	env.Cleanup(func() { stopped(); running.Wait() })
	return func() (all []time.Duration) {
		stopped()
		running.Wait()
		for i := range watches {
			all = append(all, watches[i].longest)
		}
		return all
	}
}

// changesBetween is the number of changes between two restarts.
const changesBetween = 20

// gapWithin is how much a rolling restart may delay a change, in addition to the time to
// the next poll. The slack for a busy machine is far below the lock's expiry, which is the
// delay if a leader does not release its lock.
const (
	gapWithin = time.Second
	gapSlack  = 5 * time.Second
)

// Three leaders are restarted in turn while the content changes every 100 ms. Each leader
// polls once a second, so that followers must get a change each second, also during the
// restarts.
func TestF03_RollingRestartLeavesNoGap(t *testing.T) {
	harness.OnProcesses(t, func(f *harness.Fleet) {
		// The lock lives long, so that a missing release shows.
		f.Leader.LeaseDuration, f.Leader.RenewDeadline = 15*time.Second, 10*time.Second
		f.Env = []string{"CATBRIDGE_TIMINGS_LEASE_DURATION=15s", "CATBRIDGE_TIMINGS_RENEW_DEADLINE=10s"}
		all := f.LaunchAll(3, 4)
		gaps := changeOften(f.Environment, 100*time.Millisecond)
		f.AwaitVersion(f.CDN.Version()+changesBetween, f.PollBound())
		for i := range all {
			f.Signal(all[i], syscall.SIGTERM)
			terminated := time.Now()
			<-all[i].Exited
			if code := all[i].Cmd.ProcessState.ExitCode(); code != 0 {
				f.Errorf("exit code %d", code)
			}
			all[i] = f.Launch()
			f.Eventually(f.TakeoverBound(), "a process leads", func() bool { return f.Holder() != "" })
			f.Logf("process %d ended and started again in %v", i+1, time.Since(terminated).Round(time.Millisecond))
			f.AwaitSubscribers(len(all) + 4)
			f.AwaitVersion(f.CDN.Version()+changesBetween, f.PollBound())
		}
		longest := slices.Max(gaps())
		f.Slack = gapSlack
		f.RecoveredAfter(longest, f.Leader.PollInterval+gapWithin)
		f.Slack = harness.Busy
		f.Logf("longest time without a change at a follower: %v, of which a poll takes %v", longest.Round(time.Millisecond), f.Leader.PollInterval)
		f.Settle()
	})
}

func TestF03_TerminatedProcessHandsOver(t *testing.T) {
	harness.OnProcesses(t, func(f *harness.Fleet) {
		all := f.LaunchAll(3, 3)
		for range f.Rounds(3) {
			f.Signal(all[0], syscall.SIGTERM)
			terminated := time.Now()
			f.Eventually(f.TakeoverBound(), "another leads", func() bool { return f.Holder() != all[0].ID && f.Holder() != "" })
			f.Recovered(terminated, time.Second)
			<-all[0].Exited
			if code := all[0].Cmd.ProcessState.ExitCode(); code != 0 {
				f.Errorf("exit code %d", code)
			}
			f.AwaitVersion(f.CDN.Publish(), f.PollBound())
			all = append(all[1:], f.Launch())
			if f.Holder() != all[0].ID {
				all[0], all[1] = all[1], all[0]
			}
			f.AwaitHolder(all[0])
			f.AwaitSubscribers(6)
		}
		f.Settle()
	})
}

func TestF03_LeaderThatShutsDownIsReplacedAtOnce(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		first, second := env.StartAll(2)
		for i := range env.Rounds(4) {
			stopped := time.Now()
			first.Stop()
			if second.Stats().Fenced+first.Stats().Fenced != 0 {
				env.Error("a shutdown was fenced")
			}
			env.Eventually(time.Second, "the other leads", second.Leads)
			env.Recovered(stopped, time.Second)
			env.AwaitVersion(env.CDN.Publish(), env.PollBound())
			next := env.Lead("leader " + strconv.Itoa(i+3))
			env.Eventually(env.TakeoverBound(), "the next process knows the leader", func() bool {
				return next.Stats().LockHolder == second.ID()
			})
			env.AwaitSubscribers(2 + len(env.Followers))
			first, second = second, next
		}
		env.Settle()
	})
}
