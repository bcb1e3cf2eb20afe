package gateway

import (
	"errors"
	"net/http"
	"time"

	"github.com/catbridge/catbridge/internal/stream"
)

// await holds a request until the config is replaced, the request may no longer read it, the time is
// over, the server shuts down or the client is gone. It reports whether the request is to be
// checked again: it waited, or what it may read changed. A request beyond the limits does not wait.
func (g *Gateway) await(w http.ResponseWriter, r *http.Request, hold time.Duration, key string, on *site, replaced <-chan struct{}) bool {
	s, err := g.streams.OpenWhile(stream.ClientOf(r), func() bool {
		to := g.findConfig(r, key)
		return to != nil && to.serving().site == on
	})
	switch {
	case errors.Is(err, stream.ErrNotAllowed):
		return true
	case errors.Is(err, stream.ErrDraining):
		w.Header()["Connection"] = closing
		return false
	case err != nil:
		g.counts.notHeld.Add(1)
		return false
	}
	defer s.Close()
	g.counts.held.Add(1)
	timer := time.NewTimer(hold)
	defer timer.Stop()
	select {
	case <-replaced:
		g.counts.released.Add(1)
	case <-timer.C:
	case <-s.Ended():
		if g.streams.Draining() {
			w.Header()["Connection"] = closing // the next request reaches another process
		}
	case <-r.Context().Done():
	}
	if server, ok := r.Context().Value(http.ServerContextKey).(*http.Server); ok && server.WriteTimeout > 0 {
		// Without a timeout of its own, the server would keep this deadline for later requests.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(server.WriteTimeout))
	}
	return true
}

var closing = []string{"close"}
