package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
	"github.com/catbridge/catbridge/leader"
	"github.com/catbridge/catbridge/leader/otel"
)

const leaderLong = `leader takes part in the election for one or more SDK keys. For each SDK key that it
leads, it polls the CDN and writes new content to Redis, where followers and official
SDKs read it. Run two or more leaders. When one stops, another takes over at once; when
one is killed, another takes over as soon as the lock expires (15 s, 6 s with --fast).

Give the settings by flags, variables or a YAML file, in which each SDK key can have its
own settings. A flag wins over a variable, and a variable wins over the file; see
'catbridge config --help'. When the file or a file that it names changes, and on SIGHUP,
the leader reads its settings again and applies the SDK keys, their settings and the log
level. An invalid file is rejected, and the running settings stay in effect. The log
reports both, and which changes need a restart.

With --listen it serves over HTTP:

  /hook/{name}        ConfigCat's webhook, by GET or POST, for the SDK key of that name, if
                      it has a signing key: the leader of the SDK key polls at once, even
                      if another process receives the webhook
  GET  /healthz       200 while the process works
  GET  /readyz        200 if for every SDK key Redis answers, a process leads and there is a
                      config, otherwise 503 and the reason
  GET  /metrics       metrics for Prometheus
  GET  /status        JSON, see --status
  GET  /debug/pprof/  with --pprof
  GET  /ui/           the dashboard, with --ui; docs/dashboard.md describes it

On an address that other machines reach, the dashboard needs a token of --ui-token-file with
one of the rights read, explain and control. On a loopback address without tokens everybody
on this machine may look at it; Actions need a token there, too, or --ui-open-actions.

It runs until it receives SIGINT, SIGTERM or SIGQUIT, even if Redis or the CDN fail or its
log is no longer read. It logs to standard error. At the end it releases its locks, so that
another leader takes over at once. On SIGQUIT it first prints the stacks of all goroutines.
A second signal ends it at once; its locks then expire on their own.

Exit codes: 0 a signal ended it; 1 a part of it failed, such as the HTTP server;
78 (EX_CONFIG) a flag, a variable or a file is wrong, and a restart does not help. A crash has
other exit codes.

A systemd unit of Type=notify becomes ready when the leader takes part in the elections:
when Redis has answered for every SDK key. See deploy/systemd in the source for a unit.`

const leaderExample = `  CATBRIDGE_SDK_KEY=… catbridge leader --redis redis://localhost:6379
  catbridge leader --config /etc/catbridge/catbridge.yaml --listen :8080
  catbridge leader --sdk-key-file keys --redis rediss://leader@redis.example.com:6380 \
    --redis-password-file password
  catbridge leader --sdk-key shop=… --sdk-key api=… --redis redis://localhost:6379 \
    --poll-interval 30s`

const shutdownTimeout = 15 * time.Second

func newLeader() *cobra.Command {
	var f settingsFlags
	cmd := &cobra.Command{
		Use:         "leader",
		Short:       "Poll the CDN and write to Redis, when elected",
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

// runLeader runs a leader, its HTTP server and its helpers until the command's context ends.
func runLeader(cmd *cobra.Command, s *settings.Settings, load func() (*settings.Settings, error)) error {
	base := newService(cmd, s, load)
	defer base.close()
	log := base.log
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
		cfg.Tracer = otel.NewTracer(tracing)
	}
	l, err := leader.New(cfg)
	if err != nil {
		return &usageError{err}
	}
	if s.UI && s.Listen == "" {
		return usagef("--ui: the dashboard needs an address: give --listen, such as 127.0.0.1:8080")
	}
	d, err := newLeaderDashboard(s, l, base.level, log)
	if err != nil {
		return &usageError{err}
	}
	defer d.close()
	server, err := newServer(s, l, d.onServer(), base.reloads, log)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	if err := d.apply(s, func() error { return nil }); err != nil { // the leader has its SDK keys
		return errors.Join(&usageError{err}, server.Close())
	}
	p := parts{
		part: settings.Leader,
		apply: func(s *settings.Settings) error {
			return d.apply(s, func() error { return l.SetSDKKeys(s.LeaderKeys()) })
		},
		ready: func() bool { return takesPart(l.Stats()) },
		attrs: []any{"leader", l.ID()},
		run:   d.addTo([]func(context.Context) error{l.Run}),
	}
	if server != nil {
		p.attrs = append(p.attrs, "listen", server.Addr().String())
		p.run = append(p.run, server.Run)
	}
	return base.run(cmd.Context(), p)
}

var errShutdown = errors.New("the shutdown took too long; locks that are still held expire on their own")

// together runs all until ctx ends or one fails, and then waits for the others, for at most
// timeout.
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

// recovered turns a panic of run into an error, so that the other parts shut down in order.
func recovered(ctx context.Context, run func(context.Context) error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = &panicError{cause, debug.Stack()}
		}
	}()
	return run(ctx)
}

type panicError struct {
	cause any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.cause) }
