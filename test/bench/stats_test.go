package bench_test

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/test/bench"
)

func TestStatisticsOfFewValues(t *testing.T) {
	for _, c := range []struct {
		values           []float64
		median, p50, p99 float64
	}{
		{nil, 0, 0, 0},
		{[]float64{3}, 3, 3, 3},
		{[]float64{4, 1}, 2.5, 1, 4},
		{[]float64{5, 1, 3}, 3, 3, 5},
	} {
		median, p50, p99 := bench.Median(c.values), bench.Percentile(c.values, 0.5), bench.Percentile(c.values, 0.99)
		if median != c.median || p50 != c.p50 || p99 != c.p99 {
			t.Errorf("%v: %v, %v, %v", c.values, median, p50, p99)
		}
	}
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(i + 1)
	}
	if p99 := bench.Percentile(hundred, 0.99); p99 != 99 {
		t.Errorf("the 99th percentile of 1 to 100 is %v", p99)
	}
}

func TestPeakIsThatOfTheFullestInterval(t *testing.T) {
	start := time.Now()
	var moments []time.Time
	for _, ms := range []int{0, 90, 300, 350, 399, 400, 900} {
		moments = append(moments, start.Add(time.Duration(ms)*time.Millisecond))
	}
	if got := bench.Peak(moments, 100*time.Millisecond); got != 3 { // 300 to 399; 400 is 100 ms after 300
		t.Errorf("%v", got)
	}
}
