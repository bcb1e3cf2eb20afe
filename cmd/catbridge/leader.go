package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
	"github.com/catbridge/catbridge/leader"
)

const leaderLong = `leader takes part in the election for one or many SDK keys. For each SDK key that
it leads, it polls the CDN and writes what is new to Redis, where followers and official
SDKs find it. Run two or more of them: when one ends, another takes over at once; when
one is killed, another takes over as soon as the lock runs out (15 s, 6 s with --fast).

What it is to do is said by flags, by variables, or by a YAML file, in which each SDK key
can have settings of its own; a flag wins over a variable, and that over the file. See
'catbridge config --help'. A changed file, or one that it names, is taken over while it
runs, or upon SIGHUP: SDK keys, their settings, and the log's level. One that is wrong is
refused, and what was goes on; the log tells both, and what needs a restart.

With --listen it serves over HTTP:

  /hook/{name}        ConfigCat's webhook, by GET or POST, for the SDK key of that name, if
                      it has a signing key: the leader polls at once, whichever process gets it
  GET  /healthz       200 while the process does its work
  GET  /readyz        200 when all that it is there for works, else 503 and why
  GET  /metrics       for Prometheus
  GET  /status        JSON, see --status
  GET  /debug/pprof/  with --pprof

It runs until it gets SIGINT, SIGTERM or SIGQUIT, whatever Redis or the CDN do, and though
nobody reads its log any more; what goes wrong is logged to standard error. Then it gives up
its locks, so that others take over at once. SIGQUIT prints the stacks of all goroutines
before that. A second signal ends it on the spot: then its locks run out by themselves.

Exit codes: 0 a signal ended it; 1 a part of it failed, such as its listener; 78 (EX_CONFIG)
a flag, a variable or a file is wrong, which no restart mends. A crash has other codes.

A systemd unit of Type=notify is ready once the leader takes part in the elections: once
Redis has answered for every SDK key. deploy/systemd in the source has such a unit.`

const leaderExample = `  CATBRIDGE_SDK_KEY=… catbridge leader --redis redis://localhost:6379
  catbridge leader --config /etc/catbridge/catbridge.yaml --listen :8080
  catbridge leader --sdk-key-file keys --redis rediss://leader@redis.example.com:6380 \
    --redis-password-file password
  catbridge leader --sdk-key shop=… --sdk-key api=… --redis redis://localhost:6379 \
    --poll-interval 30s`

// shutdownTimeout bounds what comes after the signal to end.
const shutdownTimeout = 15 * time.Second

func newLeader() *cobra.Command {
	var f settingsFlags
	cmd := &cobra.Command{
		Use:         "leader",
		Short:       "Poll the CDN and write to Redis, if elected",
		Annotations: asService,
		Long:        leaderLong,
		Example:     leaderExample,
		Args:        noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := f.load(cmd)
			if err != nil {
				return err
			}
			return runLeader(cmd, s, func() (*settings.Settings, error) { return settings.Load(f.Options) })
		},
	}
	f.add(cmd, settings.Leader)
	return cmd
}

// runLeader runs a leader, and all that belongs to it, until the command's context ends.
func runLeader(cmd *cobra.Command, s *settings.Settings, load func() (*settings.Settings, error)) error {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)

	level := new(slog.LevelVar)
	level.Set(levelOf(s.Log.Level))
	log := newLoggerOn(s.Log, stderr(cmd), stderr(cmd).Terminal(), level)
	for _, warning := range s.Warnings {
		log.Warn(warning)
	}
	client := s.RedisOptions.LeaderClient(nil)
	defer client.Close()
	cfg := s.LeaderConfig()
	cfg.Redis, cfg.Logger = client, log
	tracing, err := newTracing(cmd.Context(), s.Tracing, log)
	if err != nil {
		return usagef("tracing: %w", err)
	}
	if tracing != nil {
		defer endTracing(cmd.Context(), tracing)
		cfg.TracerProvider = tracing
	}
	l, err := leader.New(cfg)
	if err != nil {
		return &usageError{err}
	}
	server, err := newServer(s, l, log)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	all := []func(context.Context) error{
		l.Run,
		(&reloader{load: load, running: s, leader: l, level: level, log: log, hangups: hangups}).run,
		(&notifier{socket: os.Getenv("NOTIFY_SOCKET"), stats: l.Stats, log: log}).run,
	}
	attrs := []any{"version", version(), "leader", l.ID(), "redis", s.RedisOptions.Address(), "sdk_keys", len(s.SDKKeys)}
	if s.File != "" {
		attrs = append(attrs, "config", s.File)
	}
	if server != nil {
		all = append(all, server.Run)
		attrs = append(attrs, "listen", server.Addr().String())
	}
	log.Info("started", attrs...)
	err = together(cmd.Context(), shutdownTimeout, all...)
	log.Info("stopped")
	return err
}

var errShutdown = errors.New("shutting down took too long; locks that are still held expire by themselves")

// together runs all until ctx ends or one fails, and waits for the others that long.
func together(ctx context.Context, timeout time.Duration, all ...func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex
	var failed error
	var wg sync.WaitGroup
	for _, run := range all {
		wg.Go(func() {
			if err := recovered(ctx, run); err != nil {
				mu.Lock()
				failed = errors.Join(failed, err)
				mu.Unlock()
				cancel(err)
			}
		})
	}
	done := make(chan struct{})
	go func() {
		wg.Wait()
		close(done)
	}()
	<-ctx.Done()
	select {
	case <-done:
	case <-time.After(timeout):
		return fmt.Errorf("%w: %v", errShutdown, timeout)
	}
	return failed
}

// recovered makes an error of a panic: the other parts are to end in good order.
func recovered(ctx context.Context, run func(context.Context) error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = &panicError{cause, debug.Stack()}
		}
	}()
	return run(ctx)
}

// panicError is a panic that was recovered from.
type panicError struct {
	cause any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.cause) }
