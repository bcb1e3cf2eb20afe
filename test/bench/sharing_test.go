package bench_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower"
)

// Clients of one SDK key and the same Redis client share a subscription and the config.
func BenchmarkSharing(b *testing.B) {
	measure(b, "sharing", func(m *measurement) { sharing(m, 1000, 10<<10) })
}

func sharing(m *measurement, clients, bytes int) {
	s := startRedis(m, nil)
	b := startBridge(m, s, bytes, nil)
	client := s.client(m)
	all := make([]*follower.Client, 0, clients)
	before, connections, goroutines := heap(), s.usage(m).clients, runtime.NumGoroutine()
	add := func(n int) (took time.Duration) {
		for range n {
			start := time.Now()
			all = append(all, follow(m, client))
			awaitReady(m, all[len(all)-1])
			took += time.Since(start)
		}
		return took
	}
	m.put("first", "ms", float64(add(1).Microseconds())/1000)
	one, oneConnection, oneGoroutines := heap(), s.usage(m).clients, runtime.NumGoroutine()
	further := float64(clients - 1)
	took := add(clients - 1)
	m.put("clients", "1", float64(clients))
	m.put("further", "µs", float64(took.Microseconds())/further)
	m.put("first-heap", "B", float64(one)-float64(before))
	m.put("further-heap", "B", (float64(heap())-float64(one))/further)
	m.put("first-connections", "1", oneConnection-connections)
	m.put("further-connections", "1", s.usage(m).clients-oneConnection)
	m.put("first-goroutines", "1", float64(oneGoroutines-goroutines))
	m.put("further-goroutines", "1", float64(runtime.NumGoroutine()-oneGoroutines)/further)

	pause(m, fetchGap)
	asking := s.asking(m)
	used, start := s.usage(m), time.Now()
	version := b.cdn.publish()
	b.call()
	until(m, "all have the change", func() bool {
		for _, c := range all {
			if versionOf(c) != version {
				return false
			}
		}
		return true
	})
	m.put("change", "ms", float64(time.Since(start).Microseconds())/1000)
	m.put("change-redis-out", "B", s.usage(m).since(used, asking).out)
	start = time.Now()
	closeAll(all)
	m.put("close", "ms", float64(time.Since(start).Microseconds())/1000)
}

// heap returns the heap memory in use, in bytes.
func heap() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC() // frees what the finalizers of the first released
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
