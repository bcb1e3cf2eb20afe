package main

import (
	"log/slog"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/httpd"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
	"github.com/catbridge/catbridge/leader"
	"github.com/catbridge/catbridge/metrics"
)

// newServer returns the HTTP server, which listens already, or nil if the settings have no
// address to listen on.
func newServer(s *settings.Settings, l *leader.Leader, ui httpd.NewUI, reloads *metrics.ReloadCollector, log *slog.Logger) (*httpd.Server, error) {
	if s.Listen == "" {
		return nil, nil
	}
	cfg := httpd.Config{Addr: s.Listen, Leader: l, NewUI: ui, Status: s.Status, Pprof: s.Pprof, Hosts: s.HTTPHosts, Version: programVersion(), Logger: log}
	if s.Metrics.Enabled {
		cfg.Gatherer = newRegistry(s, metrics.NewLeaderCollector(l), reloads)
	}
	return httpd.New(cfg)
}
