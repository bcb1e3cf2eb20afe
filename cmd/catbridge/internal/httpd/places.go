package httpd

import (
	"net/http"
	"sync"
	"time"

	"github.com/catbridge/catbridge/internal/stream"
)

// atOnce handles at most n requests at once, and rejects more. While a request is handled, its
// connection is not closed for a new one.
func atOnce(n int, next http.Handler) http.Handler {
	all := make(places, n)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !all.enter(r, nil) {
			rejectForNow(w)
			return
		}
		defer all.leave()
		working(next).ServeHTTP(w, r)
	})
}

// inTurn is like atOnce, but a request waits for its turn for a time before it is rejected, and at
// most half of those that are handled are of one client. While a request waits, its connection gives
// way to others.
func inTurn(n int, wait time.Duration, next http.Handler) http.Handler {
	all, clients := make(places, n), clientPlaces{each: max(1, n/2), of: map[string]*clientPlace{}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		over := time.NewTimer(wait)
		defer over.Stop()
		own, done := clients.get(stream.ClientOf(r))
		defer done()
		if !own.enter(r, over.C) {
			rejectForNow(w)
			return
		}
		defer own.leave()
		if !all.enter(r, over.C) {
			rejectForNow(w)
			return
		}
		defer all.leave()
		working(next).ServeHTTP(w, r)
	})
}

func rejectForNow(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	http.Error(w, "too many requests of this kind at once; try again", http.StatusServiceUnavailable)
}

// places is as many as its capacity. A request that is handled takes one.
type places chan struct{}

// enter takes a place. If none is free, it waits until over; nil: not at all. It reports whether
// there was one.
func (p places) enter(r *http.Request, over <-chan time.Time) bool {
	select {
	case p <- struct{}{}:
		return true
	default:
	}
	if over == nil {
		return false
	}
	select {
	case p <- struct{}{}:
		return true
	case <-over:
	case <-r.Context().Done():
	}
	return false
}

func (p places) leave() { <-p }

// clientPlaces are the places of each client that has requests. It is safe for concurrent use.
type clientPlaces struct {
	each int

	mu sync.Mutex
	of map[string]*clientPlace
}

type clientPlace struct {
	places
	requests int // that wait or are handled
}

// get returns the places of a client. The caller must call done at the end of the request.
func (c *clientPlaces) get(client string) (own places, done func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.of[client]
	if p == nil {
		p = &clientPlace{places: make(places, c.each)}
		c.of[client] = p
	}
	p.requests++
	return p.places, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if p.requests--; p.requests == 0 {
			delete(c.of, client)
		}
	}
}
