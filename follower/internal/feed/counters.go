package feed

import (
	"sync"
	"time"

	"github.com/catbridge/catbridge/internal/histogram"
)

// Counters count since the feed started; Waits and Rebases also contain those of the member.
// The package follower documents each.
type Counters struct {
	Connects, Disconnects, FailedSubscriptions, Undelivered            int64
	Messages, Changes, Heartbeats, Resignations, RefreshAsked          int64
	BadMessages, Unknown, Dropped                                      int64
	Resyncs, Reads, HeadReads, EntryReads, FailedReads, LaggingReads   int64
	Applied, Inline                                                    int64
	RefusedBlobs, RefusedEntries, RefusedConfigs, Anomalies, HoldDowns int64
	Rebases, Waits                                                     int64
	Reports, FailedReports                                             int64
	ApplyTimes, PublishToApply                                         histogram.Durations
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
