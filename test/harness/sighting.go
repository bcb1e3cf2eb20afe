package harness

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/busy"
)

// sightings looks at the followers at intervals, whatever happens to Redis: their answers
// neither go back nor disappear (I1, I4, I5), their rev falls by the rebase rule alone, and
// they assert no answer that the CDN did not give (I14).
type sightings struct {
	env *Environment

	mu      sync.Mutex
	readers []*Follower
	next    int
	stalled time.Duration // the longest that a busy machine delayed a look, and perhaps messages
}

// atOnce is the number of followers that one look covers, of a thousand.
const atOnce = 20

func startWatch(env *Environment) *sightings {
	s := &sightings{env: env}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		every := 10 * env.CheckInterval()
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for last := time.Now(); ; last = time.Now() {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				s.look(time.Since(last) - every)
			}
		}
	})
	env.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return s
}

// Stalled returns the longest time so far for which a busy machine delayed a look at the followers. It
// may have delayed processes and servers as long.
func (env *Environment) Stalled() time.Duration {
	env.watching.mu.Lock()
	defer env.watching.mu.Unlock()
	return env.watching.stalled
}

func (s *sightings) add(r *Follower) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readers = append(s.readers, r)
}

// remove looks at a follower once more, and then never again.
func (s *sightings) remove(r *Follower) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lookAt(r)
	s.readers = slices.DeleteFunc(s.readers, func(other *Follower) bool { return other == r })
}

func (s *sightings) look(delay time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stalled = max(s.stalled, delay)
	for range min(atOnce, len(s.readers)) {
		s.next++
		s.lookAt(s.readers[s.next%len(s.readers)])
	}
}

func (s *sightings) lookAt(r *Follower) {
	now := r.see()
	r.mu.Lock()
	before := r.sight
	r.mu.Unlock()
	answered := s.env.CDN.Answered(now.version)
	if !s.env.inForce.isEmpty() { // the hook checks the versions, and the CDN answers about another one
		if before.version > now.version && now.version > 0 {
			before.version = now.version
		}
		answered = lastAnswer(s.env.CDN)
	}
	now.falls = before.falls
	if now.rev < before.rev {
		now.falls++
	}
	wrong := now.after(before)
	if now.claims {
		// Each of the leader, Redis and the follower may have been delayed as long as a look was.
		wrong = append(wrong, now.asserted(answered, busy.Bound(s.env.Follower.Dead)+3*s.stalled)...)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sight.back != now.version {
		now.back = r.sight.back
	}
	r.sight = now
	for _, fault := range wrong {
		if len(r.faults) < 10 { // each look may find the same
			r.faults = append(r.faults, fault)
		}
	}
}

// sighting is the state of a follower at one moment.
type sighting struct {
	version  int64 // 0: it has no config
	back     int64 // a version that may follow this one though it is earlier; 0: none
	rev      int64
	rebases  uint64
	falls    uint64    // how often the rev fell so far; a rebase is counted before the rev falls
	claims   bool      // whether an answer about this version is asserted
	answered time.Time // the asserted time of the answer, rather too early
}

func (r *Follower) see() sighting {
	for {
		before := r.Client.Stats()
		if before.Hash == "" {
			return sighting{}
		}
		version := r.Version()
		// The counters may be older than the content in effect.
		if after := r.Client.Stats(); after.Hash == before.Hash && after.Rev == before.Rev {
			return sighting{version: version, rev: before.Rev, rebases: after.Rebases, claims: !before.LastConfirmed.IsZero(), answered: before.LastConfirmed}
		}
	}
}

// after returns what may not follow an earlier sighting.
func (now sighting) after(before sighting) (wrong []string) {
	if now.version < before.version && (before.back == 0 || now.version != before.back) {
		wrong = append(wrong, fmt.Sprintf("it answers with version %d after %d", now.version, before.version))
	}
	if now.rev < before.rev && before.falls >= now.rebases {
		wrong = append(wrong, fmt.Sprintf("rev %d after %d, with %d rebases", now.rev, before.rev, now.rebases))
	}
	return wrong
}

// asserted returns a fault if the follower asserts a later answer than the CDN's last one.
// A late message has that effect: the local clock is not trusted.
func (now sighting) asserted(answered time.Time, late time.Duration) (wrong []string) {
	if now.answered.After(answered.Add(late + assertTolerance)) {
		wrong = append(wrong, fmt.Sprintf("the CDN is said to have answered about version %d at %v; it last did at %v (I14)", now.version, now.answered, answered))
	}
	return wrong
}
