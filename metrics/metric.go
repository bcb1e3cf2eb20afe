package metrics

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/catbridge/catbridge/internal/histogram"
)

// nameLabel distinguishes SDK keys by their names, never by the keys themselves (I13).
const nameLabel = "sdk_key"

type kind string

const (
	gauge     kind = "gauge"
	counter   kind = "counter"
	durations kind = "histogram"
)

// metric is one metric of every S, and how to read it.
type metric[S any] struct {
	name  string
	kind  kind
	label string // in addition to the family's; empty: none
	other string // a further label of readPairs
	help  string
	// Exactly one is set. read emits a value for each value of the label, or none if it is
	// unknown.
	read  func(s *S, now time.Time, emit func(value float64, label string))
	times func(s *S) histogram.Durations
	// readPairs is read for a metric with two labels.
	readPairs func(s *S, emit func(value float64, label, other string))
}

// family is a list of metrics with common labels.
type family[S any] struct {
	labels  []string // of all metrics
	metrics []metric[S]
	descs   []*prometheus.Desc
}

func newFamily[S any](labels []string, metrics []metric[S]) family[S] {
	f := family[S]{labels: labels, metrics: metrics}
	for _, m := range metrics {
		labels := slices.Clone(labels)
		if m.label != "" {
			labels = append(labels, m.label)
		}
		if m.other != "" {
			labels = append(labels, m.other)
		}
		f.descs = append(f.descs, prometheus.NewDesc(m.name, m.help, labels, nil))
	}
	return f
}

func (f family[S]) describe(to chan<- *prometheus.Desc) {
	for _, d := range f.descs {
		to <- d
	}
}

// collect sends the metrics of s; names are the values of the family's labels.
func (f family[S]) collect(to chan<- prometheus.Metric, s *S, now time.Time, names ...string) {
	for i, m := range f.metrics {
		desc := f.descs[i]
		if m.times != nil {
			to <- constHistogram(desc, m.times(s), names)
			continue
		}
		kind := prometheus.GaugeValue
		if m.kind == counter {
			kind = prometheus.CounterValue
		}
		if m.readPairs != nil {
			m.readPairs(s, func(value float64, label, other string) {
				to <- prometheus.MustNewConstMetric(desc, kind, value, append(slices.Clone(names), label, other)...)
			})
			continue
		}
		m.read(s, now, func(value float64, label string) {
			labels := slices.Clone(names)
			if m.label != "" {
				labels = append(labels, label)
			}
			to <- prometheus.MustNewConstMetric(desc, kind, value, labels...)
		})
	}
}

func constHistogram(desc *prometheus.Desc, d histogram.Durations, names []string) prometheus.Metric {
	buckets := make(map[float64]uint64, len(histogram.Bounds))
	var below uint64
	for i, bound := range histogram.Bounds {
		below += d.Counts[i]
		buckets[bound.Seconds()] = below
	}
	return prometheus.MustNewConstHistogram(desc, d.Count(), d.Sum.Seconds(), buckets, names...)
}

// number is a type of the counters in Stats.
type number interface{ ~int | ~int64 | ~uint64 }

func value[S any, N number](of func(*S) N) func(*S, time.Time, func(float64, string)) {
	return func(s *S, _ time.Time, emit func(float64, string)) { emit(float64(of(s)), "") }
}

// either reads a condition: 1 if it is true, otherwise 0.
func either[S any](holds func(*S) bool) func(*S, time.Time, func(float64, string)) {
	return func(s *S, _ time.Time, emit func(float64, string)) { emit(bit(holds(s)), "") }
}

func bit(holds bool) float64 {
	if holds {
		return 1
	}
	return 0
}

// seconds reads a duration.
func seconds[S any](of func(*S) time.Duration) func(*S, time.Time, func(float64, string)) {
	return func(s *S, _ time.Time, emit func(float64, string)) { emit(of(s).Seconds(), "") }
}

// timestamp reads a time; the zero time is unknown.
func timestamp[S any](of func(*S) time.Time) func(*S, time.Time, func(float64, string)) {
	return func(s *S, _ time.Time, emit func(float64, string)) {
		if at := of(s); !at.IsZero() {
			emit(float64(at.UnixMilli())/1000, "")
		}
	}
}

// oneOf reads a state: 1 for the current one, 0 for the others.
func oneOf[S any, V ~string](of func(*S) V, all ...V) func(*S, time.Time, func(float64, string)) {
	return func(s *S, _ time.Time, emit func(float64, string)) {
		is := of(s)
		for _, v := range all {
			emit(bit(v == is), string(v))
		}
	}
}

// part is one value of a label.
type part[S any, N number] struct {
	label string
	of    func(*S) N
}

// parts reads one number for each value of a label.
func parts[S any, N number](all ...part[S, N]) func(*S, time.Time, func(float64, string)) {
	return func(s *S, _ time.Time, emit func(float64, string)) {
		for _, p := range all {
			emit(float64(p.of(s)), p.label)
		}
	}
}
