package main

import (
	"context"
	"log/slog"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/httpd"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/observe"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/ui"
	"github.com/catbridge/catbridge/leader"
)

// dashboard is what --ui adds to a leader or to serve. All methods of a nil dashboard do nothing.
type dashboard struct {
	config   ui.Config
	observer *observe.Observer
	client   redis.UniversalClient
	tokens   func(*settings.Settings) []settings.Token
	ui       *ui.UI // nil until the server listens
}

// newDashboard returns the dashboard of a process, or nil if it is off. stats returns the state of
// the process's leader; nil: it is none. The caller must close it.
func newDashboard(s *settings.Settings, stats func() leader.Stats, log *slog.Logger) (*dashboard, error) {
	if !s.UI {
		return nil, nil
	}
	d := &dashboard{client: s.RedisOptions.LeaderClient(nil), tokens: serveTokens}
	process := "serve"
	if stats != nil {
		process, d.tokens = "leader", func(s *settings.Settings) []settings.Token { return s.UITokens }
	}
	var err error
	d.observer, err = observe.New(observe.Config{Redis: d.client, Namespace: s.RedisOptions.Namespace(), Leader: stats})
	if err != nil {
		d.close()
		return nil, err
	}
	d.config = ui.Config{
		Process: process, Version: programVersion(), Observer: d.observer, Acts: stats != nil, OpenActions: s.UIOpenActions,
		Redis: d.client, Namespace: s.RedisOptions.Namespace(), Tokens: uiTokens(d.tokens(s), s.SDKKeys),
		Hosts: s.HTTPHosts, Secure: stats == nil && s.Serve.TLS != nil, Logger: log,
	}
	return d, nil
}

func serveTokens(s *settings.Settings) []settings.Token { return s.Serve.Tokens }

// uiTokens returns the tokens with a right to the dashboard.
func uiTokens(tokens []settings.Token, keys []settings.SDKKey) []ui.Token {
	var all []ui.Token
	for _, t := range tokens {
		if !t.Shows() {
			continue
		}
		token := ui.Token{Secret: t.Secret, Name: t.Name, Read: t.Read, Explain: t.Explain, Control: t.Control}
		for _, k := range keys {
			if len(t.SDKs) > 0 && (t.Applies(k.Name) || t.Applies(k.Served())) {
				token.SDKs = append(token.SDKs, k.Label())
			}
		}
		if len(t.SDKs) > 0 && len(token.SDKs) == 0 {
			continue // unreachable: the names were checked; none would mean all
		}
		all = append(all, token)
	}
	return all
}

// onServer returns what makes the dashboard a part of a server, or nil.
func (d *dashboard) onServer() httpd.NewUI {
	if d == nil {
		return nil
	}
	return func(local bool) (httpd.UI, error) {
		d.config.Open = local
		var err error
		d.ui, err = ui.New(d.config)
		return d.ui, err
	}
}

// show makes the followers' SDK keys, and the tokens of the settings, those of the dashboard.
func (d *dashboard) show(s *settings.Settings, keys []servedKey) error {
	if d == nil {
		return nil
	}
	targets := make([]observe.Target, len(keys))
	for i, k := range keys {
		targets[i] = observe.Target{Label: k.label, Key: k.config.SDKKey, Client: k.client}
	}
	if err := d.observer.SetTargets(targets); err != nil {
		return err
	}
	if d.ui != nil {
		d.ui.SetTokens(uiTokens(d.tokens(s), s.SDKKeys))
	}
	return nil
}

// addTo adds the dashboard to the parts of a process.
func (d *dashboard) addTo(run []func(context.Context) error) []func(context.Context) error {
	if d == nil {
		return run
	}
	return append(run, d.observer.Run)
}

func (d *dashboard) close() {
	if d != nil {
		_ = d.client.Close()
	}
}
