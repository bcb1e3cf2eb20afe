package follower

import (
	"time"

	"github.com/catbridge/catbridge/follower/internal/feed"
	"github.com/catbridge/catbridge/internal/histogram"
)

// Source says where content comes from.
type Source string

const (
	SourceBlob    Source = "blob"    // the blob in Redis
	SourceMessage Source = "message" // a message that contained the content, or a patch
	SourcePatches Source = "patches" // the patches in Redis, applied to the content before
	SourceEntry   Source = "entry"   // the entry in Redis that the official SDKs share
	SourceCache   Source = "cache"   // Config.Cache
	SourceCDN     Source = "cdn"     // the CDN
	SourceFile    Source = "file"    // Config.SnapshotFile
)

// Stats describes a client at one time, see [Client.Stats].
type Stats struct {
	Rev    int64  // of the content in force; 0: there is none
	Hash   string // SHA-256 of its config JSON
	ETag   string // of its config JSON; a message contains the hash of a long one instead
	Source Source // where it comes from; empty: there is none

	// LastConfirmed is when the CDN last confirmed the content in force, by the local clock, as far
	// as the leader's messages state it (I14). Zero: unknown.
	LastConfirmed time.Time
	// PollInterval is the interval at which the leader asks the CDN, the default of a leader before
	// the first message. 0: the client does not read Redis.
	PollInterval time.Duration

	State State // of the connection to Redis
	Epoch int64 // of the leader that was seen last; 0: none

	// Control is the seq of the operator's control (pin or force) that is in force as far as leaders
	// said, about the time of the operator's last command in Unix ms; 0: none. Meanwhile the
	// leader's content need not be the CDN's, and the client uses neither the entry that official
	// SDKs share nor the CDN (I1).
	Control int64

	EvaluationErrors EvaluationErrors // since the client was created

	Counters
}

// Counters count since the client was created. The counters about Redis are common to the
// clients that share a subscription, and count since the first of them was created.
type Counters struct {
	Connects            uint64 // subscriptions that were acknowledged
	Disconnects         uint64 // subscriptions that ended although the client did not close them
	FailedSubscriptions uint64 // subscriptions that failed although Redis answered
	Undelivered         uint64 // connections given up because they delivered no messages of a live leader
	Messages            uint64 // messages received, of any kind
	Changes             uint64 // among them: announcements of new content
	Heartbeats          uint64 // among them: heartbeats of a leader
	Resignations        uint64 // among them: resignations of a leader
	RefreshAsked        uint64 // among them: refresh requests to the leader
	ControlAsked        uint64 // among them: requests to the leader to read a changed control of an operator
	BadMessages         uint64 // among them: malformed, or with content that does not match their hash
	Unknown             uint64 // among them: of a type that this version does not know
	Dropped             uint64 // among them: dropped because too many arrived at once
	Resyncs             uint64 // reads of what is current because messages may have been missed
	Reads               uint64 // reads of the content
	HeadReads           uint64 // reads of what is current, without the content
	EntryReads          uint64 // reads of the official entry
	FailedReads         uint64 // reads that failed
	LaggingReads        uint64 // reads that returned older content than was announced
	Applied             uint64 // contents put in force
	Inline              uint64 // among them: contained in a message
	Patched             uint64 // among them: made of the content before by patches, in a message or read
	PatchReads          uint64 // reads of the patches
	UnusedPatches       uint64 // messages with a patch, and reads of the patches, that do not start from the content in force
	RefusedPatches      uint64 // patches rejected: malformed, or the result does not have its hash; the content is read instead
	RefusedBlobs        uint64 // blobs and metas rejected: malformed, flipped bits, a rev above meta's
	RefusedEntries      uint64 // entries rejected: malformed
	RefusedConfigs      uint64 // contents rejected: not a valid config
	Anomalies           uint64 // times Redis named other content at the rev in force
	HoldDowns           uint64 // times Redis named a lower rev with other content, which only the rebase rule accepts
	Rebases             uint64 // times the rebase rule, or a config that had waited, lowered the rev
	Fetches             uint64 // times the client asked the CDN itself
	FailedFetches       uint64 // among them: without a usable answer
	SuspectFetches      uint64 // among them: with a config replaced within the last 2 minutes, so the CDN was asked again
	Waits               uint64 // times a config in Redis had to wait because the client fetched another one itself
	Reports             uint64 // reports to the fleet, see Config.FleetReport
	FailedReports       uint64 // among them: not written
	DroppedHooks        uint64 // calls of hooks for changes and errors that were dropped because hooks were too slow
	HookPanics          uint64 // hooks that panicked or ended their goroutine

	// DroppedEvaluationHooks counts the evaluations that were not reported to OnFlagEvaluated
	// hooks because the hooks were too slow.
	DroppedEvaluationHooks uint64

	// ApplyTimes are the times from a message that announces newer content until newer content
	// is in force, including the wait within the spread window, by the local clock.
	ApplyTimes Durations
	// PublishToApply are the times from the leader's request to the CDN until the content
	// replaces other content here. The rev states the time of the request by Redis's clock: if
	// the local clock differs, the times are wrong by at most the time between two messages.
	// A change that an operator's control causes is not counted.
	PublishToApply Durations
}

// Durations counts durations by length. The zero value has none.
type Durations struct {
	// Counts has the number of durations in each bucket: above the previous bound, up to and
	// including its own. The bounds are 1, 2.5, 5, 10, 25, 50, 100, 250 and 500 ms, 1, 2.5, 5,
	// 10 and 30 s, and 1, 2 and 5 min. The last bucket has no bound.
	Counts [18]uint64
	Sum    time.Duration // of all durations
}

// Count returns the number of all durations.
func (d Durations) Count() uint64 { return histogram.Durations(d).Count() }

// Stats returns the client's current state and counters. It does not ask Redis or the CDN.
func (c *Client) Stats() Stats {
	stats := Stats{State: StateUnsubscribed}
	if f := c.feed; f != nil {
		status := f.Status()
		stats = Stats{State: State(status.State), Epoch: status.Epoch, PollInterval: status.Poll, Control: status.Control, Counters: countersOf(f.Counters())}
	}
	stats.Fetches, stats.FailedFetches = c.updater.fetcher.fetches.Load(), c.updater.fetcher.failed.Load()
	stats.SuspectFetches = c.updater.fetcher.suspect.Load()
	stats.EvaluationErrors = c.failed.read()
	stats.DroppedHooks, stats.DroppedEvaluationHooks = c.hooks.droppedCalls(), c.hooks.evaluated.dropped.Load()
	stats.HookPanics = c.hooks.panics.Load()
	if c.isClosed() {
		stats.State = StateClosed
	}
	if s := c.holder.Current(); s != nil {
		stats.Rev, stats.Hash, stats.ETag, stats.Source = s.Rev, s.Hash, s.ETag, Source(s.Source)
	}
	now := time.Now()
	if age, known := c.holder.Answer().Age(now); known {
		stats.LastConfirmed = now.Add(-age)
	}
	return stats
}

// countersOf returns the counters of a feed.
func countersOf(c feed.Counters) Counters {
	return Counters{
		Connects: c.Connects, Disconnects: c.Disconnects, FailedSubscriptions: c.FailedSubscriptions, Undelivered: c.Undelivered,
		Messages: c.Messages, Changes: c.Changes, Heartbeats: c.Heartbeats, Resignations: c.Resignations, RefreshAsked: c.RefreshAsked, ControlAsked: c.ControlAsked,
		BadMessages: c.BadMessages, Unknown: c.Unknown, Dropped: c.Dropped,
		Resyncs: c.Resyncs, Reads: c.Reads, HeadReads: c.HeadReads, EntryReads: c.EntryReads, FailedReads: c.FailedReads,
		LaggingReads: c.LaggingReads, Applied: c.Applied, Inline: c.Inline,
		Patched: c.Patched, PatchReads: c.PatchReads, UnusedPatches: c.UnusedPatches, RefusedPatches: c.RefusedPatches,
		RefusedBlobs: c.RefusedBlobs, RefusedEntries: c.RefusedEntries, RefusedConfigs: c.RefusedConfigs, Anomalies: c.Anomalies,
		HoldDowns: c.HoldDowns, Rebases: c.Rebases, Waits: c.Waits, Reports: c.Reports, FailedReports: c.FailedReports,
		ApplyTimes: Durations(c.ApplyTimes), PublishToApply: Durations(c.PublishToApply),
	}
}
