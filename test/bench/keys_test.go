package bench_test

import (
	"testing"
	"time"
)

// keysCase is a leader process with many SDK keys.
type keysCase struct {
	*measurement
	keys, bytes int
	poll        time.Duration // 0: the default
	watch       time.Duration // the duration of the measurement, after the start is over
}

func BenchmarkManyKeys(b *testing.B) {
	for _, keys := range pick([]int{1, 1000}, []int{1, 1000, 10_000}) {
		measure(b, "keys", func(m *measurement) {
			// Each SDK key is polled once within one poll interval.
			(&keysCase{m, keys, 10 << 10, pick(5*time.Second, 0), pick(5*time.Second, 55*time.Second)}).run()
		}, "keys", keys)
	}
}

func (c *keysCase) run() {
	s, cdn := startRedis(c, nil), startOrigin(c, c.bytes)
	start := time.Now()
	process := startChild(c, childConfig{Redis: s.Addr(), CDN: cdn.URL, Keys: c.keys, Poll: c.poll})
	written := func() bool {
		n, err := s.admin.DBSize(c.Context()).Result()
		return err == nil && n >= int64(5*c.keys) // entry, lock, meta, blob and history of each
	}
	until(c, "all contents are written", written)
	c.put("take-over", "ms", float64(time.Since(start).Milliseconds()))
	c.put("take-over-cpu", "s", process.cpu())
	pause(c, min(c.watch/2, 5*time.Second)) // the work that the start left

	asking := s.asking(c)
	cpu, used, begun, fetched := process.cpu(), s.usage(c), time.Now(), cdn.requests.Load()
	pause(c, c.watch)
	seconds := time.Since(begun).Seconds()
	used = s.usage(c).since(used, asking)
	now, most := process.memory()
	c.put("cpu", "%", 100*(process.cpu()-cpu)/seconds)
	c.put("memory", "B", now)
	c.put("memory-peak", "B", most)
	c.put("scripts", "1/s", used.calls/seconds)
	c.put("redis-commands", "1/s", used.commands/seconds)
	c.put("redis-cpu", "%", 100*used.cpu/seconds)
	c.put("redis-script", "µs", used.callTime/max(used.calls, 1))
	c.put("cdn-requests", "1/s", float64(cdn.requests.Load()-fetched)/seconds)

	// Another process takes over after one is shut down.
	next := startChild(c, childConfig{Redis: s.Addr(), CDN: cdn.URL, Keys: c.keys, Poll: c.poll})
	pause(c, min(c.watch/2, 3*time.Second)) // it becomes a candidate
	fetched, begun = cdn.requests.Load(), time.Now()
	process.stop()
	until(c, "another process asks the CDN for all", func() bool { return cdn.requests.Load()-fetched >= int64(c.keys) })
	c.put("hand-over", "ms", float64(time.Since(begun).Milliseconds()))
	next.stop()
}

// The cost of a poll without a change, compared with a leader that does not poll; it does
// not depend on the size.
func BenchmarkUnchangedPoll(b *testing.B) {
	for _, bytes := range []int{1 << 10, 5 << 20} {
		measure(b, "unchanged", func(m *measurement) { unchangedPoll(m, bytes, pick(4, 10)) }, "bytes", bytes)
	}
}

func unchangedPoll(m *measurement, bytes, polls int) {
	s, cdn := startRedis(m, nil), startOrigin(m, bytes)
	over := func(poll time.Duration) (used usage, cpu, fetched float64) {
		begun := cdn.requests.Load()
		process := startChild(m, childConfig{Redis: s.Addr(), CDN: cdn.URL, Keys: 1, Poll: poll})
		defer process.stop()
		until(m, "the content is there", func() bool { return cdn.requests.Load() > begun })
		pause(m, 2*time.Second)
		asking := s.asking(m)
		cpu, used, before := process.cpu(), s.usage(m), cdn.requests.Load()
		pause(m, time.Duration(polls)*time.Second)
		return s.usage(m).since(used, asking), process.cpu() - cpu, float64(cdn.requests.Load() - before)
	}
	idle, idleCPU, _ := over(time.Hour)
	used, cpu, fetched := over(time.Second)
	m.put("polls", "1", fetched)
	m.put("redis-script", "µs", used.callTime/max(used.calls, 1)) // one script polls and renews
	m.put("redis-bytes", "B", (used.in+used.out-idle.in-idle.out)/fetched)
	m.put("cpu", "ms", 1000*(cpu-idleCPU)/fetched)
}
