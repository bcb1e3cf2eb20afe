package httpd

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/pipes"
)

// fixedUI is a dashboard that answers with the body of a request, and streams until it is drained.
type fixedUI struct {
	local   bool
	drained chan struct{}
}

func (u *fixedUI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", "its own")
	if r.URL.Path != "/ui/events" {
		body, err := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, r.URL.Path+" "+string(body))
		if err != nil {
			panic(err)
		}
		return
	}
	out := http.NewResponseController(w)
	for range 100 {
		_ = out.SetWriteDeadline(time.Now().Add(time.Second))
		if _, err := io.WriteString(w, "event\n"); err != nil || out.Flush() != nil {
			return
		}
		select {
		case <-time.After(5 * time.Second):
		case <-u.drained:
			_, _ = io.WriteString(w, "drained\n")
			return
		case <-r.Context().Done():
			return
		}
	}
}

func (u *fixedUI) Drain(context.Context) { close(u.drained) }

func (u *fixedUI) new(local bool) (UI, error) {
	u.local = local
	return u, nil
}

func newServeWith(t *testing.T, ui NewUI) *Server {
	t.Helper()
	s, err := NewServe(ServeConfig{
		Addr: "127.0.0.1:0", NewUI: ui, Drain: func(context.Context) {}, Report: func() ServeStatus { return ServeStatus{} },
		Gateway:    http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "gateway "+r.URL.Path) }),
		Authorized: func(string) bool { return false }, MaxConnections: 10, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Both servers pass on what is below /ui/, and nothing else.
func TestTheDashboardIsBelowItsPath(t *testing.T) {
	u := &fixedUI{}
	leader, err := New(Config{Addr: "127.0.0.1:0", Leader: fixedLeader{}, NewUI: u.new})
	if err != nil {
		t.Fatal(err)
	}
	defer leader.Close()
	serve := newServeWith(t, u.new)
	if !u.local {
		t.Error("a loopback address is not seen as one")
	}
	for name, s := range map[string]*Server{"leader": leader, "serve": serve} {
		for path, want := range map[string]string{"/ui/": "/ui/ body", "/ui/a/b": "/ui/a/b body", "/uix": "", "/ui": "", "/healthz": ""} {
			w := httptest.NewRecorder()
			s.server.Handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "POST", path, strings.NewReader("body")))
			if (w.Header().Get("Content-Security-Policy") == "its own") != (want != "") || want != "" && w.Body.String() != want {
				t.Errorf("%s: %s: %d %q", name, path, w.Code, w.Body)
			}
		}
		w := httptest.NewRecorder()
		s.server.Handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "POST", "/ui/a", strings.NewReader(strings.Repeat("x", maxBodyBytes+1))))
		if n := w.Body.Len(); n > maxBodyBytes {
			t.Errorf("%s: %d bytes are passed on", name, n)
		}
	}
	// Browsers are sent there from the root, which has nothing of its own. Other requests for it, and all
	// without a dashboard, are answered as ever.
	plain, err := New(Config{Addr: "127.0.0.1:0", Leader: fixedLeader{}})
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	for _, test := range []struct {
		name, method, path string
		server             *Server
		code               int
		text               string // location, or body
	}{
		{"leader", "GET", "/", leader, http.StatusFound, "/ui/"}, {"leader", "HEAD", "/", leader, http.StatusFound, "/ui/"},
		{"leader", "GET", "/?a=b", leader, http.StatusFound, "/ui/"},
		{"leader", "POST", "/", leader, http.StatusNotFound, "not found; see /ui/, /healthz and /readyz\n"},
		{"leader", "GET", "/other", leader, http.StatusNotFound, "not found; see /ui/, /healthz and /readyz\n"},
		{"serve", "GET", "/", serve, http.StatusFound, "/ui/"}, {"serve", "HEAD", "/", serve, http.StatusFound, "/ui/"},
		{"serve", "POST", "/", serve, http.StatusOK, "gateway /"}, {"serve", "GET", "//", serve, http.StatusOK, "gateway //"},
		{"leader without it", "GET", "/", plain, http.StatusNotFound, "not found; see /healthz and /readyz\n"},
		{"serve without it", "GET", "/", newServeWith(t, nil), http.StatusOK, "gateway /"},
	} {
		w := httptest.NewRecorder()
		test.server.server.Handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), test.method, test.path, nil))
		text := w.Body.String()
		if w.Code == http.StatusFound {
			text = w.Header().Get("Location")
		}
		if w.Code != test.code || text != test.text {
			t.Errorf("%s: %s %s: %d %q, want %d %q", test.name, test.method, test.path, w.Code, text, test.code, test.text)
		}
	}
	for name, s := range map[string]*Server{"leader": leader, "serve": serve} {
		w := httptest.NewRecorder()
		s.server.Handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/ui", nil))
		if w.Code/100 != 3 || w.Header().Get("Location") != "/ui/" {
			t.Errorf("%s: GET /ui: %d to %q", name, w.Code, w.Header().Get("Location"))
		}
	}
	w := httptest.NewRecorder()
	newServeWith(t, nil).server.Handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/ui/", strings.NewReader("")))
	if w.Body.String() != "gateway /ui/" {
		t.Errorf("without a dashboard: %q", w.Body)
	}
}

func TestAFaultyDashboardFreesTheAddress(t *testing.T) {
	fault := errors.New("broken")
	_, err := New(Config{Addr: "127.0.0.1:0", Leader: fixedLeader{}, NewUI: func(bool) (UI, error) { return nil, fault }})
	if !errors.Is(err, fault) {
		t.Error(err)
	}
}

// Event streams last longer than the deadlines of other requests, and end when the server does.
func TestEventStreamsOutlastTheDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &fixedUI{drained: make(chan struct{})}
		cfg := Config{Leader: fixedLeader{}, Logger: slog.New(slog.DiscardHandler), ui: u}
		conns := pipes.New()
		s := newServer(conns, 10, newHandler(cfg), cfg.Logger)
		s.drain = u.Drain
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		near, err := conns.Dial()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(near, "GET /ui/events HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(bufio.NewReader(near), nil)
		if err != nil {
			t.Fatal(err)
		}
		lines, began := bufio.NewScanner(res.Body), time.Now()
		for time.Since(began) < 3*max(readTimeout, writeTimeout) {
			if !lines.Scan() || lines.Text() != "event" {
				t.Fatalf("after %v: %q", time.Since(began), lines.Text())
			}
		}
		cancel()
		defer func() {
			_ = conns.Close()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}()
		for lines.Scan() && lines.Text() == "event" {
		}
		if lines.Text() != "drained" || lines.Scan() {
			t.Errorf("at the end: %q", lines.Text())
		}
		_ = near.Close()
	})
}
