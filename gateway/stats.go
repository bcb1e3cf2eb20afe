package gateway

import (
	"net/http"
	"sync/atomic"
)

// statuses are the statuses of the gateway's answers.
var statuses = [...]int{
	http.StatusOK, http.StatusNoContent, http.StatusNotModified, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden,
	http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong,
	http.StatusUnsupportedMediaType, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusNotImplemented, http.StatusServiceUnavailable,
}

// counts counts since the gateway was created.
type counts struct {
	perRoute       map[*route]*routeCounts // immutable
	held, released atomic.Uint64
	notHeld        atomic.Uint64
	streams        atomic.Int64
	rejected       atomic.Uint64
}

func (c *counts) of(at *route) *routeCounts { return c.perRoute[at] }

// routeCounts counts the answers of a route, by status.
type routeCounts [len(statuses)]atomic.Uint64

func newRouteCounts() map[*route]*routeCounts {
	all := map[*route]*routeCounts{}
	for _, at := range routes {
		all[at] = new(routeCounts)
	}
	return all
}

func (c *routeCounts) add(status int) {
	for i, s := range statuses {
		if s == status {
			c[i].Add(1)
			return
		}
	}
}

// counter counts the answer that is written to it.
type counter struct {
	http.ResponseWriter
	counts  *routeCounts
	written bool
}

func (w *counter) WriteHeader(status int) {
	if !w.written {
		w.written = true
		w.counts.add(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *counter) Write(p []byte) (int, error) {
	if !w.written {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap is for [http.ResponseController].
func (w *counter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Answer is a kind of answer (G10). It has no pointers, so copies may change.
type Answer struct {
	// Route is the pattern of the path, such as /api/{sdkId}/eval, or other for all paths that do not
	// exist. Empty: none (G10).
	Route string
	// Status is the HTTP status of the answers. 0: none (G10).
	Status int
}

// Stats describes a gateway at one time. The counters count requests since it was created (G10). The
// caller may change the maps.
type Stats struct {
	// Answers are the answers to requests for configs by HTTP status, also those of which there were 0.
	Answers map[int]uint64
	// OtherAnswers are the answers to all other requests, except those of which there were 0.
	OtherAnswers map[Answer]uint64
	// Agents are the requests by official SDK, mode and version, such as
	// ConfigCat-Node/a-11.3.1. Beyond 64 of them, further ones count as other.
	Agents map[string]uint64

	Holding  int    // requests that are held now (G6)
	Held     uint64 // requests that were held (G6)
	Released uint64 // among the held requests: answered because the config changed (G6)
	Refused  uint64 // requests that the limits did not allow to be held (G7)

	Streams         int    // event streams that are open now (G15)
	RejectedStreams uint64 // event streams that the limits did not allow (G7)
	SlowStreams     uint64 // event streams that ended because the client did not read (G15)
}

// Stats returns the current state and counters (G10).
func (g *Gateway) Stats() Stats {
	all, streams := g.streams.Stats(), int(g.counts.streams.Load())
	stats := Stats{
		Answers: map[int]uint64{}, OtherAnswers: map[Answer]uint64{}, Agents: g.agents.read(),
		Holding: max(0, all.Open-streams), Held: g.counts.held.Load(), Released: g.counts.released.Load(),
		Refused: g.counts.notHeld.Load(),
		Streams: streams, RejectedStreams: g.counts.rejected.Load(), SlowStreams: all.Slow,
	}
	for at, counts := range g.counts.perRoute {
		for i, status := range statuses {
			n := counts[i].Load()
			switch {
			case at == configRoute:
				stats.Answers[status] = n
			case n > 0:
				stats.OtherAnswers[Answer{at.pattern, status}] = n
			}
		}
	}
	return stats
}
