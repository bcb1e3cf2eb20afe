package fakecdn

import (
	"bytes"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// Fault answers a request in place of the CDN that is well. current gives the config
// that it would serve now.
type Fault func(w http.ResponseWriter, r *http.Request, current func() Config)

// Status answers with a status and no config.
func Status(code int) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ func() Config) {
		http.Error(w, http.StatusText(code), code)
	}
}

// TooMany answers 429 and asks to be left alone for d, rounded down to seconds.
func TooMany(d time.Duration) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ func() Config) {
		w.Header().Set("Retry-After", strconv.Itoa(int(d.Seconds())))
		http.Error(w, "slow down", http.StatusTooManyRequests)
	}
}

// Body answers 200 with something that is no config, and with an ETag of its own.
func Body(contentType, body string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ func() Config) {
		w.Header().Set("ETag", `"not-a-config"`)
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write([]byte(body))
	}
}

// HTML is what a captive portal answers: 200 and a page.
func HTML() Fault { return Body("text/html", "<!doctype html><title>Sign in</title><p>Welcome") }

// Garbage is JSON cut off in the middle.
func Garbage() Fault {
	return func(w http.ResponseWriter, _ *http.Request, current func() Config) {
		w.Header().Set("ETag", `"garbage"`)
		config := current().JSON()
		_, _ = w.Write(config[:len(config)/2])
	}
}

// Oversize is a config of more than n bytes that is valid otherwise.
func Oversize(n int) Fault {
	return func(w http.ResponseWriter, _ *http.Request, current func() Config) {
		w.Header().Set("ETag", `"oversize"`)
		_, _ = w.Write(current().JSON())
		_, _ = w.Write(bytes.Repeat([]byte{' '}, n))
	}
}

// Hang answers nothing until release is closed, and then with what is current by
// then. A request whose context ends first gets no answer at all.
func Hang(release <-chan struct{}) Fault {
	return func(w http.ResponseWriter, r *http.Request, current func() Config) {
		select {
		case <-release:
			current().serve(w, r)
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
	}
}

// networkError carries what a fault wants the request to fail with.
type networkError struct{ err error }

// Network breaks the connection before an answer: with err through RoundTrip, by
// closing it where there is a real one.
func Network(err error) Fault {
	return func(w http.ResponseWriter, r *http.Request, _ func() Config) {
		// A server takes any panic for its handler's; only the one below is silent.
		if _, real := r.Context().Value(http.ServerContextKey).(*http.Server); real {
			panic(http.ErrAbortHandler)
		}
		panic(&networkError{err})
	}
}

// Stale is an edge of the CDN that lags: it serves an older version.
func Stale(old Config) Fault {
	return func(w http.ResponseWriter, r *http.Request, _ func() Config) { old.serve(w, r) }
}

// WrongETag serves the config, never as a 304, with the ETag that it is given for it.
func WrongETag(of func(c Config) string) Fault {
	return func(w http.ResponseWriter, r *http.Request, current func() Config) {
		r = r.Clone(r.Context())
		r.Header.Del("If-None-Match")
		current().serveAs(w, r, of(current()))
	}
}

// Times lets the first n requests meet the fault, and those after it be served well.
func Times(n int, fault Fault) Fault {
	left := make(chan struct{}, n)
	for range n {
		left <- struct{}{}
	}
	return func(w http.ResponseWriter, r *http.Request, current func() Config) {
		select {
		case <-left:
			fault(w, r, current)
		default:
			current().serve(w, r)
		}
	}
}

// InTurn is two edges of the CDN, of which every other request meets the one with the
// fault, the first included.
func InTurn(fault Fault) Fault {
	var requests atomic.Uint64
	return func(w http.ResponseWriter, r *http.Request, current func() Config) {
		if requests.Add(1)%2 == 1 {
			fault(w, r, current)
			return
		}
		current().serve(w, r)
	}
}

// Announce tells of each request on a channel before the fault answers it. A channel
// that is full is not told.
func Announce(asked chan<- struct{}, fault Fault) Fault {
	return func(w http.ResponseWriter, r *http.Request, current func() Config) {
		select {
		case asked <- struct{}{}:
		default:
		}
		fault(w, r, current)
	}
}
