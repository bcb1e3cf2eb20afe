package harness

import (
	"time"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/testenv/busy"
	"github.com/catbridge/catbridge/leader"
)

// Profile holds the durations of a scenario.
type Profile struct {
	Leader   leader.Timings
	Follower follower.Timings
	// Slack is added to every bound. It is zero in virtual time, where only the protocol
	// takes time. On a real server it covers the load of the machine, and bounds are not
	// tested.
	Slack time.Duration
}

// DefaultProfile returns the default durations: a lost connection is detected within 10 s.
func DefaultProfile() Profile {
	p := Profile{Leader: leader.DefaultTimings(), Follower: follower.DefaultTimings(), Slack: Busy}
	p.Leader.PollInterval = 2 * time.Second
	return p
}

// FastProfile returns the program's fast timing, with a poll every second.
func FastProfile() Profile {
	p := Profile{Leader: leader.FastTimings(), Follower: follower.FastTimings(), Slack: Busy}
	p.Leader.PollInterval = time.Second
	return p
}

// RealProfile returns short durations, for scenarios on real servers.
func RealProfile() Profile {
	return Profile{
		Leader: leader.Timings{
			LeaseDuration: 3 * time.Second, RenewInterval: 250 * time.Millisecond, RenewDeadline: 2500 * time.Millisecond,
			RetryPeriod: 200 * time.Millisecond, PollInterval: time.Second, Idle: 500 * time.Millisecond, Dead: 1500 * time.Millisecond,
		},
		Follower: follower.Timings{
			Idle: 500 * time.Millisecond, Dead: 1500 * time.Millisecond, Ack: 2 * time.Second,
			MetaReread: 2 * time.Second, Poll: 500 * time.Millisecond, Resubscribe: time.Second,
			BackoffMin: 20 * time.Millisecond, BackoffMax: 500 * time.Millisecond,
		},
		Slack: Busy,
	}
}

// virtualProfile returns the default durations without slack.
func virtualProfile() Profile {
	return Profile{Leader: leader.DefaultTimings(), Follower: follower.DefaultTimings()}
}

// Busy is the slack of real servers: how much the load of a machine may add to a bound, with the race detector and all
// tests at once. It is longer if the machine has other work besides.
var Busy = busy.Bound(30 * time.Second)

// RoundTrip is the bound for one round trip, on a busy machine.
const RoundTrip = 250 * time.Millisecond

// RebaseAfter is the time that the rebase rule requires before a follower accepts a lower
// rev.
const RebaseAfter = 30 * time.Second
