package httpd

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// refusingUI is a dashboard that answers with an error page.
type refusingUI struct{}

func (refusingUI) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = io.WriteString(w, strings.Repeat("Sign in. ", 1000)) // more than the server keeps back
}

func (refusingUI) Drain(context.Context) {}

// A request for the event stream whose body never arrives must not keep its connection from probes:
// event streams have no read deadline.
func TestBodiesForEventStreamsDoNotKeepOthersOut(t *testing.T) {
	const connections = 100 // more than the requests of all other kinds at once
	s, url := start(t, Config{maxConnections: connections, NewUI: func(bool) (UI, error) { return refusingUI{}, nil }})
	for _, head := range []string{"GET /ui/events HTTP/1.1\r\nContent-Length: 1000", "POST /ui/events HTTP/1.1\r\nTransfer-Encoding: chunked", "GET /ui/events HTTP/1.1\r\nContent-Length: 100000"} {
		for range connections {
			c, err := net.Dial("tcp", s.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_, _ = io.WriteString(c, head+"\r\nHost: localhost\r\n\r\n") // may be closed already
		}
		for i := range 10 {
			if status, body, err := fresh("GET", url+"/healthz", ""); err != nil || status != http.StatusOK {
				t.Fatalf("%q: probe %d: %d %q %v", head, i, status, body, err)
			}
		}
	}
}

// slowUI is a dashboard whose pages take a time.
type slowUI struct {
	refusingUI
	takes time.Duration
	only  string // the address for which they do; empty: all
}

func (u slowUI) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	if u.only == "" || u.only == r.RemoteAddr {
		time.Sleep(u.takes)
	}
}

// All open pages ask at once when something has changed: they wait for their turn, but not for ever.
func TestPagesWaitForTheirTurn(t *testing.T) {
	for name, test := range map[string]struct {
		takes    time.Duration
		rejected int64
	}{
		"quick pages": {time.Second, 0}, "hanging pages": {time.Hour, 2 * pagesAtOnce},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				handler := newHandler(Config{Leader: fixedLeader{}, Logger: slog.New(slog.DiscardHandler), ui: slowUI{takes: test.takes}})
				var rejected atomic.Int64
				var all sync.WaitGroup
				for i := range 3 * pagesAtOnce {
					all.Go(func() {
						w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "GET", "/ui/", nil)
						r.RemoteAddr = fmt.Sprintf("192.0.2.%d:1", i)
						handler.ServeHTTP(w, r)
						if w.Code == http.StatusServiceUnavailable {
							rejected.Add(1)
						}
					})
				}
				all.Wait()
				if n := rejected.Load(); n != test.rejected {
					t.Errorf("%d of %d pages are rejected, want %d", n, 3*pagesAtOnce, test.rejected)
				}
			})
		})
	}
}

// However many pages one client asks for, others have their turn.
func TestOneClientLeavesRoomForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ask := func(handler http.Handler, address string) int {
			w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "GET", "/ui/", nil)
			r.RemoteAddr = address
			handler.ServeHTTP(w, r)
			return w.Code
		}
		u := slowUI{takes: time.Hour, only: "192.0.2.1:1"}
		handler := newHandler(Config{Leader: fixedLeader{}, Logger: slog.New(slog.DiscardHandler), ui: u})
		var all sync.WaitGroup
		for range 2 * pagesAtOnce {
			all.Go(func() { ask(handler, u.only) })
		}
		synctest.Wait()
		for i := range 2 * pagesAtOnce {
			if status := ask(handler, fmt.Sprintf("198.51.100.%d:1", i)); status != http.StatusOK {
				t.Fatalf("another client: %d", status)
			}
		}
		all.Wait()
		if status := ask(handler, "192.0.2.1:2"); status != http.StatusOK {
			t.Errorf("the same client later: %d", status)
		}
	})
}
