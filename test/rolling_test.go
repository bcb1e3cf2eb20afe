package test

import (
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
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
func (env *environment) changeOften(interval time.Duration) (end func() []time.Duration) {
	stop := make(chan struct{})
	stopped := sync.OnceFunc(func() { close(stop) })
	var running sync.WaitGroup
	running.Go(func() {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				env.cdn.Publish()
			case <-stop:
				return
			}
		}
	})
	watches := make([]stopwatch, len(env.readers))
	for i, r := range env.readers {
		running.Go(func() {
			for {
				select {
				case <-r.next():
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
	onProcesses(t, func(f *fleet) {
		// The lock lives long, so that a missing release shows.
		f.leader.LeaseDuration, f.leader.RenewDeadline = 15*time.Second, 10*time.Second
		f.env = []string{"CATBRIDGE_TIMINGS_LEASE_DURATION=15s", "CATBRIDGE_TIMINGS_RENEW_DEADLINE=10s"}
		all := f.launchAll(3, 4)
		gaps := f.changeOften(100 * time.Millisecond)
		f.reached(f.cdn.Version()+changesBetween, f.poll())
		for i := range all {
			f.signal(all[i], syscall.SIGTERM)
			terminated := time.Now()
			<-all[i].exited
			if code := all[i].cmd.ProcessState.ExitCode(); code != 0 {
				f.Errorf("exit code %d", code)
			}
			all[i] = f.launch()
			f.eventually(f.takeover(), "a process leads", func() bool { return f.holder() != "" })
			f.Logf("process %d ended and started again in %v", i+1, time.Since(terminated).Round(time.Millisecond))
			f.subscribed(len(all) + 4)
			f.reached(f.cdn.Version()+changesBetween, f.poll())
		}
		longest := slices.Max(gaps())
		f.slack = gapSlack
		f.recoveredAfter(longest, f.leader.PollInterval+gapWithin)
		f.slack = busy
		f.Logf("longest time without a change at a follower: %v, of which a poll takes %v", longest.Round(time.Millisecond), f.leader.PollInterval)
		f.settle()
	})
}
