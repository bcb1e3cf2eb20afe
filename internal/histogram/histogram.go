// Package histogram counts durations by length, for the statistics of leader and follower.
package histogram

import (
	"slices"
	"time"
)

// Bounds are the inclusive upper bounds of the buckets, in rising order: from a read on the same
// machine to the slowest plausible change.
var Bounds = [...]time.Duration{
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond, time.Second,
	2500 * time.Millisecond, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute,
}

// Durations counts durations by length. The zero value is empty. A copy is a snapshot. It is not
// safe for concurrent use.
type Durations struct {
	// Counts has the number of durations in each bucket: above the previous bound, up to and
	// including its own. The last bucket is above all [Bounds].
	Counts [len(Bounds) + 1]uint64
	Sum    time.Duration
}

// Add counts a duration. A negative one, which only different clocks cause, counts as 0.
func (d *Durations) Add(length time.Duration) {
	length = max(0, length)
	bucket, _ := slices.BinarySearch(Bounds[:], length)
	d.Counts[bucket]++
	d.Sum += length
}

// Count returns the number of all durations.
func (d Durations) Count() uint64 {
	var n uint64
	for _, c := range d.Counts {
		n += c
	}
	return n
}
