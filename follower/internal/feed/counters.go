package feed

import (
	"sync"
	"time"

	"github.com/catbridge/catbridge/internal/histogram"
)

// Counters count since the feed started; Waits and Rebases also contain those of the member.
// The package follower documents each.
type Counters struct {
	Connects, Disconnects, FailedSubscriptions, Undelivered          uint64
	Messages, Changes, Heartbeats, Resignations, RefreshAsked        uint64
	ControlAsked, BadMessages, Unknown, Dropped                      uint64
	Resyncs, Reads, HeadReads, EntryReads, FailedReads, LaggingReads uint64
	Applied, Inline, Patched, PatchReads, UnusedPatches              uint64
	RefusedBlobs, RefusedEntries, RefusedConfigs, RefusedPatches     uint64
	Anomalies, HoldDowns                                             uint64
	Rebases, Waits                                                   uint64
	Reports, FailedReports                                           uint64
	ApplyTimes, PublishToApply                                       histogram.Durations
}

// tally is the live form of [Counters].
type tally struct {
	mu sync.Mutex
	n  Counters
}

func (t *tally) inc(counter *uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	*counter++
}

func (t *tally) add(to *histogram.Durations, length time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	to.Add(length)
}

func (t *tally) counters() Counters {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n
}
