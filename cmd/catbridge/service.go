package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
	"github.com/catbridge/catbridge/metrics"
)

// service is what leader and serve have in common: a log whose level may change, settings that are
// read again when they change, and a service manager that is notified.
type service struct {
	settings *settings.Settings
	load     func() (*settings.Settings, error)
	level    *slog.LevelVar
	log      *slog.Logger
	hangups  chan os.Signal
	reloads  *metrics.ReloadCollector
}

// newService starts the log. From now on SIGHUP does not end the process, until close.
func newService(cmd *cobra.Command, s *settings.Settings, load func() (*settings.Settings, error)) *service {
	v := &service{settings: s, load: load, level: new(slog.LevelVar), hangups: make(chan os.Signal, 1), reloads: metrics.NewReloadCollector()}
	signal.Notify(v.hangups, syscall.SIGHUP)
	v.level.Set(levelOf(s.Log.Level))
	v.log = newLoggerOn(s.Log, stderr(cmd), stderr(cmd).Terminal(), v.level)
	for _, warning := range s.Warnings {
		v.log.Warn(warning)
	}
	return v
}

func (v *service) close() { signal.Stop(v.hangups) }

// parts are what differs between services.
type parts struct {
	part  settings.Part                  // the settings that the service uses
	apply func(*settings.Settings) error // changed settings
	ready func() bool                    // what the service manager waits for
	attrs []any                          // of the line that says that it started
	run   []func(context.Context) error
}

// run runs all parts until ctx ends or one fails.
func (v *service) run(ctx context.Context, p parts) error {
	attrs := append([]any{"version", programVersion(), "redis", v.settings.RedisOptions.Address(), "sdk_keys", len(v.settings.SDKKeys)}, p.attrs...)
	if v.settings.File != "" {
		attrs = append(attrs, "config", v.settings.File)
	}
	v.log.Info("started", attrs...)
	err := together(ctx, shutdownTimeout, append(p.run,
		(&reloader{load: v.load, running: v.settings, apply: p.apply, part: p.part, level: v.level, log: v.log, hangups: v.hangups, metrics: v.reloads}).run,
		(&notifier{socket: os.Getenv("NOTIFY_SOCKET"), ready: p.ready, log: v.log}).run,
	)...)
	v.log.Info("stopped")
	return err
}

// newRegistry returns the registry of /metrics, with the metrics of the Go runtime unless they are
// turned off.
func newRegistry(s *settings.Settings, own ...prometheus.Collector) *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(own...)
	if s.Metrics.Runtime {
		registry.MustRegister(
			collectors.NewGoCollector(), collectors.NewBuildInfoCollector(),
			collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		)
	}
	return registry
}
