package leader

import (
	"log/slog"
	"sync"
	"time"

	"github.com/catbridge/catbridge/internal/eventlog"
)

const (
	// hookMemory is how long an accepted ID is remembered: longer than its time can be
	// within the window, with some minutes for clocks that differ.
	hookMemory = 2*hookWindow + 5*time.Minute
	// maxHookIDs bounds the IDs that this process remembers; beyond, Redis alone does.
	maxHookIDs = 4096
	// hookLogEvery is how often refused webhooks are reported at most.
	hookLogEvery = time.Minute
)

// WebhookStats counts requests to the webhook of an SDK key.
type WebhookStats struct {
	Accepted  uint64 // the leader was asked to poll
	Malformed uint64 // refused: a header was missing or malformed, or the body broke off
	TooLarge  uint64 // refused: more than 64 KiB
	Stale     uint64 // refused: more than 300 s off this process's clock
	Forged    uint64 // refused: no signature fitted
	Replayed  uint64 // answered with no further poll: the ID was accepted before
	Failed    uint64 // not passed on: Redis could not be reached
}

// hooks is what a elector remembers of its webhook.
type hooks struct {
	mu       sync.Mutex
	ids      map[string]seenHook
	reported time.Time
}

// seenHook is an ID that is being passed on to Redis, or was accepted.
type seenHook struct {
	until   time.Time     // when it may be forgotten
	pending chan struct{} // closed when its request was accepted or failed; nil: accepted
}

// reserve reports whether id is new. If it is, the caller passes the request on, and then
// calls accept or release. Otherwise id was accepted, or pending is closed when that is
// decided; reserve it again then.
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

// accept keeps a claimed ID.
func (h *hooks) accept(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if known := h.ids[id]; known.pending != nil {
		close(known.pending)
		h.ids[id] = seenHook{until: known.until}
	}
}

// release forgets a claimed ID, whose request failed.
func (h *hooks) release(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if known := h.ids[id]; known.pending != nil {
		close(known.pending)
		delete(h.ids, id)
	}
}

// count counts a request by its outcome, and reports those that are refused now and
// then: a wrong signing key must show, and a flood must not fill the log.
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
