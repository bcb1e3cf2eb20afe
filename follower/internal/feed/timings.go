package feed

import "time"

// Timings contains the durations of the protocol. The package follower documents each, and
// converts its own type to this one.
type Timings struct {
	Idle, Dead, Ack, MetaReread, Poll, Resubscribe, BackoffMin, BackoffMax time.Duration
}
