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
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// toxic is a proxy to a Redis that corrupts the connections through it.
type toxic struct {
	t     testing.TB
	proxy *toxiproxy.Proxy
}

// newToxic starts a proxy that corrupts nothing yet. It ends with the test.
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

// corrupt adds a toxic to the data from Redis, or to the data sent to it.
func (x *toxic) corrupt(kind, stream string, attributes map[string]int) {
	x.t.Helper()
	text, err := json.Marshal(map[string]any{"name": kind + stream, "type": kind, "stream": stream, "attributes": attributes})
	if err != nil {
		x.t.Fatal(err)
	}
	if _, err := x.proxy.Toxics.AddToxicJson(strings.NewReader(string(text))); err != nil {
		x.t.Fatal(err)
	}
}

// clean removes all toxics.
func (x *toxic) clean() { x.proxy.Toxics.ResetToxics(x.t.Context()) }

// onToxic runs on a plain server with a proxy to it. Processes that start while the proxy
// is the environment's route connect through it.
func onToxic(t *testing.T, p profile, run func(env *environment, x *toxic)) {
	t.Helper()
	t.Parallel()
	start := func(t *testing.T) *environment {
		server := redistest.Start(t)
		env := onPlain(t, server, p)
		env.tap(server)
		env.toxic = newToxic(t, server)
		return env
	}
	inLanes(t, start, func(env *environment) { run(env, env.toxic) })
}

// corruptions corrupt the data from Redis: it does not arrive, it ends within a frame, or
// the connection is reset.
var corruptions = map[string]func(x *toxic){
	"timeout":          func(x *toxic) { x.corrupt("timeout", "downstream", map[string]int{"timeout": 0}) },
	"cut within frame": func(x *toxic) { x.corrupt("limit_data", "downstream", map[string]int{"bytes": 1000}) },
	"reset":            func(x *toxic) { x.corrupt("reset_peer", "downstream", map[string]int{"timeout": 0}) },
}

// Connections are cut, corrupted or silent. The follower detects it, and accepts no corrupt
// data.
func TestF12_CorruptConnectionsAreDetectedAndNothingIsMisread(t *testing.T) {
	for name, corrupt := range corruptions {
		t.Run(name, func(t *testing.T) {
			onToxic(t, realProfile(), func(env *environment, x *toxic) {
				env.ready(1)
				env.route = x.proxy.Listen
				affected := env.follow()
				env.reached(env.cdn.Version(), env.poll())
				for range env.rounds(1) {
					disconnects := affected.client.Stats().Disconnects
					env.pass(env.upTo(env.leader.RenewInterval))
					corrupt(x)
					version := env.cdn.Publish()
					since, bound := time.Now(), env.follower.Dead+roundTrip
					env.eventually(bound, "it is noticed", func() bool { return affected.client.Stats().Disconnects > disconnects })
					env.recovered(since, bound)
					x.clean()
					env.reached(version, env.reconnectBound()+env.follower.Dead+env.poll())
					env.settle()
				}
			})
		})
	}
}

// The same for all leaders, for longer than they may act: they write no corrupt data.
func TestF12_LeadersOnCorruptConnectionsWriteNothingWrong(t *testing.T) {
	for name, corrupt := range corruptions {
		t.Run(name, func(t *testing.T) {
			onToxic(t, realProfile(), func(env *environment, x *toxic) {
				env.route = x.proxy.Listen
				env.ready(1)
				for range env.rounds(1) {
					env.pass(env.upTo(env.leader.RenewInterval))
					corrupt(x)
					version := env.cdn.Publish()
					env.pass(env.leader.RenewDeadline)
					x.clean()
					cleaned, bound := time.Now(), env.takeover()+env.reconnectBound()+env.poll()
					env.reached(version, bound)
					env.recovered(cleaned, bound)
					env.settle()
				}
			})
		})
	}
}

// Each byte arrives by itself.
func TestF12_SlicedConnectionsLoseNothing(t *testing.T) {
	onToxic(t, realProfile(), func(env *environment, x *toxic) {
		x.corrupt("slicer", "downstream", map[string]int{"average_size": 1, "size_variation": 0, "delay": 0})
		x.corrupt("slicer", "upstream", map[string]int{"average_size": 1, "size_variation": 0, "delay": 0})
		env.route = x.proxy.Listen
		first, _ := env.ready(1)
		for range env.rounds(2) {
			changed := time.Now()
			env.reached(env.cdn.Publish(), env.poll())
			env.recovered(changed, env.poll())
			env.settle()
		}
		if !manyRounds() {
			return // with other tests running, a proxy may be too slow with single bytes for any connection to last
		}
		if s := env.readers[0].client.Stats(); s.Disconnects != 0 || s.State != follower.Live {
			env.Errorf("%+v", s)
		}
		if s := first.stats(); s.Terms != 1 || !first.leads() {
			env.Errorf("%+v", s)
		}
	})
}

// Every packet takes 100 to 300 ms each way: the leader stays, and no follower gives up its
// connection.
func TestF31_LatencyDoesNotReplaceTheLeader(t *testing.T) {
	onToxic(t, patient(), func(env *environment, x *toxic) {
		for _, stream := range []string{"upstream", "downstream"} {
			x.corrupt("latency", stream, map[string]int{"latency": 200, "jitter": 100})
		}
		env.route = x.proxy.Listen
		first, _ := env.ready(3)
		asked := time.Now()
		if err := first.RequestRefresh(env.Context(), first.stats().Name); err != nil || time.Since(asked) < 200*time.Millisecond {
			env.Errorf("a round trip took %v: %v", time.Since(asked), err)
		}
		env.steadyFor(first, 2*env.leader.LeaseDuration)
		env.settle()
	})
}
