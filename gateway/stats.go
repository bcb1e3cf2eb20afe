package gateway

import (
	"net/http"
	"sync/atomic"
)

// statuses are the statuses of the gateway's answers.
var statuses = [...]int{
	http.StatusOK, http.StatusNotModified, http.StatusNoContent, http.StatusNotFound,
	http.StatusMethodNotAllowed, http.StatusRequestURITooLong, http.StatusServiceUnavailable,
}

// counts counts since the gateway was created.
type counts struct {
	answers        [len(statuses)]atomic.Uint64
	held, released atomic.Uint64
}

func (c *counts) add(status int) {
	for i, s := range statuses {
		if s == status {
			c.answers[i].Add(1)
			return
		}
	}
}

// Stats describes a gateway at one time. The counters count requests since it was created (G10). The
// caller may change the maps.
type Stats struct {
	// Answers are the answers by HTTP status, also those of which there were 0.
	Answers map[int]uint64
	// Agents are the requests by official SDK, mode and version, such as
	// ConfigCat-Node/a-11.3.1. Beyond 64 of them, further ones count as other.
	Agents map[string]uint64

	Holding  int    // requests that are held now (G6)
	Held     uint64 // requests that were held (G6)
	Released uint64 // among the held requests: answered because the config changed (G6)
	Refused  uint64 // requests that the limits did not allow to be held (G7)
}

// Stats returns the current state and counters (G10).
func (g *Gateway) Stats() Stats {
	streams := g.streams.Stats()
	stats := Stats{
		Answers: map[int]uint64{}, Agents: g.agents.read(),
		Holding: streams.Open, Held: g.counts.held.Load(), Released: g.counts.released.Load(),
		Refused: streams.Refused,
	}
	for i, status := range statuses {
		stats.Answers[status] = g.counts.answers[i].Load()
	}
	return stats
}
