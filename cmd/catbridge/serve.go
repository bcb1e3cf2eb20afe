package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/httpd"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
	"github.com/catbridge/catbridge/gateway"
	"github.com/catbridge/catbridge/metrics"
)

const serveLong = `serve makes official ConfigCat SDKs in every language receive what the leaders published. It
runs a follower for each SDK key and serves their configs over HTTP as ConfigCat's CDN does.
An application sets the base URL of its SDK to the address of serve, such as
http://127.0.0.1:8093, and changes nothing else. For programs without an SDK, and for pages
that must not see rules, it evaluates flags with the API of ConfigCat Proxy.

  GET  /configuration-files/{key}/config_v6.json   the config, for official SDKs
  POST /api/{name}/eval, /api/{name}/eval-all      the values of flags for a user
  GET  /api/{name}/keys                            the keys of all flags
  POST /api/{name}/refresh                         ask the leader to poll the CDN
  GET  /sse/{name}/eval/{data}                     the value of a flag, and its changes
  GET  /sse/{name}/eval-all/{data}                 the same for all flags
  POST /ofrep/v1/evaluate/flags[/{key}]            values of flags, for OpenFeature (OFREP)
  GET  /hook/{name}   ConfigCat's webhook, or POST, with --webhooks
  GET  /healthz       200 while the process works
  GET  /readyz        200 once there was a config for every SDK key, otherwise 503
  GET  /metrics       metrics for Prometheus
  GET  /status        JSON, see --status
  GET  /debug/pprof/  with --pprof
  GET  /ui/           the dashboard, with --ui; docs/dashboard.md describes it

{key} is one of these. Every other one is answered with 404.

  {SDK key}                       as in the application
  configcat-proxy/{name}.{token}  the name of an SDK key, with a token of --token-file
  configcat-proxy/{name}          the name alone: only from this machine, through a Unix
                                  socket or with a client certificate, unless --open-names

Evaluation, streams and refreshes need a token with the right to them, the SDK key, or the name
alone where it is enough. A token without the right config, as for pages in browsers, never
shows rules. docs/serve.md describes the requests.

With --hold 5s a request of an SDK that polls by itself waits until the config changes, but at
most 5s, if the SDK has the current config. With a poll interval of 1s the SDK so receives a
change within milliseconds, with one request in 6s. Load balancers in front must wait longer
than --hold for an answer.

serve keeps the configs in memory and answers without Redis. With --snapshot-dir it also
starts without Redis, and with --online it then asks the CDN.

By default it listens on 127.0.0.1 only. On an address that other machines reach, metrics,
status and profiles need a token with the right status, as Authorization: Bearer TOKEN, or a
client certificate, or --insecure. Use TLS there: keys and tokens are in the path. There the
dashboard always needs a token with the right read or explain, or a client certificate.

When the file of --config or a file that it names changes, and on SIGHUP, serve reads its
settings again and applies the SDK keys, their settings, tokens, certificates and the log
level. An invalid file is rejected, and the running settings stay in effect.

On SIGINT, SIGTERM or SIGQUIT it answers the held requests and ends the streams, spread over
4s, and exits.

Exit codes: 0 a signal ended it; 1 a part of it failed, such as the HTTP server;
78 (EX_CONFIG) a flag, a variable or a file is wrong, and a restart does not help.`

const serveExample = `  CATBRIDGE_SDK_KEY=shop=… catbridge serve --redis redis://localhost:6379 --hold 5s
  catbridge serve --config /etc/catbridge/serve.yaml
  catbridge serve --sdk-key-file keys --redis rediss://serve@redis.example.com:6380 \
    --listen :8093 --token-file tokens --tls-cert-file cert.pem --tls-key-file key.pem`

// drainTime is how long the answers to held requests are spread when the process ends.
const drainTime = 4 * time.Second

func newServe() *cobra.Command {
	var f settingsFlags
	cmd := &cobra.Command{
		Use:         "serve",
		Short:       "Serve configs and values of flags over HTTP, to SDKs and clients in any language",
		Annotations: asService,
		Long:        serveLong,
		Example:     serveExample,
		Args:        noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := f.load(cmd)
			if err != nil {
				return err
			}
			return runServe(cmd, s, func() (*settings.Settings, error) { return settings.Load(f.Options) })
		},
	}
	f.AnySDKKey = true // only --online asks the CDN
	f.add(cmd, settings.Serve)
	return cmd
}

// runServe runs followers and the HTTP server until the command's context ends.
func runServe(cmd *cobra.Command, s *settings.Settings, load func() (*settings.Settings, error)) error {
	base := newService(cmd, s, load)
	defer base.close()
	log := base.log
	client := s.RedisOptions.Client()
	defer client.Close()
	g, err := gateway.New(gateway.Config{
		Hold: s.Serve.Hold, MaxStale: s.Serve.MaxStale, OpenNames: s.Serve.OpenNames, OpenEvaluation: s.Serve.Insecure, Hosts: s.HTTPHosts,
		Origins: s.Serve.Origins, EventKeys: s.Serve.EventKeys, MaxStreams: s.Serve.MaxStreams, MaxStreamsPerClient: s.Serve.PerClient,
	})
	if err != nil {
		return &usageError{err}
	}
	defer g.Close()
	asking := s.RedisOptions.LeaderClient(nil)
	defer asking.Close()
	a, err := newAsker(s, asking, log)
	if err != nil {
		return &usageError{err}
	}
	d, err := newDashboard(s, nil, log)
	if err != nil {
		return &usageError{err}
	}
	defer d.close()
	v := newServed(s, client, g, a, d, base.level, log)
	defer v.close()
	if err := v.apply(s); err != nil {
		return &usageError{err}
	}
	server, err := newServeServer(s, v, g, base.reloads, log)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	return base.run(cmd.Context(), parts{
		part: settings.Serve,
		apply: func(s *settings.Settings) error {
			err := v.apply(s)
			server.CloseRevoked()
			return err
		},
		ready: func() bool { return v.report().Ready },
		attrs: []any{"listen", server.Addr().String()},
		run:   d.addTo([]func(context.Context) error{server.Run}),
	})
}

func newServeServer(s *settings.Settings, v *served, g *gateway.Gateway, reloads *metrics.ReloadCollector, log *slog.Logger) (*httpd.Server, error) {
	cfg := httpd.ServeConfig{
		Addr: s.Serve.Listen, Gateway: g, NewUI: v.dashboard.onServer(), Report: v.report, Authorized: v.mayReadStatus,
		Drain: func(ctx context.Context) {
			v.stopping.Store(true)
			g.Drain(ctx, drainTime)
		},
		Insecure: s.Serve.Insecure, Status: s.Status, Pprof: s.Pprof, Hosts: s.HTTPHosts,
		MaxConnections: s.Serve.MaxConnections, AccessLog: s.Serve.AccessLog, Logger: log,
	}
	if s.Serve.TLS != nil {
		cfg.TLS = v.tls.Load
	}
	if s.Serve.Webhooks {
		cfg.Hooks = v.asker.hooks()
	}
	if s.Metrics.Enabled {
		cfg.Gatherer = newRegistry(s, v.followers, metrics.NewGatewayCollector(g), reloads)
	}
	return httpd.NewServe(cfg)
}
