package hook

import (
	"maps"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	// Remember is how long an accepted ID is remembered: as long as a request with that ID can
	// be valid, plus 5 minutes for clocks that differ.
	Remember = 2*Window + 5*time.Minute
	// maxIDs bounds the IDs that this process remembers. Redis remembers all of them.
	maxIDs = 4096
)

// Replays detects requests that were sent again. Its zero value is ready to use. It is safe for
// concurrent use.
type Replays struct {
	inFlight singleflight.Group // by ID

	mu       sync.Mutex
	accepted map[string]time.Time // when each accepted ID may be forgotten
}

// Once calls accept for a request with a new ID. accept reports whether the ID is new to the
// other processes, too. Once returns that, or false if a request with the ID was accepted before.
// While another request with the ID is being accepted, Once waits for it: it may fail, and this
// one then takes its place.
func (r *Replays) Once(id string, accept func() (isNew bool, err error)) (isNew bool, err error) {
	for {
		own := false
		result, err, _ := r.inFlight.Do(id, func() (any, error) {
			own = true
			if r.known(id) {
				return false, nil
			}
			isNew, err := accept()
			if err == nil {
				r.remember(id)
			}
			return isNew, err
		})
		switch {
		case own:
			return result.(bool), err
		case err == nil:
			return false, nil
		}
	}
}

func (r *Replays) known(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	until, ok := r.accepted[id]
	return ok && time.Now().Before(until)
}

func (r *Replays) remember(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if len(r.accepted) >= maxIDs {
		maps.DeleteFunc(r.accepted, func(_ string, until time.Time) bool { return !now.Before(until) })
	}
	if r.accepted == nil {
		r.accepted = map[string]time.Time{}
	}
	if len(r.accepted) < maxIDs {
		r.accepted[id] = now.Add(Remember)
	}
}
