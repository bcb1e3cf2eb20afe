package leader

import (
	"log/slog"
	"sync"
	"time"

	"github.com/catbridge/catbridge/internal/eventlog"
)

const (
	// hookMemory is how long an accepted ID is remembered: as long as a request with that ID
	// can be valid, plus 5 minutes for clocks that differ.
	hookMemory = 2*hookWindow + 5*time.Minute
	// maxHookIDs bounds the IDs that this process remembers. Redis remembers all of them.
	maxHookIDs = 4096
	// hookLogEvery is the least time between two logs of refused webhooks.
	hookLogEvery = time.Minute
)

// WebhookStats counts requests to the webhook of an SDK key.
type WebhookStats struct {
	Accepted  uint64 // a poll was requested
	Malformed uint64 // refused: a header was missing or malformed, or the body was incomplete
	TooLarge  uint64 // refused: more than 64 KiB
	Stale     uint64 // refused: its time was more than 300 s off this process's clock
	Forged    uint64 // refused: no signature was valid
	Replayed  uint64 // answered without another poll: the ID was already accepted
	Failed    uint64 // not forwarded: Redis was unreachable
}

type hooks struct {
	mu       sync.Mutex
	ids      map[string]seenHook
	reported time.Time
}

// seenHook is an ID that is being forwarded to Redis, or was accepted.
type seenHook struct {
	until   time.Time     // when it may be forgotten
	pending chan struct{} // closed when its request is accepted or has failed; nil: accepted
}

// reserve reports whether id is new. If it is, the caller forwards the request and calls accept
// or, if that failed, release. If it is not and pending is nil, id was accepted. Otherwise
// pending is closed once the first outcome is known; the caller then calls reserve again.
func (h *hooks) reserve(id string) (isNew bool, pending <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	if known, ok := h.ids[id]; ok && now.Before(known.until) {
		return false, known.pending
	}
	if len(h.ids) >= maxHookIDs {
		for old, known := range h.ids {
			if !now.Before(known.until) {
				delete(h.ids, old)
			}
		}
	}
	if h.ids == nil {
		h.ids = map[string]seenHook{}
	}
	if len(h.ids) < maxHookIDs {
		h.ids[id] = seenHook{now.Add(hookMemory), make(chan struct{})}
	}
	return true, nil
}

func (h *hooks) accept(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if known := h.ids[id]; known.pending != nil {
		close(known.pending)
		h.ids[id] = seenHook{until: known.until}
	}
}

func (h *hooks) release(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if known := h.ids[id]; known.pending != nil {
		close(known.pending)
		delete(h.ids, id)
	}
}

// count counts a request by its outcome. It logs refused requests at most once per
// hookLogEvery: a wrong signing key must show, but a flood must not fill the log.
func (h *hooks) count(e *elector, replayed bool, r *refusal) {
	e.stats.update(func(s *KeyStats) {
		switch {
		case r != nil:
			*r.counter(&s.Webhooks)++
		case replayed:
			s.Webhooks.Replayed++
		default:
			s.Webhooks.Accepted++
		}
	})
	if r == nil || !h.mayReport() {
		return
	}
	e.log().Warn(eventHookRefused, "A webhook was refused.", eventlog.Err(r.error), slog.Int("status", r.status))
}

func (h *hooks) mayReport() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	if !h.reported.IsZero() && now.Sub(h.reported) < hookLogEvery {
		return false
	}
	h.reported = now
	return true
}
