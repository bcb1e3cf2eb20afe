package httpd

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// largeBody is more than the network keeps of an answer that its client does not read.
var largeBody = bytes.Repeat([]byte("0123456789abcdef"), 8<<20/16)

// largeUI is a dashboard whose pages are large if the query says so.
type largeUI struct{ refusingUI }

func (largeUI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.RawQuery != "" {
		_, _ = w.Write(largeBody)
	}
}

// stalled is a client that has read no more than the start of its answer.
type stalled struct {
	net.Conn
	read *bufio.Reader
}

// stall requests a path. It returns nil if the server closed the connection.
func stall(t *testing.T, addr, path string) *stalled {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.(*net.TCPConn).SetReadBuffer(64 << 10)
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	_, _ = io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
	s := &stalled{c, bufio.NewReaderSize(c, 16)}
	if start, err := s.read.Peek(8); err != nil || string(start) != "HTTP/1.1" {
		return nil
	}
	return s
}

// rest returns the size of the answer's body, and the error that cut it off.
func (s *stalled) rest(t *testing.T) (int64, error) {
	t.Helper()
	res, err := http.ReadResponse(s.read, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return io.Copy(io.Discard, res.Body)
}

// largeCollector makes the metrics large.
type largeCollector struct{ about *prometheus.Desc }

func (c largeCollector) Describe(out chan<- *prometheus.Desc) { out <- c.about }

func (c largeCollector) Collect(out chan<- prometheus.Metric) {
	for i := range 64 {
		out <- prometheus.MustNewConstMetric(c.about, prometheus.GaugeValue, 1, string(rune('a'+i))+string(largeBody[:len(largeBody)/64]))
	}
}

// Clients that do not read their answers keep neither others of the same kind out, nor probes.
func TestClientsThatDoNotReadKeepNobodyOut(t *testing.T) {
	const connections = 100 // more than the requests of all kinds at once
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(largeCollector{prometheus.NewDesc("large", "", []string{"text"}, nil)})
	for name, c := range map[string]struct {
		stalls, asks string
		most         int
	}{
		"pages":                        {"/ui/?large", "/ui/", pagesAtOnce / 2},
		"metrics":                      {"/metrics", "/metrics", metricsAtOnce},
		"error pages of event streams": {"/ui/events?large", "/ui/events", connections},
	} {
		t.Run(name, func(t *testing.T) {
			s, url := start(t, Config{maxConnections: connections, Gatherer: registry, NewUI: func(bool) (UI, error) { return largeUI{}, nil }})
			for range c.most {
				stall(t, s.Addr().String(), c.stalls)
			}
			for _, path := range []string{c.asks, "/healthz"} {
				status, body, err := fresh("GET", url+path, "")
				if err != nil || status != http.StatusOK {
					t.Errorf("%s: %d %.100q %v", path, status, body, err)
				}
			}
		})
	}
}

// What clients leave unread is bounded: the oldest answer gives way, and no other.
func TestUnreadAnswersAreBounded(t *testing.T) {
	u := &unread{most: 2*len(largeBody) + 1}
	server := httptest.NewServer(u.holding(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(largeBody) })))
	defer server.Close()
	var clients []*stalled
	for range 4 {
		c := stall(t, server.Listener.Addr().String(), "/")
		if c == nil {
			t.Fatal("there is no answer")
		}
		clients = append(clients, c)
	}
	for i, c := range clients {
		n, err := c.rest(t)
		if cut := n < int64(len(largeBody)) && errors.Is(err, io.ErrUnexpectedEOF); cut != (i < 2) {
			t.Errorf("answer %d: %d bytes, %v", i, n, err)
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.bytes != 0 || u.all.Len() != 0 {
		t.Errorf("%d bytes of %d answers still count", u.bytes, u.all.Len())
	}
}

// An answer that is held arrives as it was written: status, header and body, once.
func TestAHeldAnswerArrivesAsItWasWritten(t *testing.T) {
	for name, c := range map[string]struct {
		next   http.HandlerFunc
		status int
		body   string
	}{
		"nothing":  {func(http.ResponseWriter, *http.Request) {}, 200, ""},
		"body":     {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "text") }, 200, "text"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusSeeOther) }, 303, "<a href=\"/x\">See Other</a>.\n\n"},
		"twice": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(404)
			w.WriteHeader(200)
			_, _ = io.WriteString(w, "none")
		}, 404, "none"},
		"flushed": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(202)
			_, _ = io.WriteString(w, "a")
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, "b")
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, "c")
		}, 202, "abc"},
	} {
		w := httptest.NewRecorder()
		u := &unread{most: 1}
		u.holding(c.next).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/", nil))
		if w.Code != c.status || w.Body.String() != c.body {
			t.Errorf("%s: %d %q", name, w.Code, w.Body)
		}
	}
	w := httptest.NewRecorder() // of a handler that panics halfway
	u := &unread{most: 1}
	observed(slog.New(slog.DiscardHandler), access{}, u.holding(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		panic("broken")
	}))).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/", nil))
	if w.Code != 500 || w.Body.String() != "internal error\n" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}
