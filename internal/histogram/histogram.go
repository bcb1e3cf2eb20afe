// Package histogram counts durations by their length, for what leader and follower
// tell of themselves.
package histogram

import (
	"slices"
	"time"
)

// Bounds are the upper ends of the buckets, inclusive and rising: from a read on the
// same machine to the slowest change that is still one.
var Bounds = [...]time.Duration{
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond, time.Second,
	2500 * time.Millisecond, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute,
}

// Durations counts durations by their length. It is a plain value: the zero value has
// counted none, a copy is a snapshot, and whoever shares one guards it.
type Durations struct {
	// Counts has the number of durations in each bucket, above the bound before and up
	// to its own; the last is of those above all of [Bounds].
	Counts [len(Bounds) + 1]uint64
	Sum    time.Duration
}

// Add counts a duration. A negative one, which only clocks that differ can give, counts as 0.
func (d *Durations) Add(length time.Duration) {
	length = max(0, length)
	bucket, _ := slices.BinarySearch(Bounds[:], length)
	d.Counts[bucket]++
	d.Sum += length
}

// Count is the number of all durations.
func (d Durations) Count() uint64 {
	var n uint64
	for _, c := range d.Counts {
		n += c
	}
	return n
}
