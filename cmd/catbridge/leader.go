package main

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/leader"
)

const leaderLong = `leader takes part in the election for one or many SDK keys. For each SDK key that
it leads, it polls the CDN and writes what is new to Redis, where followers and official
SDKs find it. Run two or more of them: when one ends, another takes over at once; when
one is killed, another takes over as soon as the lock runs out (15 s, 6 s with --fast).

It runs until it gets SIGINT or SIGTERM, whatever Redis or the CDN do; what goes wrong
is logged to standard error.`

const leaderExample = `  CATBRIDGE_SDK_KEY=… catbridge leader --redis redis://localhost:6379
  catbridge leader --sdk-key-file keys --redis rediss://leader@redis.example.com:6380 --redis-password-file password
  catbridge leader --sdk-key shop=… --sdk-key api=… --redis redis://localhost:6379 --poll-interval 30s`

// leaderFlags are the leader's own settings.
type leaderFlags struct {
	keys  sdkKeyFlags
	redis redisFlags
	log   logFlags

	baseURL        string
	governance     *choice
	allowedHosts   []string
	allowPrivate   bool
	proxy          string
	connectTimeout time.Duration
	readTimeout    time.Duration

	pollInterval      time.Duration
	fast              bool
	expectedFollowers int
	subscriberNodes   int
}

func newLeader() *cobra.Command {
	var f leaderFlags
	cmd := &cobra.Command{
		Use:     "leader",
		Short:   "Poll the CDN and write to Redis, if elected",
		Long:    leaderLong,
		Example: leaderExample,
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.keys.add(cmd, "SDK key to lead for, `[name=]key`; may be repeated. The name stands for the key in logs")
	f.redis.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.baseURL, "base-url", "", "`URL` of a CDN other than ConfigCat's")
	f.governance = newChoice("global", "eu")
	f.governance.add(cmd, "data-governance", "where the product's data is kept; as on the ConfigCat dashboard")
	flags.StringSliceVar(&f.allowedHosts, "allowed-host", nil, "`host`, host:port or *.domain that the CDN may redirect to, besides ConfigCat's own; may be repeated")
	flags.BoolVar(&f.allowPrivate, "allow-private", false, "let the CDN redirect to loopback and private addresses")
	flags.StringVar(&f.proxy, "proxy", "", "`URL` of an HTTP or SOCKS5 proxy to the CDN, with user and password if it asks for them; give those by the variable (default: by $HTTPS_PROXY, $HTTP_PROXY and $NO_PROXY)")
	flags.DurationVar(&f.connectTimeout, "connect-timeout", 0, "most that connecting to the CDN may take, a `duration` (default 10s)")
	flags.DurationVar(&f.readTimeout, "read-timeout", 0, "most that a whole request to the CDN may take, a `duration` (default 30s)")
	flags.DurationVar(&f.pollInterval, "poll-interval", 0, "`duration` between two polls of the CDN, 1s to 24h (default 55s; with --fast 5s)")
	flags.BoolVar(&f.fast, "fast", false, "fail over and poll sooner, at the price of more commands and requests")
	flags.IntVar(&f.expectedFollowers, "expected-followers", 0, "`number` of followers, over which reads are spread after a change (default: as many as messages reach)")
	flags.IntVar(&f.subscriberNodes, "subscriber-nodes", 0, "`number` of Redis nodes that serve subscribers (default 1)")
	f.log.add(cmd, "info")
	fromEnvironment(cmd, "base-url", "CATBRIDGE_BASE_URL")
	fromEnvironment(cmd, "data-governance", "CATBRIDGE_DATA_GOVERNANCE")
	fromEnvironment(cmd, "proxy", "CATBRIDGE_PROXY_URL")
	fromEnvironment(cmd, "poll-interval", "CATBRIDGE_POLL_INTERVAL")
	return cmd
}

func (f *leaderFlags) run(cmd *cobra.Command) error {
	keys, err := f.keys.read(cmd, f.baseURL != "")
	if err != nil {
		return err
	}
	governance := leader.Global
	if f.governance.value == "eu" {
		governance = leader.EUOnly
	}
	proxy, err := f.proxyURL()
	if err != nil {
		return err
	}
	o, err := f.redis.read(cmd)
	if err != nil {
		return err
	}
	client := o.LeaderClient(nil)
	defer client.Close()
	log := f.log.logger(cmd.ErrOrStderr())
	cfg := leader.Config{
		Redis: client, Logger: log, Timing: leader.DefaultTiming(),
		ProxyURL: proxy, ConnectTimeout: f.connectTimeout, ReadTimeout: f.readTimeout,
		ExpectedFollowers: f.expectedFollowers, SubscriberNodes: f.subscriberNodes,
	}
	if f.fast {
		cfg.Timing = leader.FastTiming()
	}
	for _, k := range keys {
		cfg.SDKKeys = append(cfg.SDKKeys, leader.SDKKey{
			Name: k.name, Key: k.key, BaseURL: f.baseURL, DataGovernance: governance,
			PollInterval: f.pollInterval, AllowedHosts: f.allowedHosts, AllowPrivate: f.allowPrivate,
		})
	}
	l, err := leader.New(cfg)
	if err != nil {
		// What can be wrong here all comes from flags.
		return usagef("%s", oneLine(err))
	}
	log.Info("started", "version", version(), "leader", l.ID(), "redis", o.Address(), "sdk_keys", len(keys))
	err = l.Run(cmd.Context())
	log.Info("stopped")
	return err
}

// proxyURL is the proxy to the CDN: the one that was given, else what the usual
// variables say for the CDN's host.
func (f *leaderFlags) proxyURL() (string, error) {
	if f.proxy != "" {
		return f.proxy, nil
	}
	base, err := url.Parse(cmp.Or(f.baseURL, "https://cdn-global.configcat.com"))
	if err != nil {
		return "", nil // refused, and explained, by leader.New
	}
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: base})
	switch {
	case err != nil:
		return "", usagef("$HTTP_PROXY: %v", err) // not trusted where this runs as a CGI program
	case proxy == nil:
		return "", nil
	}
	return proxy.String(), nil
}

// oneLine puts the parts of a joined error on one line.
func oneLine(err error) string {
	if joined, ok := errors.AsType[interface {
		error
		Unwrap() []error
	}](err); ok {
		text := ""
		for _, part := range joined.Unwrap() {
			if text != "" {
				text += "; "
			}
			text += oneLine(part)
		}
		return text
	}
	return err.Error()
}
