package snapshot

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// maxAhead is how far the fetch time of content may be ahead of the local clock.
const maxAhead = 5 * time.Minute

// Holder contains the content in force of one client, which an evaluation reads with one atomic
// load. It is safe for concurrent use.
type Holder struct {
	current   atomic.Pointer[Snapshot]
	confirmed atomic.Pointer[Answer]

	mu       sync.Mutex      // held while any field changes
	changed  func(*Snapshot) // nil: nothing is called
	replaced replaced
}

// NewHolder returns a Holder without content. It calls changed, unless that is nil, with each
// content that it puts in force and that differs from the one before. changed must not block.
func NewHolder(changed func(*Snapshot)) *Holder { return &Holder{changed: changed} }

// Current returns the content in force, or nil.
func (h *Holder) Current() *Snapshot { return h.current.Load() }

// Offer puts content in force if it supersedes the content in force, and reports whether it did.
// Nil is not content.
func (h *Holder) Offer(next *Snapshot) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if next == nil || !next.Supersedes(h.current.Load()) {
		return false
	}
	h.put(next)
	return true
}

// Put puts content in force, whatever is in force.
func (h *Holder) Put(next *Snapshot) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.put(next)
}

// Replace puts next in force if held is still the content in force, perhaps as another Snapshot,
// and reports whether it did.
func (h *Holder) Replace(held, next *Snapshot) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := h.current.Load(); now != held {
		rev, hash := held.RevAndHash()
		if nowRev, nowHash := now.RevAndHash(); nowRev != rev || nowHash != hash {
			return false
		}
	}
	h.put(next)
	return true
}

// put puts content in force. The caller holds h.mu.
func (h *Holder) put(next *Snapshot) {
	held := h.current.Swap(next)
	if held != nil && held.Hash == next.Hash {
		return
	}
	h.replaced.change(held, next, time.Now())
	if h.changed != nil {
		h.changed(next)
	}
}

// Confirm stores an answer of the CDN if it is about the content in force and not earlier than
// the stored one. It ignores nil.
func (h *Holder) Confirm(a *Answer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	held, last := h.current.Load(), h.confirmed.Load()
	if a == nil || held == nil || a.Hash != held.Hash {
		return
	}
	if last == nil || last.Hash != a.Hash || !a.At.Before(last.At) {
		h.confirmed.Store(a)
	}
}

// Answer returns the last answer of the CDN about the content in force, or nil.
func (h *Holder) Answer() *Answer {
	held, last := h.current.Load(), h.confirmed.Load()
	if held == nil || last == nil || last.Hash != held.Hash {
		return nil
	}
	return last
}

// OlderThan reports whether the last answer of the CDN about the content in force is older than
// age, or unknown.
func (h *Holder) OlderThan(age time.Duration, now time.Time) bool {
	held := h.current.Load()
	if held == nil {
		return true
	}
	old, known := h.Answer().Age(now)
	switch {
	case known && old < age:
		return false
	case held.Source == SourceEntry, held.Source == SourceCache: // another client may have asked the CDN since
	case known, held.Source == SourceFile:
		return true
	}
	old = now.Sub(held.FetchedAt())
	return old >= age || old < -maxAhead
}

// WasReplaced reports whether other content replaced this one here within the last 2 minutes.
func (h *Holder) WasReplaced(hash string, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.replaced.has(hash, now)
}

// recentFor is how long a lagging edge of the CDN may serve a config that was replaced.
const recentFor = 2 * time.Minute

// replaced lists the contents that were replaced within the last 2 minutes.
type replaced []replacedContent

type replacedContent struct {
	hash  string
	until time.Time
}

// change records that next replaced held. Content in force again is removed.
func (r *replaced) change(held, next *Snapshot, now time.Time) {
	*r = slices.DeleteFunc(*r, func(c replacedContent) bool {
		return now.Sub(c.until) >= recentFor || c.hash == next.Hash || held != nil && c.hash == held.Hash
	})
	if held != nil {
		*r = append(*r, replacedContent{held.Hash, now})
	}
}

func (r replaced) has(hash string, now time.Time) bool {
	return slices.ContainsFunc(r, func(c replacedContent) bool { return c.hash == hash && now.Sub(c.until) < recentFor })
}
