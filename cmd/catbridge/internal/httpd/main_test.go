package httpd

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/catbridge/catbridge/leader"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixedLeader is a leader with the stats and the handler of a test.
type fixedLeader struct {
	stats leader.Stats
	hook  http.HandlerFunc
}

func (l fixedLeader) Stats() leader.Stats { return l.stats }

func (l fixedLeader) WebhookHandler() http.Handler {
	if l.hook == nil {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			_, _ = w.Write([]byte(r.PathValue("name") + ":" + string(body)))
		})
	}
	return l.hook
}

// start serves on a free port until the test ends.
func start(t *testing.T, cfg Config) (s *Server, url string) {
	t.Helper()
	cfg.Addr = "127.0.0.1:0"
	if cfg.Leader == nil {
		cfg.Leader = fixedLeader{}
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return s, "http://" + s.Addr().String()
}

// call calls the handler without a network.
func call(t *testing.T, cfg Config, method, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	if cfg.Leader == nil {
		cfg.Leader = fixedLeader{}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	w := httptest.NewRecorder()
	newHandler(cfg).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body)))
	return w
}
