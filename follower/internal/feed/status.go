package feed

import "time"

// State is the state of a feed's connection to Redis.
type State string

const (
	Connecting   State = "connecting"   // the first connection is being made
	Live         State = "live"         // subscribed, and a leader is alive
	NoLeader     State = "no_leader"    // subscribed, but there is no leader
	Polling      State = "polling"      // no subscription is possible; the feed polls Redis
	Disconnected State = "disconnected" // Redis is unreachable
	Unsubscribed State = "unsubscribed" // the feed does not subscribe
	Closed       State = "closed"       // the last member has left
)

// defaultPoll is the leader's poll interval until a message or meta states it.
const defaultPoll = 55 * time.Second

// Status is the state of a feed's connection, and what is known about the leader that it saw
// last. Immutable.
type Status struct {
	State State
	Epoch int64         // of the leader; 0: none was seen
	Poll  time.Duration // the interval at which the leader asks the CDN
	// Control is the seq of the operator's control that is in force as far as leaders said; 0: none.
	Control int64
}
