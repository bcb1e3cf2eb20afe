package bench_test

import (
	"context"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/test/bench"
)

// A thousand changes a second reach one follower.
func BenchmarkChanges(b *testing.B) {
	for _, bytes := range []int{1 << 10, 100 << 10} {
		measure(b, "changes", func(m *measurement) { changes(m, bytes, 1000, pick(1500*time.Millisecond, 10*time.Second)) }, "bytes", bytes)
	}
}

func changes(m *measurement, bytes, perSecond int, watch time.Duration) {
	s := startRedis(m, nil)
	w := newWriter(m, s.client(m), bytes)
	w.write()
	idle := writing(m, w, perSecond, watch) // the cost of the writes alone
	c := follow(m, s.client(m))
	awaitReady(m, c)
	before := c.Stats().Counters
	busy := writing(m, w, perSecond, watch)
	last := w.write()
	until(m, "the last change has taken effect", func() bool { return versionOf(c) == last })
	after := c.Stats().Counters
	m.put("written", "1/s", busy.writes)
	m.put("applied", "1/s", float64(after.Applied-before.Applied)/watch.Seconds())
	m.put("reads", "1/s", float64(after.Reads-before.Reads)/watch.Seconds())
	m.put("dropped", "1/s", float64(after.Dropped-before.Dropped)/watch.Seconds())
	m.put("cpu", "%", max(100*(busy.cpu-idle.cpu), 0))
	c.Close()
}

type wrote struct{ writes, cpu float64 } // per second

func writing(m *measurement, w *writer, perSecond int, watch time.Duration) wrote {
	ctx, cancel := context.WithTimeout(m.Context(), watch)
	defer cancel()
	cpu, start := ownCPU(m), time.Now()
	n := w.writeAt(ctx, perSecond)
	seconds := time.Since(start).Seconds()
	return wrote{float64(n) / seconds, (ownCPU(m) - cpu) / seconds}
}

// Evaluation on several cores at once, with and without config swaps.
func BenchmarkSwap(b *testing.B) {
	for _, cores := range []int{1, 2} {
		measure(b, "swap", func(m *measurement) { swap(m, cores, 100, pick(time.Second, 3*time.Second)) }, "cores", cores)
	}
}

func swap(m *measurement, cores, perSecond int, watch time.Duration) {
	s := startRedis(m, nil)
	w := newWriter(m, s.client(m), 10<<10)
	w.write()
	c := follow(m, s.client(m))
	awaitReady(m, c)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
	m.put("still", "ns", evaluating(c, cores, watch))
	m.put("floor", "ns", onCores(cores, watch, load()))
	ctx, cancel := context.WithCancel(m.Context())
	var writer sync.WaitGroup
	writer.Go(func() { w.writeAt(ctx, perSecond) })
	before := c.Stats().Applied
	m.put("swapping", "ns", evaluating(c, cores, watch))
	m.put("swaps", "1/s", float64(c.Stats().Applied-before)/watch.Seconds())
	cancel()
	writer.Wait()
	c.Close()
}

// evaluating returns the time of an evaluation, in ns, on each of the cores.
func evaluating(c *follower.Client, cores int, watch time.Duration) float64 {
	return onCores(cores, watch, func() { c.GetIntValue(bench.VersionFlag, 0, nil) })
}

// load returns the floor of an evaluation: an atomic load and a map lookup.
func load() func() {
	values := map[string]evaluate.Value{bench.VersionFlag: evaluate.IntValue(1)}
	for i := range 40 {
		values["flag_"+strconv.Itoa(i)] = evaluate.IntValue(int64(i))
	}
	var current atomic.Pointer[map[string]evaluate.Value]
	current.Store(&values)
	return func() { _ = (*current.Load())[bench.VersionFlag].Int() }
}

// onCores calls f on several goroutines, and returns the time of a call in ns.
func onCores(goroutines int, watch time.Duration, f func()) float64 {
	var calls atomic.Int64
	var group sync.WaitGroup
	start := time.Now()
	for range goroutines {
		group.Go(func() {
			const chunk = 1000
			n := int64(0)
			for time.Since(start) < watch {
				for range chunk {
					f()
				}
				n += chunk
			}
			calls.Add(n)
		})
	}
	group.Wait()
	return float64(time.Since(start).Nanoseconds()) * float64(goroutines) / float64(calls.Load())
}
