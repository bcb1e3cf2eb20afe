package test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/leader"
	"github.com/catbridge/catbridge/test/redistest"
)

// toxic is a proxy to a Redis that spoils the connections through it.
type toxic struct {
	t     testing.TB
	proxy *toxiproxy.Proxy
}

// newToxic starts a proxy that spoils nothing yet. It ends with the test.
func newToxic(t testing.TB, server *redistest.Process) *toxic {
	t.Helper()
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	proxy := toxiproxy.NewProxy(api, "redis", "127.0.0.1:0", server.Addr())
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	return &toxic{t, proxy}
}

// spoil adds a toxic to what Redis sends, or to what it is sent.
func (x *toxic) spoil(kind, stream string, attributes map[string]int) {
	x.t.Helper()
	text, err := json.Marshal(map[string]any{"name": kind + stream, "type": kind, "stream": stream, "attributes": attributes})
	if err != nil {
		x.t.Fatal(err)
	}
	if _, err := x.proxy.Toxics.AddToxicJson(strings.NewReader(string(text))); err != nil {
		x.t.Fatal(err)
	}
}

// clean takes all toxics away.
func (x *toxic) clean() { x.proxy.Toxics.ResetToxics(x.t.Context()) }

// onToxic plays on a plain server with a proxy to it, through which those come that are
// started once it is the world's route.
func onToxic(t *testing.T, p profile, play func(w *world, x *toxic)) {
	t.Helper()
	t.Parallel()
	start := func(t *testing.T) *world {
		server := redistest.Start(t)
		w := newWorld(t, to(server), p, false)
		w.server = server
		w.tap(server)
		w.toxic = newToxic(t, server)
		return w
	}
	inLanes(t, start, func(w *world) { play(w, w.toxic) })
}

// spoilers spoil what Redis sends: it does not arrive, it ends within a frame, or the
// connection is reset.
var spoilers = map[string]func(x *toxic){
	"timeout":          func(x *toxic) { x.spoil("timeout", "downstream", map[string]int{"timeout": 0}) },
	"cut within frame": func(x *toxic) { x.spoil("limit_data", "downstream", map[string]int{"bytes": 1000}) },
	"reset":            func(x *toxic) { x.spoil("reset_peer", "downstream", map[string]int{"timeout": 0}) },
}

// Connections are cut, spoilt or silent in every way. What is misread is refused, and
// nothing of it is taken.
func TestF12_SpoiltConnectionsAreNoticedAndNothingIsMisread(t *testing.T) {
	for name, spoil := range spoilers {
		t.Run(name, func(t *testing.T) {
			onToxic(t, realProfile(), func(w *world, x *toxic) {
				w.ready(1)
				w.route = x.proxy.Listen
				spoilt := w.follow()
				w.reached(w.cdn.Version(), w.poll())
				for range w.rounds(1) {
					disconnects := spoilt.client.Stats().Disconnects
					w.pass(w.upTo(w.leader.RenewInterval))
					spoil(x)
					version := w.cdn.Publish()
					since, bound := time.Now(), w.follower.Dead+roundTrip
					w.eventually(bound, "it is noticed", func() bool { return spoilt.client.Stats().Disconnects > disconnects })
					w.recovered(since, bound)
					x.clean()
					w.reached(version, w.back()+w.follower.Dead+w.poll())
					w.settle()
				}
			})
		})
	}
}

// The same with all leaders, for longer than they may act: nothing that they misread is written.
func TestF12_LeadersOnSpoiltConnectionsWriteNothingWrong(t *testing.T) {
	for name, spoil := range spoilers {
		t.Run(name, func(t *testing.T) {
			onToxic(t, realProfile(), func(w *world, x *toxic) {
				w.route = x.proxy.Listen
				w.ready(1)
				for range w.rounds(1) {
					w.pass(w.upTo(w.leader.RenewInterval))
					spoil(x)
					version := w.cdn.Publish()
					w.pass(w.leader.RenewDeadline)
					x.clean()
					cleaned, bound := time.Now(), w.takeover()+w.back()+w.poll()
					w.reached(version, bound)
					w.recovered(cleaned, bound)
					w.settle()
				}
			})
		})
	}
}

// Each byte comes by itself.
func TestF12_SlicedConnectionsLoseNothing(t *testing.T) {
	onToxic(t, realProfile(), func(w *world, x *toxic) {
		x.spoil("slicer", "downstream", map[string]int{"average_size": 1, "size_variation": 0, "delay": 0})
		x.spoil("slicer", "upstream", map[string]int{"average_size": 1, "size_variation": 0, "delay": 0})
		w.route = x.proxy.Listen
		first, _ := w.ready(1)
		for range w.rounds(2) {
			changed := time.Now()
			w.reached(w.cdn.Publish(), w.poll())
			w.recovered(changed, w.poll())
			w.settle()
		}
		if *manyRounds == 0 {
			return // beside all other tests a proxy may be too slow with single bytes for anything to stay
		}
		if s := w.readers[0].client.Stats(); s.Disconnects != 0 || s.State != follower.Live {
			w.Errorf("%+v", s)
		}
		if s := first.stats(); s.Terms != 1 || !first.leads() {
			w.Errorf("%+v", s)
		}
	})
}

// Every packet takes 100 to 300 ms, each way: nobody is taken for dead.
func TestF31_LatencyReplacesNobody(t *testing.T) {
	p := profile{leader: leader.DefaultTiming(), follower: follower.DefaultTimings(), slack: busy}
	p.leader.PollInterval = 2 * time.Second
	onToxic(t, p, func(w *world, x *toxic) {
		for _, stream := range []string{"upstream", "downstream"} {
			x.spoil("latency", stream, map[string]int{"latency": 200, "jitter": 100})
		}
		w.route = x.proxy.Listen
		first, _ := w.ready(3)
		asked := time.Now()
		if err := first.RequestRefresh(w.Context(), first.stats().Name); err != nil || time.Since(asked) < 200*time.Millisecond {
			w.Errorf("a round trip took %v: %v", time.Since(asked), err)
		}
		w.steadyFor(first, 2*w.leader.LeaseDuration)
		w.settle()
	})
}
