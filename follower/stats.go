package follower

import (
	"time"

	"github.com/catbridge/catbridge/follower/internal/feed"
	"github.com/catbridge/catbridge/internal/histogram"
)

// Durations is a histogram of durations.
type Durations = histogram.Durations

// Source says where content comes from.
type Source string

const (
	SourceBlob    Source = "blob"    // the blob in Redis
	SourceMessage Source = "message" // a message that contained the content
	SourceEntry   Source = "entry"   // the entry in Redis that the official SDKs share
	SourceCache   Source = "cache"   // Config.Cache
	SourceCDN     Source = "cdn"     // the CDN
	SourceFile    Source = "file"    // Config.SnapshotFile
)

// State is the state of a client's connection to Redis.
type State string

const (
	Connecting   State = "connecting"   // the first connection is being made
	Live         State = "live"         // subscribed, and a leader is alive
	NoLeader     State = "noLeader"     // subscribed, but there is no leader
	Polling      State = "polling"      // no subscription is possible; the client polls Redis
	Disconnected State = "disconnected" // Redis is unreachable; evaluation uses the config in memory
	Unsubscribed State = "unsubscribed" // the polling mode does not subscribe, or there is no Redis
	Closed       State = "closed"       // [Client.Close] was called
)

// Stats describes a client at one time.
type Stats struct {
	Rev    int64  // of the content in force; 0: there is none
	Hash   string // SHA-256 of its config JSON
	ETag   string // of its config JSON; a message contains the hash of a long one instead
	Source Source // where it comes from; empty: there is none

	// Age is how long ago the CDN last confirmed the content in force, as far as the leader's
	// messages state it (I14). If HasCDN is not set, it is unknown.
	Age    time.Duration
	HasCDN bool
	// Poll is the interval at which the leader asks the CDN.
	Poll time.Duration

	State State
	Epoch int64 // of the leader that was seen last; 0: none

	EvaluationErrors EvaluationErrors // since the client was created

	Counters
}

// Counters count since the client was created. The counters about Redis are common to the
// clients that share a subscription, and count since the first of them was created.
type Counters struct {
	Connects            int64 // subscriptions that were acknowledged
	Disconnects         int64 // subscriptions that ended although the client did not close them
	FailedSubscriptions int64 // subscriptions that failed although Redis answered
	Undelivered         int64 // connections given up because they delivered no messages of a live leader
	Messages            int64 // messages received, of any kind
	Changes             int64 // among them: announcements of new content
	Heartbeats          int64 // among them: heartbeats of a leader
	Resignations        int64 // among them: resignations of a leader
	RefreshAsked        int64 // among them: refresh requests to the leader
	BadMessages         int64 // among them: malformed, or with content that does not match their hash
	Unknown             int64 // among them: of a type that this version does not know
	Dropped             int64 // among them: dropped because too many arrived at once
	Resyncs             int64 // reads of what is current because messages may have been missed
	Reads               int64 // reads of the content
	HeadReads           int64 // reads of what is current, without the content
	EntryReads          int64 // reads of the official entry
	FailedReads         int64 // reads that failed
	LaggingReads        int64 // reads that returned older content than was announced
	Applied             int64 // contents put in force
	Inline              int64 // among them: contained in a message
	RefusedBlobs        int64 // blobs and metas rejected: malformed, flipped bits, a rev above meta's
	RefusedEntries      int64 // entries rejected: malformed
	RefusedConfigs      int64 // contents rejected: not a valid config
	Anomalies           int64 // times Redis named other content at the rev in force
	HoldDowns           int64 // times Redis named a lower rev with other content, which only the rebase rule accepts
	Rebases             int64 // times the rebase rule, or a config that had waited, lowered the rev
	Fetches             int64 // times the client asked the CDN itself
	FailedFetches       int64 // among them: without a usable answer
	SuspectFetches      int64 // among them: with a config replaced within the last 2 minutes, so the CDN was asked again
	Waits               int64 // times a config in Redis had to wait because the client fetched another one itself
	Reports             int64 // reports to the fleet, see Config.FleetReport
	FailedReports       int64 // among them: not written
	DroppedHooks        int64 // calls of hooks for changes and errors that were dropped because hooks were too slow
	HookPanics          int64 // hooks that panicked or ended their goroutine

	// DroppedEvaluationHooks counts the evaluations that were not reported to OnFlagEvaluated
	// hooks because the hooks were too slow.
	DroppedEvaluationHooks int64

	// ApplyTimes are the times from a message that announces newer content until newer content
	// is in force, including the wait within the spread window, by the local clock.
	ApplyTimes Durations
	// PublishToApply are the times from the leader's request to the CDN until the content
	// replaces other content here. The rev states the time of the request by Redis's clock: if
	// the local clock differs, the times are wrong by at most the time between two messages.
	PublishToApply Durations
}

// Stats returns the client's current state and counters.
func (c *Client) Stats() Stats {
	stats := Stats{State: Unsubscribed}
	if f := c.feed; f != nil {
		status := f.Status()
		stats = Stats{State: State(status.State), Epoch: status.Epoch, Poll: status.Poll, Counters: countersOf(f.Counters())}
	}
	stats.Fetches, stats.FailedFetches = c.updater.fetcher.fetches.Load(), c.updater.fetcher.failed.Load()
	stats.SuspectFetches = c.updater.fetcher.suspect.Load()
	stats.EvaluationErrors = c.failed.read()
	stats.DroppedHooks, stats.DroppedEvaluationHooks = c.hooks.droppedCalls(), c.hooks.evaluated.dropped.Load()
	stats.HookPanics = c.hooks.panics.Load()
	if c.isClosed() {
		stats.State = Closed
	}
	if s := c.holder.Current(); s != nil {
		stats.Rev, stats.Hash, stats.ETag, stats.Source = s.Rev, s.Hash, s.ETag, Source(s.Source)
	}
	stats.Age, stats.HasCDN = c.holder.Answer().Age(time.Now())
	return stats
}

// countersOf returns the counters of a feed.
func countersOf(c feed.Counters) Counters {
	return Counters{
		Connects: c.Connects, Disconnects: c.Disconnects, FailedSubscriptions: c.FailedSubscriptions, Undelivered: c.Undelivered,
		Messages: c.Messages, Changes: c.Changes, Heartbeats: c.Heartbeats, Resignations: c.Resignations, RefreshAsked: c.RefreshAsked,
		BadMessages: c.BadMessages, Unknown: c.Unknown, Dropped: c.Dropped,
		Resyncs: c.Resyncs, Reads: c.Reads, HeadReads: c.HeadReads, EntryReads: c.EntryReads, FailedReads: c.FailedReads,
		LaggingReads: c.LaggingReads, Applied: c.Applied, Inline: c.Inline,
		RefusedBlobs: c.RefusedBlobs, RefusedEntries: c.RefusedEntries, RefusedConfigs: c.RefusedConfigs, Anomalies: c.Anomalies,
		HoldDowns: c.HoldDowns, Rebases: c.Rebases, Waits: c.Waits, Reports: c.Reports, FailedReports: c.FailedReports,
		ApplyTimes: c.ApplyTimes, PublishToApply: c.PublishToApply,
	}
}
