package follower

import (
	"sync"
	"time"

	"github.com/catbridge/catbridge/internal/histogram"
)

// Durations counts durations by their length.
type Durations = histogram.Durations

// State says how a client is connected to Redis.
type State string

const (
	Connecting   State = "connecting"   // the first connection is being made
	Live         State = "live"         // subscribed, and a leader is heard
	NoLeader     State = "noLeader"     // subscribed, but no leader is heard
	Polling      State = "polling"      // no subscription is possible; Redis is asked at short intervals
	Disconnected State = "disconnected" // Redis is out of reach; evaluation goes on with what is held
	Unsubscribed State = "unsubscribed" // the polling mode does not subscribe, or there is no Redis
	Closed       State = "closed"       // [Client.Close] was called
)

// Stats is what a client can tell about itself at one moment.
type Stats struct {
	Rev    int64  // of the content in force; 0: there is none
	Hash   string // SHA-256 of its config JSON
	ETag   string // of its config JSON; from a message, a long one is replaced by its hash
	Source Source // where it was taken from; empty: there is none

	// Age is how long ago the CDN last confirmed the content in force, as far as the
	// leader's messages tell (I14). It means nothing unless HasCDN is set: nothing was
	// told about this content yet.
	Age    time.Duration
	HasCDN bool
	// Poll is the interval at which the leader asks the CDN.
	Poll time.Duration

	State State
	Epoch int64 // the term of the leader that was last heard of

	EvaluationErrors EvaluationErrors // since the client was created

	Counters
}

// Counters count since the client was created. What concerns Redis is counted together
// with the clients that share the subscription, since the first of them was created.
type Counters struct {
	Connects            int64 // subscriptions that were acknowledged
	Disconnects         int64 // subscriptions that ended without having been closed
	FailedSubscriptions int64 // subscriptions that Redis refused, or that could not be had though it answered
	Undelivered         int64 // connections given up because Redis moved on without a message
	Messages            int64 // messages received, of any kind
	Changes             int64 // among them: that tell of new content
	Heartbeats          int64 // among them: that tell that the leader is alive
	Resignations        int64 // among them: that tell that a leader gave up
	RefreshAsked        int64 // among them: that ask the leader to poll
	BadMessages         int64 // among them: malformed, or with content that does not fit their hash
	Unknown             int64 // among them: of a type this version does not know
	Dropped             int64 // among them: not looked at because too many came at once
	Resyncs             int64 // times it was asked which content is current because messages may have been missed
	Reads               int64 // reads of the content
	HeadReads           int64 // reads of what is current, without the content
	EntryReads          int64 // reads of the official entry
	FailedReads         int64 // reads that failed
	LaggingReads        int64 // reads that were older than what had been announced
	Applied             int64 // contents put in force
	Inline              int64 // among them: taken from a message
	RefusedBlobs        int64 // blobs and metas refused: malformed, flipped bits, a rev above meta's
	RefusedEntries      int64 // entries refused: malformed
	RefusedConfigs      int64 // contents refused because they are no config
	Anomalies           int64 // other content at the rev that is held
	HoldDowns           int64 // times a lower rev with other content was named, and not followed unless rule 6 came to hold
	Rebases             int64 // times the rev was lowered by rule 6, or by a config that had waited
	Fetches             int64 // times the client asked the CDN itself
	FailedFetches       int64 // among them: without a usable answer
	SuspectFetches      int64 // among them: with a config that was held and replaced within the last 2 minutes, so that the CDN was asked again
	Waits               int64 // times another config in Redis had to wait for one that the client fetched itself
	Reports             int64 // reports to the fleet, see Config.FleetReport
	FailedReports       int64 // among them: not written
	DroppedHooks        int64 // changes and errors that hooks were not told of because they were too slow
	HookPanics          int64 // hooks that panicked or ended their goroutine

	// DroppedEvaluationHooks counts the evaluations that OnFlagEvaluated hooks were not told of
	// because they were too slow.
	DroppedEvaluationHooks int64

	// ApplyTimes are the times from when a message told of newer content until such was in
	// force here, the wait within the spread window included. They are of one clock.
	ApplyTimes Durations
	// PublishToApply are the times from when the leader asked the CDN for content, which is
	// its rev, until it replaced other content here. The rev is of Redis's clock: where the
	// local one differs they are off, by at most the time between two messages.
	PublishToApply Durations
}

// tally is the live form of [Counters].
type tally struct {
	mu sync.Mutex
	n  Counters
}

func (t *tally) inc(counter *int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	*counter++
}

// add counts a duration.
func (t *tally) add(to *Durations, length time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	to.Add(length)
}

func (t *tally) counters() Counters {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n
}
