package leader

import (
	"context"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/subscription"
)

// electorSet is the SDK keys of a moment. It never changes: there comes another.
type electorSet struct {
	electors []*elector // in the order of the configuration
	bySDKKey map[string]*elector
	byName   map[string]*elector
	replaced chan struct{} // closed when electors come or go
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
	came, went := beyond(set, old), beyond(old, set)
	if len(came)+len(went) == 0 {
		set.replaced = old.replaced
	}
	l.set.Store(set)
	for _, e := range came {
		if l.start != nil {
			l.start(e)
		}
	}
	for _, e := range went {
		e.remove()
	}
	if set.replaced != old.replaced {
		close(old.replaced)
	}
}

// beyond gives the electors of one set that another does not have.
func beyond(one, other *electorSet) (electors []*elector) {
	for _, e := range one.electors {
		if other.bySDKKey[e.settings().Key] == nil {
			electors = append(electors, e)
		}
	}
	return electors
}

// keys returns the names for an SDK key.
func (l *Leader) keys(sdkKey string) cachekeys.Keys {
	return cachekeys.For(sdkKey, l.cfg.Namespace, subscription.Database(l.cfg.Redis))
}

func newElector(l *Leader, s *settings) *elector {
	e := &elector{
		leader:  l,
		timing:  l.cfg.Timing,
		store:   store{client: l.cfg.Redis, scripts: l.scripts, keys: l.keys(s.Key), leaderID: l.id, expiry: l.cfg.Timing.LeaseDuration},
		wake:    make(chan struct{}, 1),
		refresh: make(chan struct{}, 1),
		recheck: make(chan struct{}, 1),
	}
	e.control.settings.Store(s)
	e.stats.v = KeyStats{Name: s.name(), State: Candidate}
	return e
}

// begin starts all electors, and from now on those that join; end ends them all. It tells false if that
// was done before.
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

// end lets no elector start any more.
func (l *Leader) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.start = (*elector).stopped
}
