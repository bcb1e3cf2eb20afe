package bench_test

import (
	"io"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/leader"
	"github.com/catbridge/catbridge/test/bench"
	"github.com/redis/go-redis/v9"
)

// race compares followers, each with its own connections, with as many receivers of the
// floor, on one Redis.
type race struct {
	*measurement
	followers, bytes, rounds int
}

// noSpread is a budget so large that reads are not spread.
const noSpread = 1 << 50

func BenchmarkPropagation(b *testing.B) {
	const kb, mb = 1 << 10, 1 << 20
	type point struct{ followers, bytes, rounds int }
	points := []point{{1, 10 * kb, 10}, {10, 10 * kb, 2}, {100, 10 * kb, 3}, {1000, 10 * kb, 3}, {100, mb, 2}}
	if *full {
		points = nil
		for _, bytes := range []int{10 * kb, 100 * kb, mb} {
			// Each round lasts a second at least; many followers yield many times.
			points = append(points, point{1, bytes, 20}, point{100, bytes, 10}, point{1000, bytes, 5}, point{5000, bytes, 3})
		}
		points[0].rounds = 50 // the case of the goals: one follower, 10 KB
	}
	for _, p := range points {
		measure(b, "propagation", func(m *measurement) {
			(&race{measurement: m, followers: p.followers, bytes: p.bytes, rounds: p.rounds}).run()
		}, "followers", p.followers, "bytes", p.bytes)
	}
}

// run measures a case.
func (r *race) run() {
	s := startRedis(r, nil)
	b := startBridge(r, s, r.bytes, func(cfg *leader.Config) { cfg.ReadBudget = noSpread })
	var current atomic.Pointer[round]
	before := s.usage(r)
	clients, followers := r.startFollowers(b, &current)
	// Closed together: the test would close one after the other.
	defer closeAll(followers)
	idle := s.usage(r)
	r.put("redis-memory-follower", "B", (idle.memory-before.memory)/float64(r.followers))
	bridge := func() *round {
		version := b.cdn.publish()
		next := newRound(version, r.followers)
		current.Store(next)
		if status := b.call(); status != http.StatusOK {
			r.Fatalf("the webhook was answered by %d", status)
		}
		return next
	}
	bridge().wait(r) // to make connections and load scripts
	pause(r, fetchGap)
	bridge().wait(r)
	r.put("redis-memory-peak", "B", s.usage(r).peak)

	f := startFloor(r, s.client(r), b.cdn.content, clients)
	f.run().wait(r)
	asking := s.asking(r)
	var own, raw sample
	for range r.rounds {
		raw.add(r, s, asking, f.run)
		pause(r, fetchGap)
		own.add(r, s, asking, bridge)
	}
	own.report(r.measurement, "bridge")
	raw.report(r.measurement, "floor")
	r.put("cdn-request", "ms", cdnRequest(r, b.cdn))
}

// startFollowers starts followers, and waits until all have the content.
func (r *race) startFollowers(b *bridge, current *atomic.Pointer[round]) (clients []*redis.Client, followers []*follower.Client) {
	for i := range r.followers {
		client := b.server.clientThat(r, patient)
		f := follow(r, client)
		f.OnConfigChanged(func(*evaluate.Config) { current.Load().arrived(i, versionOf(f)) })
		clients, followers = append(clients, client), append(followers, f)
	}
	for _, f := range followers {
		until(r, "a follower is live", func() bool {
			return f.Stats().State == follower.StateLive && versionOf(f) == b.cdn.version()
		})
	}
	return clients, followers
}

// patient makes a client wait while thousands of clients read a large config at once,
// without a window. That takes longer than the default of 3 s, and retries would only add
// to it.
func patient(opts *redis.Options) {
	opts.ReadTimeout, opts.ContextTimeoutEnabled = time.Minute, false
}

// sample is the results of several rounds.
type sample struct {
	all, last []float64 // ms
	used      usage
}

func (s *sample) add(t testing.TB, on *server, asking usage, run func() *round) {
	t.Helper()
	before := on.usage(t)
	times := bench.Milliseconds(run().wait(t))
	s.used = s.used.plus(on.usage(t).since(before, asking))
	s.all, s.last = append(s.all, times...), append(s.last, slices.Max(times))
}

func (s *sample) report(m *measurement, via string) {
	labels, rounds := m.labels.With("via", via), float64(len(s.last))
	m.putFor(labels, "p50", "ms", bench.Median(s.all))
	m.putFor(labels, "p99", "ms", bench.Percentile(s.all, 0.99))
	m.putFor(labels, "last", "ms", bench.Median(s.last))
	m.putFor(labels, "redis-cpu", "ms", 1000*s.used.cpu/rounds)
	m.putFor(labels, "redis-in", "B", s.used.in/rounds)
	m.putFor(labels, "redis-out", "B", s.used.out/rounds)
}

// cdnRequest returns the median time of a request to the CDN for the whole content.
func cdnRequest(t testing.TB, cdn *origin) float64 {
	t.Helper()
	var times []time.Duration
	for range 30 {
		start := time.Now()
		answer, err := cdn.Client().Get(cdn.URL + "/configuration-files/" + sdkKey + "/config_v6.json")
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		times = append(times, time.Since(start))
	}
	return bench.Median(bench.Milliseconds(times))
}
