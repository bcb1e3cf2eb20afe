package feed

import (
	"math"
	"time"

	"github.com/catbridge/catbridge/follower/internal/snapshot"
)

// own is what a client knows about content that it fetched from the CDN itself, see Evidence in
// the package documentation. Only the times of the CDN's answers, not revs, order it and the
// leader's content.
type own struct {
	// asked is when the CDN was asked. If that was before a restart of the client, preloaded
	// is set and asked has no monotonic reading.
	asked     time.Time
	preloaded bool

	named rebase // evidence from messages and reads of meta
	entry rebase // evidence from an entry that no leader wrote
	later string // hash of other content that the CDN confirmed later; empty: none

	heldBack bool // other content waits
	logged   bool // that was logged
}

const (
	// clocksApart is the assumed maximum difference of clocks that were never compared.
	clocksApart = 5 * time.Minute
	// entryApart is by how much an entry that no leader wrote must be later than the client's
	// request.
	entryApart = time.Second
)

// redisClock converts local times to times by Redis's clock. A message states that clock at the
// time of its publication. Since the message takes time to arrive, the greatest offset is the
// most accurate one.
type redisClock struct {
	base   time.Time
	offset int64 // Unix ms by Redis's clock at base; 0: not known
}

// observe adds a message. It was received at the local time at; now is the time of its
// publication in Unix ms by Redis's clock.
func (c *redisClock) observe(now int64, at time.Time) {
	c.offset = max(c.offset, now-at.Sub(c.base).Milliseconds())
}

// when converts a local time to Unix ms by Redis's clock, too early rather than too late.
func (c *redisClock) when(local time.Time) (ms int64, known bool) {
	return c.offset + local.Sub(c.base).Milliseconds(), c.offset != 0
}

// item is the content that a message, a read of meta or a read of the entry names as current.
type item struct {
	assertion
	at time.Time // when it was received
	// published is when a message was published, Unix ms by Redis's clock; 0: the message does
	// not state it, or there is no message.
	published int64
	late      time.Duration // the maximum delay of a message
	counts    bool          // it may be evidence, unlike a read from a replica, which may be behind
	entry     bool          // it is an entry that meta does not name; rev and cdn are its fetch time
	alone     bool          // no leader was ever seen, nor what one wrote: only SDKs write the entry
	// unnamed: Redis lost what names the leader's content, so the entry may be the leader's.
	unnamed bool
	// controlled: an operator's order made it current, so it does not matter when the CDN answered.
	controlled bool
}

// isOlderThan reports whether the CDN is known to have confirmed an item's content later than
// it answered the client, or the item's content is that of a control.
func (o *own) isOlderThan(i item, clock *redisClock) bool {
	if i.controlled {
		return true
	}
	evidence, proven := &o.named, false
	switch {
	case i.entry:
		// An SDK's entry states the time of its machine, a leader's that of Redis, which may
		// be ahead. If a leader was seen, but Redis's clock is unknown, only evidence counts. It
		// is the same if the entry may be a leader's: the clock may have been set ahead since it
		// became known.
		evidence = &o.entry
		asked := o.asked.UnixMilli()
		converted, known := clock.when(o.asked)
		if known {
			asked = max(asked, converted)
		}
		proven = (known && !i.unnamed || i.alone) && i.cdn-asked >= entryApart.Milliseconds() && i.cdn <= i.at.UnixMilli()
	case i.published != 0:
		// An answer later than the message's publication is from before the clock was set back.
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

// isOwn reports whether the writer of a file or a Cache fetched its content from the CDN itself. A
// fetch time in the future does not count.
func isOwn(s *snapshot.Snapshot) bool {
	return s != nil && s.FetchTime != 0 && !time.UnixMilli(s.FetchTime).After(time.Now())
}
