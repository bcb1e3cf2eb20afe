package bench_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/catbridge/catbridge/leader"
	"github.com/catbridge/catbridge/leader/otel"
	"github.com/catbridge/catbridge/test/bench"
)

// The time of each step until one follower evaluates a change, from the leader's traces.
func BenchmarkSteps(b *testing.B) {
	measure(b, "steps", func(m *measurement) { steps(m, 10<<10, pick(3, 100)) }, "bytes", 10<<10)
	if *full {
		measure(b, "steps", func(m *measurement) { steps(m, 1000<<10, 30) }, "bytes", 1000<<10)
	}
}

func steps(m *measurement, size, rounds int) {
	m.labels = m.labels.With("of", "median")
	s, recorder := startRedis(m, nil), tracetest.NewSpanRecorder()
	b := startBridge(m, s, size, func(cfg *leader.Config) {
		cfg.ReadBudget, cfg.Tracer = noSpread, otel.NewTracer(trace.NewTracerProvider(trace.WithSpanProcessor(recorder)))
	})
	r := &race{measurement: m, followers: 1}
	var current atomic.Pointer[round]
	r.startFollowers(b, &current)
	times := map[string][]time.Duration{}
	for i := range rounds + 1 {
		pause(m, fetchGap)
		recorder.Reset()
		next := newRound(b.cdn.publish(), 1)
		current.Store(next)
		if status := b.call(); status != http.StatusOK {
			m.Fatalf("the webhook was answered by %d", status)
		}
		took := next.wait(m)[0]
		until(m, "the poll is over", func() bool { return ended(recorder, "catbridge.poll") != nil })
		if i == 0 {
			continue // to make connections and load scripts
		}
		poll, fetch, commit := ended(recorder, "catbridge.poll"), ended(recorder, "catbridge.fetch"), ended(recorder, "catbridge.commit")
		for step, d := range map[string]time.Duration{
			"asked":   poll.StartTime().Sub(next.start),
			"fetched": fetch.EndTime().Sub(poll.StartTime()),
			"encoded": commit.StartTime().Sub(fetch.EndTime()),
			"applied": next.start.Add(took).Sub(commit.StartTime()),
			"all":     took,
		} {
			times[step] = append(times[step], d)
		}
	}
	for step, all := range times {
		ms := bench.Milliseconds(all)
		m.put(step, "ms", bench.Median(ms))
		m.putFor(m.labels.With("of", "p99"), step, "ms", bench.Percentile(ms, 0.99))
	}
	m.put("cdn-request", "ms", cdnRequest(m, b.cdn))
}

// ended returns the span of that name; nil: none has ended.
func ended(recorder *tracetest.SpanRecorder, name string) trace.ReadOnlySpan {
	for _, span := range recorder.Ended() {
		if span.Name() == name {
			return span
		}
	}
	return nil
}
