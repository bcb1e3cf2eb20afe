package bench_test

import (
	"encoding/json"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/catbridge/catbridge/evaluate"
	fetching "github.com/catbridge/catbridge/internal/cdn"
	"github.com/catbridge/catbridge/internal/patch"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader"
	"github.com/catbridge/catbridge/leader/otel"
	"github.com/catbridge/catbridge/test/bench"
)

// The time of each step until one follower evaluates a change, from the leader's traces.
func BenchmarkSteps(b *testing.B) {
	for _, p := range []struct{ bytes, rounds int }{{10 << 10, pick(3, 50)}, {1 << 20, pick(3, 30)}, {5 << 20, pick(0, 10)}} {
		if p.rounds == 0 {
			continue
		}
		measure(b, "steps", func(m *measurement) { steps(m, p.bytes, p.rounds) }, "bytes", p.bytes)
	}
}

func steps(m *measurement, size, rounds int) {
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
		m.put(step+"-p99", "ms", bench.Percentile(ms, 0.99))
	}
	m.alone(b.cdn)
}

// alone records the time of parts of these steps on an idle machine, one after the other, and the
// floor of a change that one follower evaluates: the CDN's answer, its hash, one pass over the JSON
// and the patch applied.
func (m *measurement) alone(cdn *origin) {
	was, now := cdn.content.Edited(cdn.version(), cdn.edit), cdn.content.Edited(cdn.version()+1, cdn.edit)
	held, err := evaluate.Parse(was)
	if err != nil {
		m.Fatal(err)
	}
	made := patch.Make(m.Context(), was, now, wire.MaxPatchesBytes)
	fetcher, err := fetching.New(fetching.Config{SDKKey: sdkKey, BaseURL: cdn.URL})
	if err != nil {
		m.Fatal(err)
	}
	defer fetcher.Close()
	times := map[string]float64{"cdn-request": cdnRequest(m, cdn)}
	for part, run := range map[string]func(){
		"fetch-and-check": func() { _, err = fetcher.Fetch(m.Context(), "") },
		"hash":            func() { wire.ContentHash(now) },
		"json-valid":      func() { json.Valid(now) },
		"recompile":       func() { _, err = evaluate.Reparse(held, now) },
		"make-patch":      func() { patch.Make(m.Context(), was, now, wire.MaxPatchesBytes) },
		"apply-patch":     func() { _, err = patch.Apply(was, made, len(now)) },
		"compress":        func() { wire.Encode(now) },
	} {
		var all []time.Duration
		for range 20 {
			start := time.Now()
			if run(); err != nil {
				m.Fatalf("%s: %v", part, err)
			}
			all = append(all, time.Since(start))
		}
		times[part] = bench.Median(bench.Milliseconds(all))
	}
	for part, ms := range times {
		m.put(part, "ms", ms)
	}
	m.put("floor", "ms", times["cdn-request"]+times["hash"]+times["json-valid"]+times["apply-patch"])
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
