package leader

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/cdn"
	"github.com/catbridge/catbridge/internal/eventlog"
)

// ErrUnknownName says that no SDK key of the leader has that name.
var ErrUnknownName = errors.New("leader: no SDK key of that name")

// errRunning says that Run was called twice.
var errRunning = errors.New("leader: Run was called before")

// Leader takes part in the election for one or many SDK keys, and leads those it
// wins. All methods are safe for concurrent use.
type Leader struct {
	cfg     Config
	id      string
	log     eventlog.Log
	keepers []*keeper
	running atomic.Bool
}

// New checks the configuration, telling everything that is wrong with it at once.
// It connects to nothing: see [Leader.Run].
func New(cfg Config) (*Leader, error) {
	cfg.Timing = cfg.Timing.withDefaults()
	if cfg.SubscriberNodes == 0 {
		cfg.SubscriberNodes = 1
	}
	if cfg.ReadBudget == 0 {
		cfg.ReadBudget = 50_000_000
	}
	errs := []error{cfg.check()}
	// A process gets an ID of its own at each start: a lock from before is not its own.
	l := &Leader{cfg: cfg, id: rand.Text(), log: eventlog.New(cfg.Logger)}
	for i, key := range cfg.SDKKeys {
		k, err := newKeeper(l, key)
		if err != nil {
			errs = append(errs, fmt.Errorf("leader: SDKKeys[%d]: %w", i, err))
			continue
		}
		l.keepers = append(l.keepers, k)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return l, nil
}

func newKeeper(l *Leader, key SDKKey) (*keeper, error) {
	k := &keeper{
		leader:  l,
		name:    key.name(),
		poll:    key.PollInterval,
		timing:  l.cfg.Timing,
		store:   store{client: l.cfg.Redis, keys: cachekeys.For(key.Key), leaderID: l.id, expiry: l.cfg.Timing.LockExpiry},
		wake:    make(chan struct{}, 1),
		refresh: make(chan struct{}, 1),
	}
	k.log = eventlog.New(l.cfg.Logger, "sdk_key", k.name)
	k.stats.v = KeyStats{Name: k.name, State: Candidate}
	if k.poll == 0 {
		k.poll = k.timing.PollInterval
	}
	var err error
	k.fetcher, err = cdn.New(cdn.Config{
		SDKKey: key.Key, BaseURL: key.BaseURL, DataGovernance: key.DataGovernance,
		Transport: l.cfg.Transport, ProxyURL: l.cfg.ProxyURL,
		ConnectTimeout: l.cfg.ConnectTimeout, ReadTimeout: l.cfg.ReadTimeout,
		AllowedHosts: key.AllowedHosts, AllowPrivate: key.AllowPrivate,
		MaxBodyBytes: cachekeys.MaxConfigBytes, Check: k.check, Logger: k.log.Logger(),
	})
	return k, err
}

// check refuses what must never be committed, and counts the flags that are broken
// by themselves (S77).
func (k *keeper) check(json []byte) error {
	config, err := evaluate.Parse(json)
	if err != nil {
		return err
	}
	k.broken = len(config.BrokenFlags())
	return nil
}

// ID returns the leader's ID, random for each [New]; it stands in the lock.
func (l *Leader) ID() string { return l.id }

// Run takes part in the elections until ctx ends, then gives up every lock it holds,
// so that others take over at once, and returns nil. It blocks. Whatever Redis or
// the CDN do, it goes on: faults are logged and counted. Run can be called once.
func (l *Leader) Run(ctx context.Context) error {
	if l.running.Swap(true) {
		return errRunning
	}
	var wg sync.WaitGroup
	wg.Go(func() { l.listen(ctx) })
	for _, k := range l.keepers {
		wg.Go(func() { k.run(ctx) })
	}
	wg.Wait()
	return nil
}

// RequestRefresh asks whoever leads for the SDK key of that name to poll the CDN
// now, at most once a second however often it is asked. The request is lost neither
// when no message arrives nor when the leader changes.
func (l *Leader) RequestRefresh(ctx context.Context, name string) error {
	for _, k := range l.keepers {
		if k.name == name {
			return k.store.requestRefresh(ctx)
		}
	}
	return fmt.Errorf("%w: %q", ErrUnknownName, name)
}
