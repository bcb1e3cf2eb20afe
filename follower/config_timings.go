package follower

import (
	"errors"
	"fmt"
	"time"
)

// Timings contains the durations of the protocol. A zero means the default; negative ones, and
// those above 24 h, are refused. They must fit together: Idle < Dead, Poll ≤ MetaReread, BackoffMin ≤ BackoffMax.
// They must also match the leader's Timings: Dead must be more than twice RenewInterval, and
// 2 × Dead more than LeaseDuration. If the leader's messages state a long RenewInterval, the
// follower checks for a leader after three of them instead of Dead.
type Timings struct {
	// Idle is how long a connection may be silent before the follower sends a PING. Default
	// 5 s.
	Idle time.Duration
	// Dead is how long a connection may be silent before the follower gives it up, and how
	// long heartbeats may be missing before it checks for a leader. Default 10 s.
	Dead time.Duration
	// Ack bounds each of connecting, logging in and the acknowledgement of SUBSCRIBE. After
	// timeouts it is up to four times as long. The Redis client's DialTimeout bounds
	// connecting, too. If many feeds of a process connect to one Redis, they wait for each
	// other first, which does not count. Default 2 s.
	Ack time.Duration
	// MetaReread is the interval ± 50 % at which the follower asks Redis which content is
	// current even though messages arrive. Default 60 s.
	MetaReread time.Duration
	// Poll ± 20 % is the interval instead of MetaReread while no subscription is possible.
	// Default 5 s.
	Poll time.Duration
	// Resubscribe is the interval ± 50 % at which the follower tries to subscribe while it
	// polls. Default 30 s.
	Resubscribe time.Duration
	// BackoffMin and BackoffMax bound the pause before reconnecting. The first pause is a
	// random part of BackoffMin, the next of twice that, up to BackoffMax. Defaults 0.2 s and
	// 5 s.
	BackoffMin, BackoffMax time.Duration
}

// maxTiming bounds the timings, which are multiplied.
const maxTiming = 24 * time.Hour

// DefaultTimings returns the durations that zeros in [Timings] stand for.
func DefaultTimings() Timings {
	return Timings{
		Idle: 5 * time.Second, Dead: 10 * time.Second, Ack: 2 * time.Second,
		MetaReread: 60 * time.Second, Poll: 5 * time.Second, Resubscribe: 30 * time.Second,
		BackoffMin: 200 * time.Millisecond, BackoffMax: 5 * time.Second,
	}
}

// FastTimings returns the durations of the fast profile, for fleets whose leaders use it too.
func FastTimings() Timings {
	t := DefaultTimings()
	t.Idle, t.Dead, t.MetaReread = 2*time.Second, 4*time.Second, 15*time.Second
	return t
}

// complete returns t with the defaults, and checks it.
func (t Timings) complete() (Timings, error) {
	def := DefaultTimings()
	var errs []error
	for _, d := range []struct {
		name  string
		value *time.Duration
		def   time.Duration
	}{
		{"Idle", &t.Idle, def.Idle}, {"Dead", &t.Dead, def.Dead}, {"Ack", &t.Ack, def.Ack},
		{"MetaReread", &t.MetaReread, def.MetaReread}, {"Poll", &t.Poll, def.Poll},
		{"Resubscribe", &t.Resubscribe, def.Resubscribe},
		{"BackoffMin", &t.BackoffMin, def.BackoffMin}, {"BackoffMax", &t.BackoffMax, def.BackoffMax},
	} {
		switch {
		case *d.value == 0:
			*d.value = d.def
		case *d.value < time.Millisecond || *d.value > maxTiming:
			errs = append(errs, fmt.Errorf("Timings.%s is %v, want 1ms to 24h, or 0 for %v", d.name, *d.value, d.def))
		}
	}
	fits := func(ok bool, low string, a time.Duration, relation, high string, b time.Duration) {
		if !ok {
			errs = append(errs, fmt.Errorf("Timings.%s (%v) must be %s Timings.%s (%v)", low, a, relation, high, b))
		}
	}
	fits(t.Idle < t.Dead, "Idle", t.Idle, "less than", "Dead", t.Dead)
	fits(t.Poll <= t.MetaReread, "Poll", t.Poll, "at most", "MetaReread", t.MetaReread)
	fits(t.BackoffMin <= t.BackoffMax, "BackoffMin", t.BackoffMin, "at most", "BackoffMax", t.BackoffMax)
	return t, errors.Join(errs...)
}
