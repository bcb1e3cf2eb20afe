package feed

import (
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/follower/internal/snapshot"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
)

// BenchmarkFleetReport reports what one report costs Redis when 10,000 followers report:
// commands, bytes received, processor time and memory.
func BenchmarkFleetReport(b *testing.B) {
	const followers = 10_000
	server := redistest.Start(b)
	client := server.Client(b, nil)
	f := newFeed(Options{
		Redis: client, Keys: testKeys, Timings: testTimings, Report: Reports{Interval: 30 * time.Second, Name: "checkout-7d9f8b6c5-x2x4v"},
	}, nil)
	f.current.Store(&snapshot.Snapshot{Rev: time.Now().UnixMilli(), Hash: wire.ContentHash(configJSON(1))})
	f.confirmed.Store(&snapshot.Answer{CDN: time.Now().UnixMilli(), At: time.Now()})
	reporters := make([]*reporter, followers)
	for i := range reporters {
		reporters[i] = newReporter(f)
		reporters[i].report(b.Context())
	}
	before := info(b, client)
	i := 0
	for b.Loop() {
		reporters[i%followers].report(b.Context())
		i++
	}
	after := info(b, client)
	per := func(name string) float64 { return (after[name] - before[name]) / float64(i) }
	b.ReportMetric(per("total_commands_processed"), "commands/op")
	b.ReportMetric(per("total_net_input_bytes"), "bytes/op")
	b.ReportMetric((per("used_cpu_user")+per("used_cpu_sys"))*1e6, "redis-µs/op")
	b.ReportMetric(float64(client.MemoryUsage(b.Context(), testKeys.Fleet, 0).Val())/followers, "bytes/follower")
	if n := client.ZCard(b.Context(), testKeys.Fleet).Val(); n != followers || f.counters().FailedReports != 0 {
		b.Errorf("%d members, %+v", n, f.counters())
	}
}

var infoLine = regexp.MustCompile(`(?m)^(\w+):([0-9.]+)\r$`)

func info(b *testing.B, client *redis.Client) map[string]float64 {
	b.Helper()
	values := map[string]float64{}
	for _, line := range infoLine.FindAllStringSubmatch(client.Info(b.Context(), "stats", "cpu").Val(), -1) {
		values[line[1]], _ = strconv.ParseFloat(line[2], 64)
	}
	return values
}
