package model

import (
	"math"
	"slices"
)

// entryApart is by how much later an entry must be that no leader wrote, in ms.
const entryApart = 1000

// own is what own.go of package follower keeps: content that the client fetched itself from
// the CDN. The client is one of a feed that it has for itself, so that served is what it
// evaluates with, and held what the feed holds.
type own struct {
	served  content
	rev     int64
	fetched bool
	asked   int64 // true time, which the local clock tells

	named, entry rebase
	led          bool // a leader was seen
	later        content
	outrun       bool

	clock      int64 // the greatest difference between Redis's clock and the local one heard of
	clockKnown bool
	past       []replaced

	unsure bool // oracle: Redis's clock was set back before the follower heard of it
	at     int  // oracle: where in the CDN's history what is served stands, at least
}

// fetch is a request to the CDN and its answer; lagging: of an edge that serves what the client
// held a while ago, but not twice.
func (f *reader) fetch(lagging bool, arg int) {
	o := &f.own
	if f.w.down {
		return
	}
	c := f.w.current()
	if lagging {
		recent := slices.DeleteFunc(slices.Clone(o.past), func(old replaced) bool { return f.w.now-old.until >= edgeLag })
		if len(recent) == 0 {
			return
		}
		c = recent[arg%len(recent)].etag
		if f.wasServed(c) && !f.w.without.has(SuspectHeld) {
			f.w.now += confirmAfter
			c = f.w.current()
		}
	}
	rev := o.rev
	if f.held.hash == c {
		rev = max(rev, f.held.rev)
	}
	f.serve(c, rev)
	o.fetched, o.asked, o.later = true, f.w.now, none
	o.named, o.entry = rebase{}, rebase{}
	f.w.onServed(f, c, !lagging || c == f.w.current())
}

func (f *reader) wasServed(c content) bool {
	return slices.ContainsFunc(f.own.past, func(old replaced) bool { return old.etag == c && f.w.now-old.until < recentFor })
}

// serve is holder.put.
func (f *reader) serve(c content, rev int64) {
	o := &f.own
	if c != o.served {
		o.past = slices.DeleteFunc(o.past, func(old replaced) bool { return old.etag == c || old.etag == o.served })
		if o.served != none {
			o.past = append(o.past, replaced{f.w.now, o.served})
		}
	}
	o.served, o.rev = c, rev
}

// offer is holder.offer.
func (f *reader) offer(next held) {
	o := &f.own
	if o.fetched && next.hash != o.later && !f.w.without.has(FetchedWaits) {
		if next.hash != o.served || next.rev < o.rev {
			return
		}
	}
	if o.later = none; next.hash != o.served {
		o.fetched = false
	}
	f.serve(next.hash, next.rev)
	if f.w.skewed[next.rev] != next.hash {
		f.w.onServed(f, next.hash, false)
	}
}

// named is holder.note for a message, published at now, or a read.
func (f *reader) named(m meta, now int64, counts bool) {
	o := &f.own
	o.led = o.led || m.epoch != 0
	if now != 0 {
		if by := now - f.w.now; !o.clockKnown || by > o.clock {
			o.clock, o.clockKnown = by, true
		}
	}
	if !o.fetched || m.rev == 0 {
		return
	}
	proven := now != 0 && m.cdn > o.asked+o.clock+dead && m.cdn <= now
	if counts {
		o.named.add(m.epoch, m.rev, m.cdn, m.hash, math.MaxInt64, none, f.w.now, 0)
	}
	if proven || counts && !f.w.without.has(FetchedYieldsToEvidence) && o.named.due(0) && m.cdn > o.named.firstCDN {
		f.outran(m.hash)
	}
}

// sawEntry is holder.note for an entry that no leader wrote.
func (f *reader) sawEntry(e entry) {
	o := &f.own
	if !o.fetched {
		return
	}
	asked := o.asked
	if o.clockKnown {
		asked = max(asked, o.asked+o.clock)
	}
	o.entry.add(1, e.rev, e.rev, e.body, math.MaxInt64, none, f.w.now, 0)
	if e.body != o.served && ((o.clockKnown || !o.led) && e.rev-asked >= entryApart && e.rev <= f.w.now || o.entry.due(0) && e.rev > o.entry.firstCDN) {
		f.outran(e.body)
	}
}

// outran notes that the CDN answered about a content after it answered the client.
func (f *reader) outran(c content) {
	if c == f.own.served {
		f.own.fetched = false
		return
	}
	f.own.later, f.own.outrun = c, true
}

// onStep notes for the oracle that Redis's clock steps.
func (o *own) onStep(was, by int64) {
	o.unsure = o.unsure || by < 0 && (!o.clockKnown || o.clock < was-dead)
}

// offerAgain offers what was refused and may be taken now.
func (f *reader) offerAgain() {
	if f.own.outrun = false; f.own.fetched && f.held.rev != 0 && f.held.hash == f.own.later {
		f.offer(f.held)
	}
}
