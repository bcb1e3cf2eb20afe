package leader

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/cdn"
	"github.com/catbridge/catbridge/internal/eventlog"
)

// SDKKey is one SDK key to lead for.
type SDKKey struct {
	// Name stands for the SDK key in logs, in [Stats] and in the URL of its webhook.
	// Empty: its last characters.
	Name string
	// Key is the SDK key (S3). Required. It is never shown in full (S103).
	Key string
	// BaseURL is where the config is fetched (S4). Empty: the CDN by DataGovernance.
	BaseURL        string
	DataGovernance DataGovernance
	// PollInterval is the time between two polls of the CDN. 0: Timing's.
	PollInterval time.Duration
	// AllowedHosts may be named by a redirect of the CDN besides ConfigCat's own.
	AllowedHosts []string
	// AllowPrivate lets a redirect lead to loopback and private addresses.
	AllowPrivate bool
	// WebhookKeys are the signing keys of ConfigCat's webhook, see
	// [Leader.WebhookHandler]: a request counts that any of them signed, so that they
	// can be rotated. They are never shown. Empty: the webhook is closed.
	WebhookKeys []string
}

func (k SDKKey) name() string {
	if k.Name != "" {
		return k.Name
	}
	return cdn.Mask(k.Key)
}

// clone shares nothing with k, and equals every clone of an equal k.
func (k SDKKey) clone() SDKKey {
	k.AllowedHosts = append([]string(nil), k.AllowedHosts...)
	k.WebhookKeys = append([]string(nil), k.WebhookKeys...)
	return k
}

// fetchedAs tells whether a term may go on with the settings of other.
func (k SDKKey) fetchedAs(other SDKKey) bool {
	k.Name, k.WebhookKeys = other.Name, other.WebhookKeys
	return reflect.DeepEqual(k, other)
}

// server names what is asked, and may ask to be left alone (S85).
func (k SDKKey) server() string { return fmt.Sprint(k.DataGovernance, " ", k.BaseURL) }

// settings are those of one SDK key, checked and ready for use. They never change: a
// elector gets others.
type settings struct {
	SDKKey
	poll    time.Duration
	log     eventlog.Log
	fetcher *cdn.Fetcher
	broken  int // set by check, read by the one fetch that runs
}

// prepare checks SDK keys, telling everything that is wrong with them at once.
func (l *Leader) prepare(keys []SDKKey) ([]*settings, error) {
	if len(keys) == 0 {
		return nil, errors.New("leader: SDKKeys: at least one SDK key is needed")
	}
	var errs []error
	prepared := make([]*settings, 0, len(keys))
	names, known := map[string]bool{}, map[string]bool{}
	for i, key := range keys {
		wrong := func(err error) { errs = append(errs, fmt.Errorf("leader: SDKKeys[%d]: %w", i, err)) }
		if names[key.name()] {
			wrong(fmt.Errorf("the name %q is taken: give each a Name of its own", key.name()))
		}
		if key.Key != "" && known[key.Key] {
			wrong(fmt.Errorf("%s is there twice", cdn.Mask(key.Key)))
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
		s.poll = l.cfg.Timing.PollInterval
	}
	var errs []error
	if key.Key != "" && strings.Contains(key.Name, key.Key) {
		errs = append(errs, errors.New("the Name holds the SDK key, and would show it in every log: give another"))
	}
	if key.PollInterval != 0 {
		errs = append(errs, checkPoll(key.PollInterval))
	}
	errs = append(errs, checkHook(key))
	var err error
	s.fetcher, err = cdn.New(cdn.Config{
		SDKKey: key.Key, BaseURL: key.BaseURL, DataGovernance: key.DataGovernance,
		Transport: l.cfg.Transport, Transports: &l.transports, ProxyURL: l.cfg.ProxyURL, Roots: l.roots,
		ConnectTimeout: l.cfg.ConnectTimeout, ReadTimeout: l.cfg.ReadTimeout,
		AllowedHosts: key.AllowedHosts, AllowPrivate: key.AllowPrivate,
		MaxBodyBytes: cachekeys.MaxConfigBytes, Check: s.check, Logger: s.log.Logger(),
	})
	return s, errors.Join(append(errs, err)...)
}

// check refuses what must never be committed, and counts the flags that are broken
// by themselves (S77).
func (s *settings) check(json []byte) error {
	config, err := evaluate.Parse(json)
	if err != nil {
		return err
	}
	s.broken = len(config.BrokenFlags())
	return nil
}
