package harness

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
)

// OddFlag is the flag that operators force: it is on if the version is odd.
const OddFlag = "odd"

// Shown is what a follower shows of a config.
type Shown struct {
	Version int64
	Odd     bool // the value of [OddFlag]
}

// ShownOf returns what followers show of a config of the CDN.
func ShownOf(config fakecdn.Config) Shown { return Shown{config.Version, config.Version%2 == 1} }

// inForce lists what followers may show while operators pin and force, in order. A follower may miss some
// of it. While the list is empty, versions must rise instead.
type inForce struct {
	mu   sync.Mutex
	list []Shown
}

func (l *inForce) add(s Shown) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, s)
}

func (l *inForce) isEmpty() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.list) == 0
}

// next returns where s stands in the list after a place; -1: nowhere.
func (l *inForce) next(place int, s Shown) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := place + 1; i < len(l.list); i++ {
		if l.list[i] == s {
			return i
		}
	}
	return -1
}

// Oversee makes the followers check from now on that they show only what [Environment.Allow] lists. The
// first on the list is what the CDN serves.
func (env *Environment) Oversee() { env.Allow(ShownOf(env.CDN.Config())) }

// Allow lets followers show s from now on, and nothing before it any more once they have shown it. The test
// calls it before the order, the end or the change that puts s in force.
func (env *Environment) Allow(s Shown) { env.inForce.add(s) }

// AwaitShown waits until all followers show s.
func (env *Environment) AwaitShown(s Shown, bound time.Duration) {
	env.Helper()
	env.EventuallyAll(bound, fmt.Sprintf("all followers show %+v", s), func(r *Follower) bool { return r.Shows() == s })
}

// RequireShown reports an error for each follower that does not show s.
func (env *Environment) RequireShown(s Shown) {
	env.Helper()
	for _, r := range env.Followers {
		if have := r.Shows(); have != s {
			env.Errorf("%s shows %+v, want %+v", r.Name, have, s)
		}
	}
}

// Shows returns what the follower shows now.
func (r *Follower) Shows() Shown {
	values := r.Client.GetAllValues(nil)
	version, _ := values[fakecdn.VersionFlag].(int)
	odd, _ := values[OddFlag].(bool)
	return Shown{int64(version), odd}
}

// checkShown checks a config that takes effect against the list.
func (r *Follower) checkShown(config *evaluate.Config, version int64) {
	odd := config.Evaluate(OddFlag, nil, evaluate.BoolValue(false), nil).Value.Bool()
	s := Shown{version, odd}
	place := r.inForce.next(r.place, s)
	if place < 0 {
		r.faults = append(r.faults, fmt.Sprintf("it shows %+v, which is not in force, or no longer", s))
		return
	}
	r.place = place
}

// lastAnswer returns when the CDN last answered about any version.
func lastAnswer(cdn *fakecdn.CDN) time.Time {
	var all []time.Time
	for version := range cdn.Version() + 1 {
		all = append(all, cdn.Answered(version))
	}
	return slices.MaxFunc(all, time.Time.Compare)
}
