package bench_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/test/bench"
)

// From the creation of a client to its first evaluation, compared with connecting, GET and
// compiling.
func BenchmarkReady(b *testing.B) {
	for _, bytes := range pick([]int{200 << 10}, []int{1 << 10, 10 << 10, 200 << 10, 1 << 20, 5 << 20}) {
		measure(b, "ready", func(m *measurement) { ready(m, bytes, pick(15, 50)) }, "bytes", bytes)
	}
}

func ready(m *measurement, bytes, rounds int) {
	s := startRedis(m, nil)
	w := newWriter(m, s.client(m), bytes)
	var own, raw []time.Duration
	for range rounds {
		version := w.write()
		runtime.GC() // so that no compiled content of an earlier round is in memory
		client := s.client(m)
		start := time.Now()
		data, err := client.Get(m.Context(), w.keys.Blob).Bytes()
		if err != nil {
			m.Fatal(err)
		}
		value, _ := compile(m, data).EvaluateValue(bench.VersionFlag, nil, evaluate.IntValue(0), nil)
		raw = append(raw, time.Since(start))
		client = s.client(m)
		start = time.Now()
		c := openFollower(m, client)
		awaitReady(m, c)
		held := versionOf(c)
		own = append(own, time.Since(start))
		c.Close()
		if value.Int() != version || held != version {
			m.Fatalf("versions %d and %d, want %d", value.Int(), held, version)
		}
	}
	for via, times := range map[string][]time.Duration{"bridge": own, "floor": raw} {
		labels := m.labels.With("via", via)
		m.putFor(labels, "p50", "ms", bench.Median(bench.Milliseconds(times)))
		m.putFor(labels, "p99", "ms", bench.Percentile(bench.Milliseconds(times), 0.99))
	}
}

// The memory of one follower, also after many edits of different flags.
func BenchmarkFollowerMemory(b *testing.B) {
	for _, bytes := range pick([]int{10 << 10, 1 << 20}, []int{1 << 10, 10 << 10, 100 << 10, 1 << 20, 5 << 20}) {
		edits := 0
		if bytes == 1<<20 {
			edits = pick(50, 1000)
		}
		measure(b, "memory", func(m *measurement) { memory(m, bytes, edits) }, "bytes", bytes)
	}
}

func memory(m *measurement, bytes, edits int) {
	s := startRedis(m, nil)
	w := newWriter(m, s.client(m), bytes)
	w.publish(w.content.After(0), 0)
	before := heap()
	c := follow(m, s.client(m))
	awaitReady(m, c)
	held := float64(heap()) - float64(before)
	content, _ := c.Content()
	size := float64(len(content.JSON))
	m.put("heap", "B", held)
	m.put("heap-per-byte", "x", held/size)
	if edits > 0 {
		for n := range edits {
			w.publish(w.content.After(n+1), int64(n+1))
			until(m, "the follower has the edit", func() bool { return versionOf(c) == int64(n+1) })
		}
		edited := float64(heap()) - float64(before)
		m.put("edits", "1", float64(edits))
		m.put("edited-heap", "B", edited)
		m.put("edited-heap-per-byte", "x", edited/size)
	}
	c.Close()
	runtime.KeepAlive(w) // it was in memory before, too
}

// The usage of followers while nothing changes: heartbeats and PINGs.
func BenchmarkIdle(b *testing.B) {
	measure(b, "idle", func(m *measurement) { idle(m, 1000, pick(4*time.Second, 30*time.Second)) }, "followers", 1000)
}

func idle(m *measurement, followers int, watch time.Duration) {
	s, cdn := startRedis(m, nil), startOrigin(m, 10<<10)
	startChild(m, childConfig{Redis: s.Addr(), CDN: cdn.URL, Keys: 1})
	pause(m, min(watch, time.Second))
	alone := idling(m, s, watch) // the usage of Redis and this process without followers
	all := make([]*follower.Client, followers)
	for i := range all {
		all[i] = follow(m, s.client(m))
	}
	defer closeAll(all)
	for _, c := range all {
		until(m, "a follower is live", func() bool { return c.Stats().State == follower.StateLive && versionOf(c) != 0 })
	}
	pause(m, min(watch, time.Second))
	together := idling(m, s, watch)
	each := func(of func(i idled) float64) float64 { return max(of(together)-of(alone), 0) / float64(followers) }
	m.put("cpu-follower", "µs/s", each(func(i idled) float64 { return 1e6 * i.cpu }))
	m.put("redis-cpu-follower", "µs/s", each(func(i idled) float64 { return 1e6 * i.redis }))
	m.put("redis-bytes-follower", "B/s", each(func(i idled) float64 { return i.bytes }))
}

// idled is the usage per second while nothing changes: processor time of this process and
// of Redis, and bytes.
type idled struct{ cpu, redis, bytes float64 }

func idling(m *measurement, s *server, watch time.Duration) idled {
	asking := s.asking(m)
	cpu, used, start := ownCPU(m), s.usage(m), time.Now()
	pause(m, watch)
	seconds := time.Since(start).Seconds()
	used = s.usage(m).since(used, asking)
	return idled{(ownCPU(m) - cpu) / seconds, used.cpu / seconds, (used.in + used.out) / seconds}
}
