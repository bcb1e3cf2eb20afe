package follower

import (
	"sync"
	"sync/atomic"
	"time"
)

// holder contains the content in force of one client, which an evaluation reads with one atomic
// load. Sources offer content to it.
type holder struct {
	current   atomic.Pointer[snapshot]
	confirmed atomic.Pointer[answer]

	hasOwn  atomic.Bool  // own is not nil
	waits   atomic.Int64 // times that other content had to wait because of own
	rebases atomic.Int64 // times that own was replaced by content of a lower rev

	mu      sync.Mutex      // held while any field changes
	changed func(*snapshot) // called with new content; must not block
	own     *own            // nil: the client did not fetch the content in force itself
	past    past
}

// offer puts content in force if its rev is higher than that of the content in force, or if
// back is set, and reports whether it did. Content that the client fetched itself is not
// ordered by revs, see [own].
func (h *holder) offer(next *snapshot, back bool) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	held := h.current.Load()
	switch {
	case next == nil:
		return false
	case h.mustWait(next):
		return false
	case h.own != nil:
		if next.rev < held.rev && !back {
			h.rebases.Add(1)
		}
	case held == nil || back || next.rev > held.rev:
	case next.rev == held.rev && next.hash == held.hash && held.source == SourceFile: // Redis confirms the file's content
	default:
		return false
	}
	if h.own != nil && next.hash == held.hash {
		// The rev is adopted, but other content must still wait, even at a higher rev: the
		// leader may have fetched it before the CDN went back to the content in force.
		h.own.later, h.own.heldBack, h.own.logged = "", false, false
	} else {
		h.setOwn(nil)
	}
	h.put(next)
	return true
}

// put puts content in force. The caller holds h.mu.
func (h *holder) put(next *snapshot) {
	held := h.current.Swap(next)
	if held != nil && held.hash == next.hash {
		return
	}
	h.past.change(held, next, time.Now())
	if h.changed != nil {
		h.changed(next)
	}
}

// confirm stores an answer from the CDN if it is about the content in force and later than
// the stored one.
func (h *holder) confirm(a *answer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	held, last := h.current.Load(), h.confirmed.Load()
	if a == nil || held == nil || a.hash != held.hash {
		return
	}
	if last == nil || last.hash != a.hash || !a.at.Before(last.at) {
		h.confirmed.Store(a)
	}
}

// answer returns the last answer from the CDN about the content in force, or nil.
func (h *holder) answer() *answer {
	held, last := h.current.Load(), h.confirmed.Load()
	if held == nil || last == nil || last.hash != held.hash {
		return nil
	}
	return last
}

// age says how long ago the CDN last confirmed the content in force.
func (h *holder) age(now time.Time) (age time.Duration, known bool) { return h.answer().age(now) }
