package leader

import (
	"context"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/subscription"
)

// keeperSet is the SDK keys of a moment. It never changes: there comes another.
type keeperSet struct {
	keepers  []*keeper // in the order of the configuration
	bySDKKey map[string]*keeper
	byName   map[string]*keeper
	replaced chan struct{} // closed when keepers come or go
}

func newKeeperSet(keepers []*keeper) *keeperSet {
	set := &keeperSet{
		keepers: keepers, bySDKKey: map[string]*keeper{}, byName: map[string]*keeper{},
		replaced: make(chan struct{}),
	}
	for _, k := range keepers {
		s := k.settings()
		set.bySDKKey[s.Key], set.byName[s.name()] = k, k
	}
	return set
}

// SetSDKKeys takes over a new set of SDK keys, before or while Run runs. Everything
// that is wrong with it is told at once, and then nothing changes. An SDK key is known
// by its Key:
//
//   - one that is new joins the election;
//   - one that is not there any more ends its term, and gives the lock up;
//   - one whose settings are the same goes on undisturbed, and so does one whose name
//     or signing keys alone changed;
//   - one that is to be fetched otherwise ends its term, and joins the election anew.
//
// It does not wait for any of that. Statistics go on for those that stay.
func (l *Leader) SetSDKKeys(keys []SDKKey) error {
	prepared, err := l.prepare(keys)
	if err != nil {
		return err
	}
	l.replace(prepared)
	return nil
}

func (l *Leader) replace(prepared []*settings) {
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.set.Load()
	keepers := make([]*keeper, 0, len(prepared))
	for _, s := range prepared {
		k := old.bySDKKey[s.Key]
		if k == nil {
			k = newKeeper(l, s)
		} else {
			k.configure(s)
		}
		keepers = append(keepers, k)
	}
	set := newKeeperSet(keepers)
	came, went := beyond(set, old), beyond(old, set)
	if len(came)+len(went) == 0 {
		set.replaced = old.replaced
	}
	l.set.Store(set)
	for _, k := range came {
		if l.start != nil {
			l.start(k)
		}
	}
	for _, k := range went {
		k.remove()
	}
	if set.replaced != old.replaced {
		close(old.replaced)
	}
}

// beyond gives the keepers of one set that another does not have.
func beyond(one, other *keeperSet) (keepers []*keeper) {
	for _, k := range one.keepers {
		if other.bySDKKey[k.settings().Key] == nil {
			keepers = append(keepers, k)
		}
	}
	return keepers
}

// keys returns the names for an SDK key.
func (l *Leader) keys(sdkKey string) cachekeys.Keys {
	return cachekeys.For(sdkKey, l.cfg.Namespace, subscription.Database(l.cfg.Redis))
}

func newKeeper(l *Leader, s *settings) *keeper {
	k := &keeper{
		leader:  l,
		timing:  l.cfg.Timing,
		store:   store{client: l.cfg.Redis, scripts: l.scripts, keys: l.keys(s.Key), leaderID: l.id, expiry: l.cfg.Timing.LockExpiry},
		wake:    make(chan struct{}, 1),
		refresh: make(chan struct{}, 1),
		recheck: make(chan struct{}, 1),
	}
	k.control.settings.Store(s)
	k.stats.v = KeyStats{Name: s.name(), State: Candidate}
	return k
}

// begin starts all keepers, and from now on those that join; end ends them all. It tells false if that
// was done before.
func (l *Leader) begin(end context.CancelCauseFunc, start func(*keeper)) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.start != nil {
		return false
	}
	l.start, l.crash.end = start, end
	for _, k := range l.set.Load().keepers {
		start(k)
	}
	return true
}

// end lets no keeper start any more.
func (l *Leader) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.start = (*keeper).stopped
}
