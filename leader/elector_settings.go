package leader

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/cdn"
	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/internal/hook"
)

// settings are the checked settings of one SDK key. They are immutable, except for the last three
// fields, which belong to the running fetch: a change gives the elector new settings.
type settings struct {
	SDKKey
	poll    time.Duration
	log     eventlog.Log
	fetcher *cdn.Fetcher

	received func(json []byte) // what to do with a body before it is checked
	broken   int               // set by check, read after the fetch
	last     *evaluate.Config  // the last large config that check accepted, or nil
}

// keptConfig is the size from which a compiled config is kept for the check of the next one. To
// check a smaller one takes less than 1 ms, and thousands of them would need much memory.
const keptConfig = 64 << 10 // bytes of JSON

// prepare checks the SDK keys. Its error lists everything that is wrong with them.
func (l *Leader) prepare(keys []SDKKey) ([]*settings, error) {
	if len(keys) == 0 {
		return nil, errors.New("leader: SDKKeys: at least one SDK key is required")
	}
	var errs []error
	prepared := make([]*settings, 0, len(keys))
	names, known := map[string]bool{}, map[string]bool{}
	for i, key := range keys {
		wrong := func(err error) { errs = append(errs, fmt.Errorf("leader: SDKKeys[%d]: %w", i, err)) }
		if names[key.name()] {
			wrong(fmt.Errorf("duplicate name %q: give each SDK key a Name of its own", key.name()))
		}
		if key.Key != "" && known[key.Key] {
			wrong(fmt.Errorf("duplicate SDK key %s", cdn.Mask(key.Key)))
		}
		names[key.name()], known[key.Key] = true, true
		s, err := l.settingsFor(key.clone())
		if err != nil {
			wrong(err)
		}
		prepared = append(prepared, s)
	}
	return prepared, errors.Join(errs...)
}

func (l *Leader) settingsFor(key SDKKey) (*settings, error) {
	s := &settings{SDKKey: key, poll: key.PollInterval, log: eventlog.New(l.cfg.Logger, "sdk_key", key.name())}
	if s.poll == 0 {
		s.poll = l.cfg.Timings.PollInterval
	}
	var errs []error
	if key.Key != "" && strings.Contains(key.Name, key.Key) {
		errs = append(errs, errors.New("the Name contains the SDK key and would show it in every log: choose another"))
	}
	if key.PollInterval != 0 {
		errs = append(errs, checkPoll(key.PollInterval))
	}
	errs = append(errs, hook.CheckKeys(key.Name, key.WebhookKeys))
	var err error
	s.fetcher, err = cdn.New(cdn.Config{
		SDKKey: key.Key, BaseURL: key.BaseURL, DataGovernance: cdn.DataGovernance(key.DataGovernance),
		Transport: l.cfg.Transport, Transports: &l.transports, ProxyURL: l.cfg.ProxyURL, Roots: l.roots,
		ConnectTimeout: l.cfg.ConnectTimeout, HTTPTimeout: l.cfg.HTTPTimeout,
		AllowedHosts: key.AllowedHosts, AllowPrivate: key.AllowPrivate,
		MaxBodyBytes: wire.MaxConfigBytes, Received: func(json []byte) { s.received(json) }, Check: s.check, Logger: s.log.Logger(),
	})
	return s, errors.Join(append(errs, err)...)
}

// check returns an error if the config must not be committed, and counts the flags that
// can fail because of an error in the config (S77).
func (s *settings) check(json []byte) error {
	config, err := evaluate.Reparse(s.last, json)
	if err != nil {
		return err
	}
	s.broken = len(config.BrokenFlags())
	if s.last = config; len(json) < keptConfig {
		s.last = nil
	}
	return nil
}
