package bench_test

import (
	"testing"
	"time"
)

// The number of requests to the CDN does not depend on the number of processes, each of
// which leads and follows.
func BenchmarkRequests(b *testing.B) {
	for _, processes := range pick([]int{1, 10}, []int{1, 10, 50}) {
		measure(b, "requests", func(m *measurement) {
			requests(m, processes, pick(time.Second, 5*time.Second), 4)
		}, "processes", processes)
	}
}

func requests(m *measurement, processes int, poll time.Duration, polls int) {
	s, cdn := startRedis(m, nil), startOrigin(m, 10<<10)
	for range processes {
		startChild(m, childConfig{Redis: s.Addr(), CDN: cdn.URL, Keys: 1, Poll: poll, Follow: true})
	}
	until(m, "the content is there", func() bool { return cdn.requests.Load() > 0 })
	fetched := cdn.requests.Load()
	m.put("start", "requests", float64(fetched))
	pause(m, poll*time.Duration(polls)+poll/2) // ends between two polls
	m.put("polls", "intervals", float64(polls))
	m.put("polled", "requests", float64(cdn.requests.Load()-fetched))
}
