package httpd

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// Within TLS, too, what follows the end of a chunked body is not answered: the request may have
// had a Content-Length, by which a proxy sees no second request.
func TestWithinTLSNothingIsSmuggled(t *testing.T) {
	authority := redistest.NewAuthority(t)
	config := &tls.Config{Certificates: []tls.Certificate{authority.Issue(t, "serve").TLS}}
	s := startServe(t, ServeConfig{
		Addr: "127.0.0.1:0", Gateway: http.NotFoundHandler(), Drain: func(context.Context) {}, Report: func() ServeStatus { return ServeStatus{} },
		TLS: func() *tls.Config { return config }, Authorized: func(string) bool { return false }, MaxConnections: 10, Logger: slog.New(slog.DiscardHandler),
	})
	for name, c := range map[string]struct {
		text    string
		answers int
	}{
		"both":    {post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"+lastAsk), 1},
		"chunked": {post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n"+lastAsk), 1},
		"neither": {ask + lastAsk, 2},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{RootCAs: authority.ClientConfig(t).RootCAs})
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(time.Minute))
			if _, err := io.WriteString(conn, c.text); err != nil {
				t.Fatal(err)
			}
			n := 0
			for answers := bufio.NewReader(conn); ; n++ {
				answer, err := http.ReadResponse(answers, nil)
				if err != nil {
					break
				}
				_, _ = io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
			}
			if n != c.answers {
				t.Errorf("%d answers, want %d", n, c.answers)
			}
		})
	}
}

// Only a socket on which nobody listens is replaced.
func TestASocketOfAnotherProgramStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.sock")
	other, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	l, err := listenUnix(path)
	if err == nil {
		_ = l.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "another process may listen there") {
		t.Errorf("listening where another program has a datagram socket: %v", err)
	}
}

// Clients do not choose what is in the log.
func TestOnlyKnownMethodsAreLogged(t *testing.T) {
	var log strings.Builder
	handler := observed(slog.New(slog.NewTextHandler(&log, nil)), access{slog.LevelInfo, false}, http.NotFoundHandler())
	for _, method := range []string{"GET", "SECRET" + strings.Repeat("X", 10_000)} {
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), method, "/", nil))
	}
	if text := log.String(); !strings.Contains(text, "method=GET") || !strings.Contains(text, "method=other") || strings.Contains(text, "SECRET") {
		t.Errorf("logged %.300s", text)
	}
}

// Those that send a body slowly have not been checked yet, and give way to others, probes among them.
func TestSlowBodiesDoNotKeepOthersFromServe(t *testing.T) {
	reads := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.ReadAll(r.Body) })
	s := startServe(t, ServeConfig{
		Addr: "127.0.0.1:0", Gateway: reads, Drain: func(context.Context) {}, Report: func() ServeStatus { return ServeStatus{} },
		Authorized: func(string) bool { return false }, MaxConnections: fewConnections, Logger: slog.New(slog.DiscardHandler),
	})
	for range 4 * fewConnections {
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = io.WriteString(c, "POST /api/eval HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\nxxx") // may be closed already
	}
	for i := range 10 {
		if status, body, err := fresh("GET", "http://"+s.Addr().String()+"/healthz", ""); err != nil || status != http.StatusOK {
			t.Fatalf("probe %d: %d %q %v", i, status, body, err)
		}
	}
}

// startServe runs a server until the end of the test.
func startServe(t *testing.T, cfg ServeConfig) *Server {
	t.Helper()
	s, err := NewServe(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s
}
