package bench

import (
	"slices"
	"time"
)

// Percentile returns the least value that at least a share p of the values do not exceed,
// with p between 0 and 1. Without values it returns 0.
func Percentile(values []float64, p float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	i := int(p*float64(len(sorted)) + 0.999999)
	return sorted[min(max(i, 1), len(sorted))-1]
}

// Median returns the middle value, or the mean of the middle two. Without values it returns
// 0.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

// Median returns the median of the runs.
func (s Series) Median() float64 { return Median(s.Values) }

// Spread returns the minimum and the maximum of the runs.
func (s Series) Spread() (least, most float64) {
	if len(s.Values) == 0 {
		return 0, 0
	}
	return slices.Min(s.Values), slices.Max(s.Values)
}

// Milliseconds converts durations to numbers.
func Milliseconds(durations []time.Duration) []float64 {
	ms := make([]float64, len(durations))
	for i, d := range durations {
		ms[i] = float64(d) / float64(time.Millisecond)
	}
	return ms
}

// Peak returns the greatest number of moments within any interval of that length.
func Peak(moments []time.Time, length time.Duration) float64 {
	sorted := slices.SortedFunc(slices.Values(moments), time.Time.Compare)
	most, first := 0, 0
	for i, at := range sorted {
		for at.Sub(sorted[first]) >= length {
			first++
		}
		most = max(most, i-first+1)
	}
	return float64(most)
}
