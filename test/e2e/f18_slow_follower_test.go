package e2e

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/test/harness"
)

// A follower process is stopped until Redis drops it, because it reads nothing any more.
func TestF18_FollowerThatRedisDroppedCatchesUp(t *testing.T) {
	harness.OnProcesses(t, func(f *harness.Fleet) {
		f.LaunchAll(2, 3)
		f.SetConfig("client-output-buffer-limit", "pubsub 4mb 4mb 1")
		for range f.Rounds(1) {
			stopped := f.Watchers[0]
			var before []follower.Stats
			for _, r := range f.Followers {
				before = append(before, r.Client.Stats())
			}
			f.Signal(stopped.Process, syscall.SIGSTOP)
			flood := strings.Repeat("x", 256<<10)
			flooded := uint64(0)
			f.Eventually(0, "Redis drops the follower", func() bool {
				f.Do(f.Server, "PUBLISH", f.Keys.Events, flood)
				flooded++
				for i, r := range f.Followers { // no faster than the other followers read
					f.Eventually(0, r.Name+" receives the messages", func() bool {
						s := r.Client.Stats()
						return s.Messages >= before[i].Messages+flooded || s.Disconnects != before[i].Disconnects
					})
				}
				n, _, err := f.Subscriptions()
				return err == nil && n == 4
			})
			version := f.CDN.Publish()
			f.Environment.AwaitVersion(version, f.PollBound())
			for i, r := range f.Followers {
				r.Noise = true
				if s := r.Client.Stats(); s.Disconnects != before[i].Disconnects && f.Stalled() < f.Follower.Idle {
					f.Errorf("%s was dropped, too: %+v", r.Name, s)
				}
			}
			f.Signal(stopped.Process, syscall.SIGCONT)
			resumed, bound := time.Now(), f.Follower.Dead+f.ReconnectBound()
			f.AwaitVersion(version, bound)
			f.Recovered(resumed, bound)
			f.AwaitSubscribers(5)
			f.Settle()
		}
	})
}
