package fakecdn

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// Fault answers a request instead of a working CDN. current returns the config that the CDN
// would serve now.
type Fault func(w http.ResponseWriter, r *http.Request, current func() Config)

// Down refuses every connection.
var Down = Network(errors.New("connection refused"))

// Status answers with a status and no config.
func Status(code int) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ func() Config) {
		http.Error(w, http.StatusText(code), code)
	}
}

// TooMany answers 429 with a Retry-After of d, rounded down to seconds.
func TooMany(d time.Duration) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ func() Config) {
		w.Header().Set("Retry-After", strconv.Itoa(int(d.Seconds())))
		http.Error(w, "slow down", http.StatusTooManyRequests)
	}
}

// Body answers 200 with a body that is not a config, and with its own ETag.
func Body(contentType, body string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ func() Config) {
		w.Header().Set("ETag", `"not-a-config"`)
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write([]byte(body))
	}
}

// HTML answers like a captive portal: 200 and a page.
func HTML() Fault { return Body("text/html", "<!doctype html><title>Sign in</title><p>Welcome") }

// Garbage answers with JSON that is cut off in the middle.
func Garbage() Fault {
	return func(w http.ResponseWriter, _ *http.Request, current func() Config) {
		w.Header().Set("ETag", `"garbage"`)
		config := current().JSON()
		_, _ = w.Write(config[:len(config)/2])
	}
}

// Oversize answers with a valid config of more than n bytes.
func Oversize(n int) Fault {
	return func(w http.ResponseWriter, _ *http.Request, current func() Config) {
		w.Header().Set("ETag", `"oversize"`)
		_, _ = w.Write(current().JSON())
		_, _ = w.Write(bytes.Repeat([]byte{' '}, n))
	}
}

// Hang delays the answer until release is closed, and then serves the config that is
// current. A request whose context ends first gets no answer.
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

// networkError is the error with which a fault makes a request fail.
type networkError struct{ err error }

// Network breaks the connection before an answer: RoundTrip returns err, a real connection
// is closed.
func Network(err error) Fault {
	return func(w http.ResponseWriter, r *http.Request, _ func() Config) {
		// A server treats any panic as the handler's; only the one below is silent.
		if _, real := r.Context().Value(http.ServerContextKey).(*http.Server); real {
			panic(http.ErrAbortHandler)
		}
		panic(&networkError{err})
	}
}

// Stale is a lagging edge of the CDN: it serves an older version.
func Stale(old Config) Fault {
	return func(w http.ResponseWriter, r *http.Request, _ func() Config) { old.serve(w, r) }
}

// WrongETag serves the config, never as a 304, with the ETag that of returns for it.
func WrongETag(of func(c Config) string) Fault {
	return func(w http.ResponseWriter, r *http.Request, current func() Config) {
		r = r.Clone(r.Context())
		r.Header.Del("If-None-Match")
		current().serveAs(w, r, of(current()))
	}
}

// Times applies the fault to the first n requests; those after it are served normally.
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

// InTurn is two edges of the CDN that serve requests in turn. The one with the fault serves
// the first request.
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

// Announce sends on a channel for each request before the fault answers it. It skips a full
// channel.
func Announce(asked chan<- struct{}, fault Fault) Fault {
	return func(w http.ResponseWriter, r *http.Request, current func() Config) {
		select {
		case asked <- struct{}{}:
		default:
		}
		fault(w, r, current)
	}
}
