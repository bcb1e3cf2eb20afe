package main

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"encoding/hex"
	"log/slog"
	"path/filepath"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/httpd"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/gateway"
	"github.com/catbridge/catbridge/metrics"
)

// served is what catbridge serve serves: a follower for each SDK key. It is safe for concurrent use.
type served struct {
	starter   starter
	gateway   *gateway.Gateway
	asker     *asker
	dashboard *dashboard // nil: it is off
	followers *metrics.FollowerCollector
	log       *slog.Logger

	started  *settings.Settings                // with what needs a restart
	settings atomic.Pointer[settings.Settings] // in effect, apart from that
	tls      atomic.Pointer[tls.Config]        // of new connections; nil: no TLS
	hadAll   atomic.Bool                       // there was a config for every SDK key
	stopping atomic.Bool

	mu   sync.Mutex
	keys []servedKey // in the order of the settings
}

func newServed(s *settings.Settings, client redis.UniversalClient, g *gateway.Gateway, a *asker, d *dashboard, level slog.Leveler, log *slog.Logger) *served {
	start := starter{redis: client, level: level, log: log, configure: func(k settings.SDKKey) follower.Config { return followerConfig(s, k) }}
	return &served{starter: start, gateway: g, asker: a, dashboard: d, followers: metrics.NewFollowerCollector(), log: log, started: s}
}

// apply makes the SDK keys and tokens of the settings those that are served. Followers whose
// settings did not change go on. If there is an error, nothing changes.
func (v *served) apply(s *settings.Settings) error {
	unused, err := v.replace(s)
	closeAll(unused) // without the lock: probes must not wait for it
	return err
}

// replace returns the followers that are no longer used, or those that an error made useless.
func (v *served) replace(s *settings.Settings) (unused []servedKey, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	next, fresh, err := v.starter.plan(s.SDKKeys, v.keys)
	if err != nil {
		return fresh, err
	}
	if err := v.asker.apply(s); err != nil {
		return fresh, err
	}
	if err := v.gateway.SetSDKs(v.gatewaySDKs(s, next)); err != nil {
		return fresh, err
	}
	before := cmp.Or(v.settings.Load(), v.started)
	if !reflect.DeepEqual(before.Serve.EventKeys, s.Serve.EventKeys) { // without keys, the random one stays
		if err := v.gateway.SetEventKeys(s.Serve.EventKeys); err != nil {
			v.log.Warn("the keys of event streams stay as they are", "error", err) // unreachable: they were checked
		}
	}
	if err := v.dashboard.show(s, next); err != nil {
		v.log.Warn("the dashboard stays as it is", "error", err) // unreachable: the settings were checked
	}
	for _, k := range v.keys {
		v.followers.Remove(k.label)
	}
	for _, k := range next {
		if err := v.followers.Add(k.label, k.client); err != nil {
			v.log.Warn("an SDK key has no metrics", "sdk_key", k.label, "error", err)
		}
	}
	unused = without(next, v.keys)
	v.keys = next
	v.settings.Store(s)
	if s.Serve.TLS != nil {
		v.tls.Store(s.Serve.TLS)
	}
	return unused, nil
}

// followerConfig returns the configuration of the follower of an SDK key, without what is the same
// for all. What needs a restart is in s.
func followerConfig(s *settings.Settings, k settings.SDKKey) follower.Config {
	cfg := plainFollower(s, k)
	cfg.FleetReport = s.Serve.FleetReport
	if s.Serve.Online {
		cfg.Online = true
		cfg.ProxyURL, cfg.ConnectTimeout, cfg.HTTPTimeout = s.ProxyURL, s.ConnectTimeout, s.HTTPTimeout
		if k.DataGovernance == "eu" {
			cfg.DataGovernance = follower.EUOnly
		}
	}
	if s.Serve.SnapshotFolder != "" {
		scope := sha256.Sum256([]byte(s.RedisOptions.Keys(k.Key).Scope()))
		cfg.SnapshotFile = filepath.Join(s.Serve.SnapshotFolder, hex.EncodeToString(scope[:8])+".snapshot")
	}
	return cfg
}

func (v *served) gatewaySDKs(s *settings.Settings, keys []servedKey) []gateway.SDK {
	var sdks []gateway.SDK
	for i, k := range s.SDKKeys {
		sdk := gateway.SDK{
			Name: k.Served(), Key: k.Key, Client: keys[i].client,
			DefaultUser: k.UserDefaults(), Refresh: v.asker.refresh(k.Label()),
		}
		for _, token := range s.Serve.Tokens {
			if rights := rightsOf(token); sdk.Name != "" && rights != 0 && (token.Applies(k.Name) || token.Applies(sdk.Name)) {
				sdk.Tokens = append(sdk.Tokens, gateway.Token{Secret: token.Secret, Rights: rights, Origins: token.Origins})
			}
		}
		sdks = append(sdks, sdk)
	}
	return sdks
}

// rightsOf returns what a token allows at the gateway.
func rightsOf(t settings.Token) (rights gateway.Rights) {
	for right, has := range map[gateway.Rights]bool{
		gateway.RightConfig: t.Config, gateway.RightEvaluate: t.Evaluate, gateway.RightStream: t.Stream, gateway.RightRefresh: t.Refresh,
	} {
		if has {
			rights |= right
		}
	}
	return rights
}

// mayReadStatus reports whether a token has the right status. It compares with every token.
func (v *served) mayReadStatus(token string) bool {
	given, found := sha256.Sum256([]byte(token)), 0
	for _, t := range v.settings.Load().Serve.Tokens {
		if t.Status {
			want := sha256.Sum256([]byte(t.Secret))
			found |= subtle.ConstantTimeCompare(given[:], want[:])
		}
	}
	return found == 1
}

// report returns the state of what is served.
func (v *served) report() httpd.ServeStatus {
	v.mu.Lock()
	keys := v.keys
	v.mu.Unlock()
	now := time.Now()
	status := httpd.ServeStatus{Version: programVersion(), Time: now.UTC().Truncate(time.Millisecond), SDKs: make([]httpd.SDKStatus, 0, len(keys))}
	all := len(keys) > 0
	for _, k := range keys {
		stats := k.client.Stats()
		sdk := httpd.SDKStatus{
			Name: k.label, Ready: stats.Hash != "", State: string(stats.State), Source: string(stats.Source),
			Rev: stats.Rev, Hash: stats.Hash, Epoch: stats.Epoch, Control: stats.Control, PollInterval: stats.PollInterval.Seconds(),
		}
		if !stats.LastConfirmed.IsZero() {
			sdk.Age = new(max(0, now.Sub(stats.LastConfirmed).Seconds()))
		}
		all = all && sdk.Ready
		status.SDKs = append(status.SDKs, sdk)
	}
	if all {
		v.hadAll.Store(true)
	}
	status.Ready = v.hadAll.Load() && !v.stopping.Load()
	held := v.gateway.Stats()
	status.Streams = httpd.StreamStatus{
		Holding: held.Holding, Held: held.Held, Released: held.Released, Refused: held.Refused,
		Events: held.Streams, RejectedEvents: held.RejectedStreams, SlowEvents: held.SlowStreams,
	}
	return status
}

func (v *served) close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	closeAll(v.keys)
	v.keys = nil
}
