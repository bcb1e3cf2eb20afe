package leader

import (
	"errors"
	"fmt"
	"time"

	"github.com/catbridge/catbridge/internal/wire"
)

// Timings holds the protocol's durations. A zero field means the value of [DefaultTimings].
// RenewInterval < RenewDeadline < LeaseDuration must hold.
type Timings struct {
	LeaseDuration time.Duration // the lock's time to live in Redis
	RenewInterval time.Duration // between two renewals, which are also the heartbeats
	RenewDeadline time.Duration // how long the leader acts after its last successful renewal
	RetryPeriod   time.Duration // between two tries of a candidate, ± 20 %
	PollInterval  time.Duration // between two polls of the CDN; from 1 s to 24 h
	Idle          time.Duration // silence on the subscription after which the leader sends a PING
	Dead          time.Duration // silence on the subscription after which the leader reconnects
}

// DefaultTimings returns the durations for production. The poll interval is just below that
// of the official SDKs, so they find the shared entry unexpired (S42).
func DefaultTimings() Timings {
	return Timings{
		LeaseDuration: 15 * time.Second, RenewInterval: 3 * time.Second, RenewDeadline: 10 * time.Second,
		RetryPeriod: 2 * time.Second, PollInterval: 55 * time.Second, Idle: 5 * time.Second, Dead: 10 * time.Second,
	}
}

// FastTimings returns durations for a faster failover and more frequent polls, at the cost of
// more commands and requests.
func FastTimings() Timings {
	return Timings{
		LeaseDuration: 6 * time.Second, RenewInterval: 1500 * time.Millisecond, RenewDeadline: 4 * time.Second,
		RetryPeriod: 2 * time.Second, PollInterval: 5 * time.Second, Idle: 2 * time.Second, Dead: 4 * time.Second,
	}
}

func (t Timings) withDefaults() Timings {
	d := DefaultTimings()
	for _, f := range []struct{ dst, def *time.Duration }{
		{&t.LeaseDuration, &d.LeaseDuration}, {&t.RenewInterval, &d.RenewInterval}, {&t.RenewDeadline, &d.RenewDeadline},
		{&t.RetryPeriod, &d.RetryPeriod}, {&t.PollInterval, &d.PollInterval}, {&t.Idle, &d.Idle}, {&t.Dead, &d.Dead},
	} {
		if *f.dst == 0 {
			*f.dst = *f.def
		}
	}
	return t
}

func (t Timings) check() error {
	var errs []error
	must := func(ok bool, what string) {
		if !ok {
			errs = append(errs, errors.New("leader: Timings: "+what))
		}
	}
	must(t.RenewInterval >= 10*time.Millisecond, "RenewInterval must be at least 10 ms")
	must(t.RenewInterval < t.RenewDeadline, "RenewInterval must be below RenewDeadline, or one late renewal ends the term")
	must(t.RenewDeadline < t.LeaseDuration, "RenewDeadline must be below LeaseDuration, or two leaders act at once")
	must(t.LeaseDuration <= time.Hour, "LeaseDuration must be at most 1 h")
	must(t.RetryPeriod >= 10*time.Millisecond && t.RetryPeriod <= time.Hour, "RetryPeriod must be between 10 ms and 1 h")
	must(t.Idle > 0 && t.Idle < t.Dead, "Idle must be positive and below Dead")
	if err := checkPoll(t.PollInterval); err != nil {
		errs = append(errs, fmt.Errorf("leader: Timings: %w", err))
	}
	return errors.Join(errs...)
}

const minPoll = time.Second

func checkPoll(d time.Duration) error {
	if d < minPoll || d > wire.MaxPoll {
		return fmt.Errorf("PollInterval: %v is not between %v and %v", d, minPoll, wire.MaxPoll)
	}
	return nil
}
