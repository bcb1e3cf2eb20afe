package httpd

import (
	"context"
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
	maxBodyBytes   = 64<<10 + 1 // one byte more than a webhook may have

	defaultConnections = 512
	// minConnections is above what can be handled at once: see routes.go.
	minConnections = 128
)

// Leader is what the server tells of; a [*leader.Leader] is one.
type Leader interface {
	Stats() leader.Stats
	// WebhookHandler serves GET and POST of /hook/{name}.
	WebhookHandler() http.Handler
}

// Config configures a [Server].
type Config struct {
	// Addr is where to listen, host:port; no host: on all addresses; port 0: a free one. Required.
	Addr string
	// Leader is what the server tells of, and takes webhooks for. Required.
	Leader Leader
	// Gatherer gives what /metrics serves; nil: that is not served.
	Gatherer prometheus.Gatherer
	// Status lets /status be served. It tells names, states and errors, but no secrets.
	Status bool
	// Pprof lets /debug/pprof/ be served. Who may read it sees the memory's contents in
	// part, and can slow the process down: not for the public.
	Pprof bool
	// Hosts are names by which /metrics, /status and /debug/pprof/ may be asked for, besides
	// localhost and addresses. Empty: where Addr is a loopback address no others, else any.
	Hosts []string
	// Version is told by /status; empty: not told.
	Version string
	// MaxConnections bounds the connections that are open at once. 0: 512; at least 128.
	MaxConnections int
	// Logger receives what goes wrong and, at level debug, every request; nil: nothing.
	Logger *slog.Logger

	loopback bool // what listens can be reached from this machine alone
}

// Server listens, and serves once [Server.Run] runs.
type Server struct {
	listener *limiter
	server   *http.Server
	log      *slog.Logger
}

// New listens at once, so that what is wrong with the address shows at the start.
// Whoever does not come to call [Server.Run] calls [Server.Close].
func New(cfg Config) (*Server, error) {
	if cfg.MaxConnections == 0 {
		cfg.MaxConnections = defaultConnections
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	listener, err := Listen(cfg.Addr)
	if err != nil {
		return nil, err
	}
	cfg.loopback = onLoopback(listener.Addr())
	limited := limit(listener, cfg.MaxConnections)
	return &Server{
		listener: limited, log: cfg.Logger,
		server: &http.Server{
			Handler:           newHandler(cfg),
			ReadHeaderTimeout: readHeaderTimeout,
			ReadTimeout:       readTimeout,
			WriteTimeout:      writeTimeout,
			IdleTimeout:       idleTimeout,
			MaxHeaderBytes:    maxHeaderBytes,
			ConnContext:       withConn,
			ErrorLog:          slog.NewLogLogger(cfg.Logger.Handler(), slog.LevelDebug),
		},
	}, nil
}

func (c *Config) check() error {
	var errs []error
	if c.Leader == nil {
		errs = append(errs, errors.New("httpd: Leader: a leader is needed"))
	}
	if c.MaxConnections < minConnections {
		errs = append(errs, fmt.Errorf("httpd: MaxConnections: %d is below %d", c.MaxConnections, minConnections))
	}
	return errors.Join(errs...)
}

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Run serves until ctx ends. Requests that are under way then get 5 s to end. The error
// is that of the listener; nil: ctx ended. Run can be called once.
func (s *Server) Run(ctx context.Context) error {
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		defer cancel()
		if s.server.Shutdown(ctx) != nil {
			_ = s.server.Close()
		}
	})
	err := s.server.Serve(s.listener)
	if !stop() {
		<-stopped
	}
	_ = s.Close()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("httpd: %w", err)
}

// Close stops listening, and closes every connection at once.
func (s *Server) Close() error {
	err := s.server.Close()
	if closing := s.listener.Close(); !errors.Is(closing, net.ErrClosed) {
		err = errors.Join(err, closing)
	}
	return err
}
