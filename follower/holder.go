package follower

import (
	"sync"
	"sync/atomic"
	"time"
)

// holder holds what one client evaluates with. Its sources offer content; evaluation
// takes what is in force by one atomic load.
type holder struct {
	current   atomic.Pointer[snapshot]
	confirmed atomic.Pointer[answer]

	hasOwn  atomic.Bool  // own is there
	waits   atomic.Int64 // times that other content had to wait for own
	rebases atomic.Int64 // times that own gave way to a lower rev

	mu      sync.Mutex      // held by whoever changes the above
	changed func(*snapshot) // told of each new content; must not block
	own     *own            // nil: what is held was not fetched by the client itself
	past    past
}

// offer puts content in force that is of a higher rev than what is held, or, if back
// is set, of a lower one, and tells whether it did. What the client fetched itself is not
// ordered by revs: see [own].
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
	case next.rev == held.rev && next.hash == held.hash && held.source == SourceFile: // it is not the file's word alone
	default:
		return false
	}
	if h.own != nil && next.hash == held.hash {
		// The rev counts. But what the leader had before it may come yet, at a higher one, if
		// the CDN's content went there and back.
		h.own.later, h.own.heldBack, h.own.logged = "", false, false
	} else {
		h.setOwn(nil)
	}
	h.put(next)
	return true
}

// put puts content in force. The caller holds the lock.
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

// confirm notes an answer from the CDN, if it is a later one.
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

// answer gives the last answer from the CDN about the content in force; nil: there is
// none (I14).
func (h *holder) answer() *answer {
	held, last := h.current.Load(), h.confirmed.Load()
	if held == nil || last == nil || last.hash != held.hash {
		return nil
	}
	return last
}

// age is how long ago the CDN last confirmed what is held, as far as is known.
func (h *holder) age(now time.Time) (age time.Duration, known bool) { return h.answer().age(now) }
