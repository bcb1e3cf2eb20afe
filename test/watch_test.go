package test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// watch looks at the followers now and then, whatever happens to Redis meanwhile: what
// they answer neither goes back nor gets lost (I1, I4, I5), their rev falls by rule 6 alone,
// and they claim no answer that the CDN did not give (I14).
type watch struct {
	w *world

	mu      sync.Mutex
	readers []*reader
	next    int
}

// atOnce is how many followers are looked at, of a thousand.
const atOnce = 20

func startWatch(w *world) *watch {
	s := &watch{w: w}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		ticker := time.NewTicker(10 * w.pause())
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				s.look()
			}
		}
	})
	w.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return s
}

func (s *watch) add(r *reader) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readers = append(s.readers, r)
}

// remove looks at a follower once more, and then never again.
func (s *watch) remove(r *reader) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lookAt(r)
	s.readers = slices.DeleteFunc(s.readers, func(other *reader) bool { return other == r })
}

func (s *watch) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range min(atOnce, len(s.readers)) {
		s.next++
		s.lookAt(s.readers[s.next%len(s.readers)])
	}
}

func (s *watch) lookAt(r *reader) {
	now := r.see()
	wrong := now.after(r.sight)
	if now.claims {
		wrong = append(wrong, now.claimed(s.w.cdn.Answered(now.version), s.w.follower.Dead)...)
	}
	r.sight = now
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, fault := range wrong {
		if len(r.faults) < 10 { // the same may be seen at each look
			r.faults = append(r.faults, fault)
		}
	}
}

// sighting is what a follower shows at one moment.
type sighting struct {
	version  int64 // 0: it has no config
	rev      int64
	rebases  int64
	claims   bool      // an answer about this version is claimed
	answered time.Time // when that is said to have been, rather too early
}

func (r *reader) see() sighting {
	for {
		asked := time.Now()
		before := r.client.Stats()
		if before.Hash == "" {
			return sighting{}
		}
		version := r.version()
		// What is counted may be read before what is in force.
		if after := r.client.Stats(); after.Hash == before.Hash && after.Rev == before.Rev {
			return sighting{version, before.Rev, after.Rebases, before.HasCDN, asked.Add(-before.Age)}
		}
	}
}

// after tells what may not follow what was seen before.
func (now sighting) after(before sighting) (wrong []string) {
	if now.version < before.version {
		wrong = append(wrong, fmt.Sprintf("it answers with version %d after %d", now.version, before.version))
	}
	if now.rev < before.rev && now.rebases == before.rebases {
		wrong = append(wrong, fmt.Sprintf("rev %d after %d, with %d rebases", now.rev, before.rev, now.rebases))
	}
	return wrong
}

// claimed tells whether an answer is claimed that is later than the last one. A message
// that is late makes it seem so: the local clock is not trusted.
func (now sighting) claimed(answered time.Time, late time.Duration) (wrong []string) {
	if now.answered.After(answered.Add(late + claimTolerance)) {
		wrong = append(wrong, fmt.Sprintf("the CDN is said to have answered about version %d at %v; it last did at %v (I14)", now.version, now.answered, answered))
	}
	return wrong
}
