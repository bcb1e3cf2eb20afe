package leader

import (
	"context"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/redisnode"
)

// electorSet is an immutable snapshot of the configured SDK keys.
type electorSet struct {
	electors []*elector // in the order of the configuration
	bySDKKey map[string]*elector
	byName   map[string]*elector
	replaced chan struct{} // closed when a set with other SDK keys replaces this one
}

func newElectorSet(electors []*elector) *electorSet {
	set := &electorSet{
		electors: electors, bySDKKey: map[string]*elector{}, byName: map[string]*elector{},
		replaced: make(chan struct{}),
	}
	for _, e := range electors {
		s := e.settings()
		set.bySDKKey[s.Key], set.byName[s.name()] = e, e
	}
	return set
}

// SetSDKKeys replaces the SDK keys, before or while Run runs. If keys are invalid, it changes
// nothing and returns an error that lists everything that is wrong. SDK keys are compared by
// their Key:
//
//   - a new SDK key joins the election;
//   - a removed SDK key ends its term and releases the lock;
//   - an SDK key continues undisturbed if at most its name and signing keys changed;
//   - after any other change, an SDK key ends its term and joins the election again.
//
// SetSDKKeys does not wait for any of that. SDK keys that stay keep their statistics.
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
	electors := make([]*elector, 0, len(prepared))
	for _, s := range prepared {
		e := old.bySDKKey[s.Key]
		if e == nil {
			e = newElector(l, s)
		} else {
			e.configure(s)
		}
		electors = append(electors, e)
	}
	set := newElectorSet(electors)
	added, removed := without(set, old), without(old, set)
	if len(added)+len(removed) == 0 {
		set.replaced = old.replaced
	}
	l.set.Store(set)
	for _, e := range added {
		if l.start != nil {
			l.start(e)
		}
	}
	for _, e := range removed {
		e.remove()
	}
	if set.replaced != old.replaced {
		close(old.replaced)
	}
}

// without returns the electors of one that are not in other.
func without(one, other *electorSet) (electors []*elector) {
	for _, e := range one.electors {
		if other.bySDKKey[e.settings().Key] == nil {
			electors = append(electors, e)
		}
	}
	return electors
}

func (l *Leader) keys(sdkKey string) cachekeys.Keys {
	return cachekeys.For(sdkKey, l.cfg.Namespace, redisnode.OptionsOf(l.cfg.Redis).DB)
}

func newElector(l *Leader, s *settings) *elector {
	e := &elector{
		leader:  l,
		timings: l.cfg.Timings,
		store:   l.scripts.NewStore(l.keys(s.Key), l.id, l.cfg.Timings.LeaseDuration),
		wake:    make(chan struct{}, 1),
		refresh: make(chan struct{}, 1),
		changed: make(chan struct{}, 1),
		recheck: make(chan struct{}, 1),
	}
	e.steering.settings.Store(s)
	e.stats.v = KeyStats{Name: s.name(), State: StateCandidate}
	return e
}

// begin calls start for all electors, now and whenever one joins. A panic calls end. begin
// returns false if it was already called.
func (l *Leader) begin(end context.CancelCauseFunc, start func(*elector)) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.start != nil {
		return false
	}
	l.start, l.crash.end = start, end
	for _, e := range l.set.Load().electors {
		start(e)
	}
	return true
}

// end prevents further electors from starting.
func (l *Leader) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.start = (*elector).stopped
}
