package leader

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/cdn"
	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/internal/hook"
)

// DataGovernance is where ConfigCat stores a product's data (S10).
type DataGovernance int

const (
	Global DataGovernance = iota // https://cdn-global.configcat.com
	EUOnly                       // https://cdn-eu.configcat.com
)

// SDKKey configures an SDK key to lead for. [New] and [Leader.SetSDKKeys] copy it.
type SDKKey struct {
	// Name identifies the SDK key in logs, in [Stats] and in the URL of its webhook. If it is
	// empty, the masked SDK key is used.
	Name string
	// Key is the SDK key (S3). Required. It is never shown in full (S103).
	Key string
	// BaseURL is the URL from which the config is fetched (S4). If it is empty,
	// DataGovernance selects ConfigCat's CDN.
	BaseURL string
	// DataGovernance must be that of the product at ConfigCat (S10).
	DataGovernance DataGovernance
	// PollInterval is the time between two polls of the CDN. If it is 0, that of [Timings]
	// applies.
	PollInterval time.Duration
	// AllowedHosts are hosts to which the CDN may redirect, in addition to ConfigCat's own.
	AllowedHosts []string
	// AllowPrivate permits redirects to loopback and private addresses.
	AllowPrivate bool
	// WebhookKeys are the signing keys of ConfigCat's webhook, see [Leader.WebhookHandler].
	// A request must be signed with one of them. Several keys allow rotation. They are never
	// shown. If there are none, the webhook is disabled.
	WebhookKeys []string
}

func (k SDKKey) name() string {
	if k.Name != "" {
		return k.Name
	}
	return cdn.Mask(k.Key)
}

// clone returns a copy that shares no memory with k. Clones of equal keys are deeply equal.
func (k SDKKey) clone() SDKKey {
	k.AllowedHosts = append([]string(nil), k.AllowedHosts...)
	k.WebhookKeys = append([]string(nil), k.WebhookKeys...)
	return k
}

// sameFetch reports whether a term may continue with the settings of other.
func (k SDKKey) sameFetch(other SDKKey) bool {
	k.Name, k.WebhookKeys = other.Name, other.WebhookKeys
	return reflect.DeepEqual(k, other)
}

// server identifies the server that is polled, to which a Retry-After applies (S85).
func (k SDKKey) server() string { return fmt.Sprint(k.DataGovernance, " ", k.BaseURL) }

// settings are the checked settings of one SDK key. Except for broken they are immutable: a
// change gives the elector new settings.
type settings struct {
	SDKKey
	poll    time.Duration
	log     eventlog.Log
	fetcher *cdn.Fetcher
	broken  int // set by check, read after the fetch; fetches do not overlap
}

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
		MaxBodyBytes: wire.MaxConfigBytes, Check: s.check, Logger: s.log.Logger(),
	})
	return s, errors.Join(append(errs, err)...)
}

// check returns an error if the config must not be committed, and counts the flags that
// can fail because of an error in the config (S77).
func (s *settings) check(json []byte) error {
	config, err := evaluate.Parse(json)
	if err != nil {
		return err
	}
	s.broken = len(config.BrokenFlags())
	return nil
}
