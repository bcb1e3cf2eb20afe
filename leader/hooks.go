package leader

import (
	"log/slog"
	"sync"
	"time"

	"github.com/catbridge/catbridge/internal/eventlog"
)

const (
	// hookMemory is how long an accepted ID is refused: longer than its time can be
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
	Replayed  uint64 // refused: the ID was accepted before
	Failed    uint64 // not passed on: Redis could not be reached
}

// hooks is what a keeper remembers of its webhook.
type hooks struct {
	mu       sync.Mutex
	until    map[string]time.Time // IDs accepted, or about to be
	reported time.Time
}

// claim tells whether an ID is new, and remembers it.
func (h *hooks) claim(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	if until, known := h.until[id]; known && now.Before(until) {
		return false
	}
	if len(h.until) >= maxHookIDs {
		for old, until := range h.until {
			if !now.Before(until) {
				delete(h.until, old)
			}
		}
	}
	if h.until == nil {
		h.until = map[string]time.Time{}
	}
	if len(h.until) < maxHookIDs {
		h.until[id] = now.Add(hookMemory)
	}
	return true
}

// release forgets an ID that was not accepted after all.
func (h *hooks) release(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.until, id)
}

// count counts a request by its outcome, and reports those that are refused now and
// then: a wrong signing key must show, and a flood must not fill the log.
func (h *hooks) count(k *keeper, r *refusal) {
	k.stats.update(func(s *KeyStats) {
		if r == nil {
			s.Webhooks.Accepted++
		} else {
			*r.counter(&s.Webhooks)++
		}
	})
	if r == nil || !h.mayReport() {
		return
	}
	k.log().Warn(eventHookRefused, "A webhook was refused.", eventlog.Err(r.error), slog.Int("status", r.status))
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
