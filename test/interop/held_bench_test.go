package interop

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/gateway"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// BenchmarkHeldRequests measures how long after the follower of a gateway the official SDK for Node
// has a change: with an interval of 1 s and requests that are held for 5 s. An operation is a
// change, at a random time within an interval. Run it with -benchtime 60x.
func BenchmarkHeldRequests(b *testing.B) {
	g := startGateway(b, redistest.Start(b), gateway.MaxHold)
	version := int64(1)
	g.put(b, strconv.FormatInt(version, 10), fakecdn.Config{Version: version}.JSON())
	sdk := startHTTPSDK(b, g.url)
	for sdk.read(b).version() != float64(version) {
	}
	applied := make(chan time.Time, 1)
	remove := g.client.OnConfigChanged(func(*evaluate.Config) { applied <- time.Now() })
	defer remove()

	var behind []time.Duration
	requests := func() (n uint64) {
		for _, answers := range g.gateway.Stats().Answers {
			n += answers
		}
		return n
	}
	began, before := time.Now(), requests()
	for b.Loop() {
		time.Sleep(2*time.Second + rand.N(time.Second))
		version++
		g.put(b, strconv.FormatInt(version, 10), fakecdn.Config{Version: version}.JSON())
		at := <-applied
		for sdk.read(b).version() != float64(version) {
		}
		behind = append(behind, time.Since(at))
	}
	slices.Sort(behind)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(behind[len(behind)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(behind[len(behind)-1].Microseconds())/1000, "max-ms")
	b.ReportMetric(float64(requests()-before)/time.Since(began).Seconds(), "requests/s")
}
