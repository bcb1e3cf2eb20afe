package httpd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/catbridge/catbridge/leader"
)

const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	writeTimeout      = 30 * time.Second
	idleTimeout       = 2 * time.Minute
	shutdownTimeout   = 5 * time.Second

	maxHeaderBytes = 16 << 10
	maxBodyBytes   = 64<<10 + 1 // one byte above the limit for webhooks

	defaultConnections = 512
)

// Leader is the leader behind the server, usually a [*leader.Leader].
type Leader interface {
	Stats() leader.Stats
	// WebhookHandler serves GET and POST of /hook/{name}.
	WebhookHandler() http.Handler
}

// Config configures a [Server].
type Config struct {
	// Addr is the address to listen on, host:port. Without a host, the server listens on all
	// addresses; port 0 selects a free port. Required.
	Addr string
	// Leader is the leader whose state is served, and which handles webhooks. Required.
	Leader Leader
	// Gatherer collects the metrics for /metrics; nil: /metrics is not served.
	Gatherer prometheus.Gatherer
	// Status enables /status, which shows names, states and errors, but no secrets.
	Status bool
	// Pprof enables /debug/pprof/. It exposes parts of the memory, and its clients can slow
	// the process down: it must not be public.
	Pprof bool
	// Hosts are the host names that requests for /metrics, /status and /debug/pprof/ may use,
	// besides localhost and IP addresses. If Hosts is empty, no other names are allowed on a
	// loopback address, and any name elsewhere.
	Hosts []string
	// NewUI returns what serves the dashboard under /ui/; nil: there is none.
	NewUI NewUI
	// Version is shown by /status, unless it is empty.
	Version string
	// Logger logs errors and, at level debug, every request; nil: no log.
	Logger *slog.Logger

	maxConnections int  // bounds the number of open connections; 0: defaultConnections
	loopback       bool // the listener can only be reached from this machine
	ui             UI   // nil: there is none
}

// Server is an HTTP server that listens at once, and serves while [Server.Run] runs.
type Server struct {
	listener *limiter
	server   *http.Server
	drain    func(context.Context) // before the shutdown; nil: nothing
	tls      func() *tls.Config    // the current one; nil: no TLS
}

// New returns a server that already listens. It returns an error if the address or another
// field is wrong. The caller must call [Server.Run] or [Server.Close].
func New(cfg Config) (*Server, error) {
	if cfg.maxConnections == 0 {
		cfg.maxConnections = defaultConnections
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Leader == nil {
		return nil, errors.New("httpd: Leader is required")
	}
	listener, err := Listen(cfg.Addr)
	if err != nil {
		return nil, err
	}
	cfg.loopback = onLoopback(listener.Addr())
	if cfg.ui, err = cfg.NewUI.on(listener.Addr()); err != nil {
		_ = listener.Close()
		return nil, err
	}
	s := newServer(listener, cfg.maxConnections, newHandler(cfg), cfg.Logger)
	if cfg.ui != nil {
		s.drain = cfg.ui.Drain
	}
	return s, nil
}

func newServer(listener net.Listener, most int, handler http.Handler, log *slog.Logger) *Server {
	return &Server{
		listener: limit(listener, most),
		server: &http.Server{
			Handler:           handler,
			ReadHeaderTimeout: readHeaderTimeout,
			ReadTimeout:       readTimeout,
			WriteTimeout:      writeTimeout,
			IdleTimeout:       idleTimeout,
			MaxHeaderBytes:    maxHeaderBytes,
			ConnContext:       withConn,
			ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		},
	}
}

// Addr returns the address that the server listens on.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Run serves until ctx ends. It then answers the held requests, and gives the others
// in progress 5 s to end. It returns the error of the listener, or nil if ctx ended. It can be called
// only once.
func (s *Server) Run(ctx context.Context) error {
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		if s.drain != nil {
			s.drain(context.WithoutCancel(ctx))
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		defer cancel()
		if s.server.Shutdown(ctx) != nil {
			_ = s.server.Close()
		}
	})
	var err error
	if s.listener.encrypted {
		err = s.server.ServeTLS(s.listener, "", "")
	} else {
		err = s.server.Serve(s.listener)
	}
	if !stop() {
		<-stopped
	}
	_ = s.Close()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("HTTP server: %w", err)
}

// Close stops listening, and closes all connections at once. Close is idempotent.
func (s *Server) Close() error {
	err := s.server.Close()
	if closing := s.listener.Close(); !errors.Is(closing, net.ErrClosed) {
		err = errors.Join(err, closing)
	}
	return err
}
