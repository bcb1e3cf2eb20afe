package metrics

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/catbridge/catbridge/gateway"
)

// Gateway is the source of a [GatewayCollector]'s metrics, for instance a [*gateway.Gateway].
type Gateway interface {
	// Stats is called at each scrape. It must be safe for concurrent use.
	Stats() gateway.Stats
}

// GatewayCollector exports metrics of a gateway. All methods are safe for concurrent use.
type GatewayCollector struct{ gateway Gateway }

// NewGatewayCollector returns a collector of a gateway's metrics.
func NewGatewayCollector(g Gateway) *GatewayCollector { return &GatewayCollector{g} }

// Describe implements [prometheus.Collector].
func (c *GatewayCollector) Describe(to chan<- *prometheus.Desc) { gatewayFamily.describe(to) }

// Collect implements [prometheus.Collector].
func (c *GatewayCollector) Collect(to chan<- prometheus.Metric) {
	stats := c.gateway.Stats()
	gatewayFamily.collect(to, &stats, time.Now())
}

var gatewayFamily = newFamily(nil, []metric[gateway.Stats]{
	{
		name: "catbridge_gateway_answers_total", kind: counter, label: "status",
		help: "Answers to requests for configs by HTTP status; 304: the client has the config already.",
		read: func(s *gateway.Stats, _ time.Time, emit func(float64, string)) {
			for _, status := range slices.Sorted(maps.Keys(s.Answers)) {
				emit(float64(s.Answers[status]), strconv.Itoa(status))
			}
		},
	},
	{
		name: "catbridge_gateway_other_answers_total", kind: counter, label: "route", other: "status",
		help: "Answers to all other requests, such as evaluations and streams, by the pattern of the path and the HTTP status.",
		readPairs: func(s *gateway.Stats, emit func(float64, string, string)) {
			for _, a := range slices.SortedFunc(maps.Keys(s.OtherAnswers), func(a, b gateway.Answer) int {
				return cmp.Or(cmp.Compare(a.Route, b.Route), cmp.Compare(a.Status, b.Status))
			}) {
				emit(float64(s.OtherAnswers[a]), a.Route, strconv.Itoa(a.Status))
			}
		},
	},
	{
		name: "catbridge_gateway_sdk_requests_total", kind: counter, label: "sdk",
		help: "Requests of official SDKs by SDK, polling mode (a auto, l lazy, m manual) and version; other: malformed, or beyond 64 of them.",
		read: func(s *gateway.Stats, _ time.Time, emit func(float64, string)) {
			for _, agent := range slices.Sorted(maps.Keys(s.Agents)) {
				emit(float64(s.Agents[agent]), agent)
			}
		},
	},
	{
		name: "catbridge_gateway_holding", kind: gauge,
		help: "Requests that are held now.",
		read: value(func(s *gateway.Stats) int { return s.Holding }),
	},
	{
		name: "catbridge_gateway_held_total", kind: counter,
		help: "Requests that were held.",
		read: value(func(s *gateway.Stats) uint64 { return s.Held }),
	},
	{
		name: "catbridge_gateway_released_total", kind: counter,
		help: "Held requests that were answered because the config changed.",
		read: value(func(s *gateway.Stats) uint64 { return s.Released }),
	},
	{
		name: "catbridge_gateway_refused_streams_total", kind: counter,
		help: "Requests that were answered at once because the limits did not allow more held requests.",
		read: value(func(s *gateway.Stats) uint64 { return s.Refused }),
	},
	{
		name: "catbridge_gateway_event_streams", kind: gauge,
		help: "Streams of server-sent events that are open now.",
		read: value(func(s *gateway.Stats) int { return s.Streams }),
	},
	{
		name: "catbridge_gateway_rejected_event_streams_total", kind: counter,
		help: "Streams of server-sent events that the limits did not allow.",
		read: value(func(s *gateway.Stats) uint64 { return s.RejectedStreams }),
	},
	{
		name: "catbridge_gateway_slow_event_streams_total", kind: counter,
		help: "Streams of server-sent events that ended because the client did not read in time.",
		read: value(func(s *gateway.Stats) uint64 { return s.SlowStreams }),
	},
})
