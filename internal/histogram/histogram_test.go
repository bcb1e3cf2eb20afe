package histogram

import (
	"slices"
	"testing"
	"time"
)

func TestBoundsRise(t *testing.T) {
	if !slices.IsSorted(Bounds[:]) || slices.Compact(slices.Clone(Bounds[:]))[len(Bounds)-1] != Bounds[len(Bounds)-1] {
		t.Errorf("bounds %v", Bounds)
	}
}

func TestBucketBoundsAreInclusive(t *testing.T) {
	for _, c := range []struct {
		length time.Duration
		bucket int
	}{
		{-time.Hour, 0}, {0, 0}, {Bounds[0], 0}, {Bounds[0] + 1, 1}, {Bounds[3], 3},
		{Bounds[len(Bounds)-1], len(Bounds) - 1}, {Bounds[len(Bounds)-1] + 1, len(Bounds)},
	} {
		var d Durations
		d.Add(c.length)
		if d.Counts[c.bucket] != 1 || d.Count() != 1 || d.Sum != max(0, c.length) {
			t.Errorf("%v: %+v, want it in bucket %d", c.length, d, c.bucket)
		}
	}
}
