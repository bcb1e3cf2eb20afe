package follower

import (
	"math"
	"time"
)

// own is what a client knows about content that it fetched from the CDN itself. Nothing
// orders that and what the leader fetched but when the CDN was asked. So other content is
// taken only once the CDN is known to have answered about it later.
type own struct {
	// asked is when the CDN was asked. An earlier start of the client may have asked it: then
	// there is no monotonic reading.
	asked     time.Time
	preloaded bool

	named rebase // of what is current, by messages and reads
	entry rebase // by an entry that no leader wrote
	later string // hash of other content about which the CDN answered later; empty: none

	heldBack bool // other content has to wait
	logged   bool
}

const (
	// clocksApart is by how much clocks that nobody compared may differ at most to count.
	clocksApart = 5 * time.Minute
	// entryApart is by how much later an entry must be that no leader wrote.
	entryApart = time.Second
)

// redisClock converts local times to those of Redis's clock. A message tells what that clock
// showed when the message was published. It was on its way since, so the greatest difference is
// closest to the truth.
type redisClock struct {
	base   time.Time
	offset int64 // Unix ms by Redis's clock at base; 0: not known
}

// hear takes in a message that was published at now, by Redis's clock in Unix ms.
func (c *redisClock) hear(now int64, at time.Time) {
	c.offset = max(c.offset, now-at.Sub(c.base).Milliseconds())
}

// when gives a local time in Unix ms by Redis's clock: too early rather than too late.
func (c *redisClock) when(local time.Time) (ms int64, known bool) {
	return c.offset + local.Sub(c.base).Milliseconds(), c.offset != 0
}

// item is what one message, read of meta or read of the entry names as current.
type item struct {
	assertion
	at time.Time // when it was received
	// published is when a message was published, Unix ms by Redis's clock; 0: it does not say,
	// or is none. A message comes late by less than late.
	published int64
	late      time.Duration
	// counts: it may be evidence, as no read of a replica that may be behind.
	counts bool
	entry  bool // it is of an entry that meta does not name, at the rev and cdn of its fetch time
	alone  bool // no leader was ever seen: only SDKs write the entry
}

// note takes in an item and reports whether the content that it names may be taken now in
// place of what the client fetched itself.
func (h *holder) note(i item, clock *redisClock) bool {
	if !h.hasOwn.Load() {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	held := h.current.Load()
	if h.own == nil || held == nil || i.rev == 0 || i.at.Before(h.own.asked) || !h.own.isOutrun(i, clock) {
		return false
	}
	if i.hash == held.hash {
		if !i.entry { // what an SDK has heard does not make older content of the leader's any newer
			h.setOwn(nil)
		}
		return false
	}
	h.own.later = i.hash
	return true
}

// isOutrun reports whether the CDN answered about what an item names after it answered the client.
func (o *own) isOutrun(i item, clock *redisClock) bool {
	evidence, proven := &o.named, false
	switch {
	case i.entry:
		// SDKs stamp entries by the clocks of their machines, leaders by Redis's clock, which may
		// be ahead: where a leader was seen and that clock is unknown, only evidence counts.
		evidence = &o.entry
		asked := o.asked.UnixMilli()
		converted, known := clock.when(o.asked)
		if known {
			asked = max(asked, converted)
		}
		proven = (known || i.alone) && i.cdn-asked >= entryApart.Milliseconds() && i.cdn <= i.at.UnixMilli()
	case i.published != 0:
		// An answer that seems to come from the future is of before the clock was set back.
		asked, _ := clock.when(o.asked)
		proven = i.cdn > asked+i.late.Milliseconds() && i.cdn <= i.published
	case o.preloaded:
		proven = i.cdn > o.asked.Add(clocksApart).UnixMilli()
	}
	if i.counts {
		evidence.add(i.assertion, math.MaxInt64, "", i.at)
	}
	return proven || i.counts && evidence.due() && i.cdn > evidence.cdn
}

// isOutrunBy reports whether content may replace what the client fetched itself.
func (h *holder) isOutrunBy(next *snapshot) bool {
	if next == nil || !h.hasOwn.Load() {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.own != nil && next.hash == h.own.later
}

// forget drops evidence: another connection may be one to another server.
func (h *holder) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.own != nil {
		h.own.named, h.own.entry = rebase{}, rebase{}
	}
}

// mustWait reports whether content must wait because the client fetched other content itself,
// and counts that once. The caller holds the lock.
func (h *holder) mustWait(next *snapshot) bool {
	held := h.current.Load()
	if h.own == nil || held == nil || next.hash == h.own.later {
		return false
	}
	if next.hash == held.hash {
		return next.rev < held.rev
	}
	if !h.own.heldBack {
		h.own.heldBack = true
		h.waits.Add(1)
	}
	return true
}

// isWaiting reports whether other content waits.
func (h *holder) isWaiting() bool {
	if !h.hasOwn.Load() {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.own != nil && h.own.heldBack
}

// startsWaiting reports once of each time that other content waits.
func (h *holder) startsWaiting() bool {
	if !h.hasOwn.Load() {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.own == nil || !h.own.heldBack || h.own.logged {
		return false
	}
	h.own.logged = true
	return true
}

// setOwn notes that what is put in force next was fetched by the client itself; nil: that it was
// not. The caller holds the lock.
func (h *holder) setOwn(o *own) {
	if was := h.own; o != nil && was != nil {
		o.heldBack, o.logged = was.heldBack, was.logged
	}
	h.own = o
	h.hasOwn.Store(o != nil)
}

// preload puts in force what an earlier start of the client, or another client, fetched from
// the CDN, if nothing is held. A time that has not come yet says nothing, and is no reason to wait.
func (h *holder) preload(next *snapshot) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if next == nil || h.current.Load() != nil {
		return
	}
	if next.isOwn() {
		h.setOwn(&own{asked: time.UnixMilli(next.fetchTime), preloaded: true})
	}
	h.put(next)
}

// isOwn reports whether content of a file or a Cache was fetched from the CDN by who wrote it.
func (s *snapshot) isOwn() bool {
	return s != nil && s.fetchTime != 0 && !time.UnixMilli(s.fetchTime).After(time.Now())
}
