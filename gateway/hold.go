package gateway

import (
	"net/http"
	"time"

	"github.com/catbridge/catbridge/internal/stream"
)

// await holds a request until the config is replaced or no longer served, the time is over, the
// server shuts down or the client is gone. It reports whether it waited: a request beyond the
// limits does not.
func (g *Gateway) await(w http.ResponseWriter, r *http.Request, hold time.Duration, on *site, replaced <-chan struct{}) bool {
	s, err := g.streams.Open(stream.ClientOf(r))
	if err != nil {
		if g.streams.Draining() {
			w.Header()["Connection"] = closing
		} else {
			g.counts.notHeld.Add(1)
		}
		return false
	}
	defer s.Close()
	g.counts.held.Add(1)
	timer := time.NewTimer(hold)
	defer timer.Stop()
	select {
	case <-replaced:
		g.counts.released.Add(1)
	case <-on.removed:
	case <-timer.C:
	case <-s.Ended():
		w.Header()["Connection"] = closing // the next request reaches another process
	case <-r.Context().Done():
	}
	if server, ok := r.Context().Value(http.ServerContextKey).(*http.Server); ok && server.WriteTimeout > 0 {
		// Without a timeout of its own, the server would keep this deadline for later requests.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(server.WriteTimeout))
	}
	return true
}

var closing = []string{"close"}
