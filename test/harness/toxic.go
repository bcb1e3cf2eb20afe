package harness

import (
	"encoding/json"
	"strings"
	"testing"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// Toxic is a proxy to a Redis that corrupts the connections through it.
type Toxic struct {
	t     testing.TB
	Proxy *toxiproxy.Proxy
}

// newToxic starts a proxy that corrupts nothing yet. It ends with the test.
func newToxic(t testing.TB, server *redistest.Process) *Toxic {
	t.Helper()
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	proxy := toxiproxy.NewProxy(api, "redis", "127.0.0.1:0", server.Addr())
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	return &Toxic{t, proxy}
}

// Corrupt adds a toxic to the data from Redis, or to the data sent to it.
func (x *Toxic) Corrupt(kind, stream string, attributes map[string]int) {
	x.t.Helper()
	text, err := json.Marshal(map[string]any{"name": kind + stream, "type": kind, "stream": stream, "attributes": attributes})
	if err != nil {
		x.t.Fatal(err)
	}
	if _, err := x.Proxy.Toxics.AddToxicJson(strings.NewReader(string(text))); err != nil {
		x.t.Fatal(err)
	}
}

// Clean removes all toxics.
func (x *Toxic) Clean() { x.Proxy.Toxics.ResetToxics(x.t.Context()) }

// OnToxic runs on a plain server with a proxy to it. Processes that start while the proxy
// is the environment's route connect through it.
func OnToxic(t *testing.T, p Profile, run func(env *Environment, x *Toxic)) {
	t.Helper()
	t.Parallel()
	start := func(t *testing.T) *Environment {
		server := redistest.Start(t)
		env := NewPlain(t, server, p)
		env.Tap(server)
		env.toxic = newToxic(t, server)
		return env
	}
	InLanes(t, start, func(env *Environment) { run(env, env.toxic) })
}
