package main

import (
	"errors"
	"log/slog"
	"reflect"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
	"github.com/catbridge/catbridge/follower"
)

// servedKey is an SDK key with its follower.
type servedKey struct {
	label  string
	config follower.Config // without what is the same for all
	client *follower.Client
}

// starter starts the followers of a process.
type starter struct {
	redis     redis.UniversalClient
	level     slog.Leveler
	log       *slog.Logger
	configure func(settings.SDKKey) follower.Config
}

// plan returns a follower for each SDK key, in the order of the settings: those of running with the
// same configuration, and fresh ones. If there is an error, only fresh is valid, for the caller to
// close.
func (f *starter) plan(keys []settings.SDKKey, running []servedKey) (next, fresh []servedKey, err error) {
	var errs []error
	for i := range keys {
		k := servedKey{label: keys[i].Label(), config: f.configure(keys[i])}
		if k.client = runningWith(k.config, running); k.client == nil {
			var err error
			if k.client, err = f.start(k); err != nil {
				errs = append(errs, err)
				continue
			}
			fresh = append(fresh, k)
		}
		next = append(next, k)
	}
	return next, fresh, errors.Join(errs...)
}

func runningWith(config follower.Config, running []servedKey) *follower.Client {
	for _, now := range running {
		if reflect.DeepEqual(now.config, config) {
			return now.client
		}
	}
	return nil
}

func (f *starter) start(k servedKey) (*follower.Client, error) {
	cfg := k.config
	cfg.Redis, cfg.Logger, cfg.LogLevel = f.redis, f.log.With("name", k.label), f.level
	return follower.New(cfg)
}

// without returns the SDK keys of before whose follower is not in next.
func without(next, before []servedKey) (gone []servedKey) {
	kept := map[*follower.Client]bool{}
	for _, k := range next {
		kept[k.client] = true
	}
	for _, k := range before {
		if !kept[k.client] {
			gone = append(gone, k)
		}
	}
	return gone
}

func closeAll(keys []servedKey) {
	var group sync.WaitGroup
	for _, k := range keys {
		group.Go(k.client.Close)
	}
	group.Wait()
}

// plainFollower returns the configuration of a follower that neither reports nor asks the CDN. What
// needs a restart is in s.
func plainFollower(s *settings.Settings, k settings.SDKKey) follower.Config {
	cfg := follower.Config{
		SDKKey: k.Key, Namespace: s.RedisOptions.Namespace(), BaseURL: k.BaseURL, AllowedHosts: k.AllowedHosts, AllowPrivate: k.AllowPrivate,
	}
	if s.Fast() {
		cfg.Timings = follower.FastTimings()
	}
	return cfg
}
