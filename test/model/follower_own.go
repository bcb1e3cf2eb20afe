package model

import (
	"math"
	"slices"
)

// entryApart is by how many ms an entry that no leader wrote must be later.
const entryApart = 1000

// own is the state of own_content.go of package feed: content that the client fetched itself from
// the CDN. The client does not share its feed. served is the content with which it evaluates;
// held is the feed's content.
type own struct {
	served  content
	rev     int64
	fetched bool
	asked   int64 // true time, which the local clock shows

	named, entry rebase
	led          bool // there has been a leader, which may have written the entry
	later        content
	outrun       bool

	clock      int64 // the greatest known difference of Redis's clock and the local one
	clockKnown bool
	past       []replaced

	// unsure, for the oracle: Redis's clock was set back before the follower received it, or only
	// the entry is left of what a leader wrote.
	unsure bool
	at     int // for the oracle: the least position of served in the CDN's history
}

// fetch is a request to the CDN and its answer. If lagging is set, an edge serves content that
// the client held recently, but not twice.
func (f *reader) fetch(lagging bool, arg int) {
	o := &f.own
	if f.sys.down {
		return
	}
	c := f.sys.current()
	if lagging {
		recent := slices.DeleteFunc(slices.Clone(o.past), func(old replaced) bool { return f.sys.now-old.until >= edgeLag })
		if len(recent) == 0 {
			return
		}
		c = recent[arg%len(recent)].etag
		if f.wasServed(c) && !f.sys.without.has(SuspectHeld) {
			f.sys.now += confirmAfter
			c = f.sys.current()
		}
	}
	rev := o.rev
	if f.held.hash == c {
		rev = max(rev, f.held.rev)
	}
	f.serve(c, rev)
	o.fetched, o.asked, o.later = true, f.sys.now, none
	o.named, o.entry = rebase{}, rebase{}
	f.sys.onServed(f, c, !lagging || c == f.sys.current())
}

func (f *reader) wasServed(c content) bool {
	return slices.ContainsFunc(f.own.past, func(old replaced) bool { return old.etag == c && f.sys.now-old.until < recentFor })
}

// serve is holder.put.
func (f *reader) serve(c content, rev int64) {
	o := &f.own
	if c != o.served {
		o.past = slices.DeleteFunc(o.past, func(old replaced) bool { return old.etag == c || old.etag == o.served })
		if o.served != none {
			o.past = append(o.past, replaced{f.sys.now, o.served})
		}
	}
	o.served, o.rev = c, rev
}

// offer is holder.offer.
func (f *reader) offer(next held) {
	o := &f.own
	if o.fetched && next.hash != o.later && !f.sys.without.has(FetchedWaits) {
		if next.hash != o.served || next.rev < o.rev {
			return
		}
	}
	if o.later = none; next.hash != o.served {
		o.fetched = false
	}
	f.serve(next.hash, next.rev)
	if f.sys.skewed[next.rev] != next.hash {
		f.sys.onServed(f, next.hash, false)
	}
}

// named is holder.note for a message that was published at now, or for a read.
func (f *reader) named(m meta, now int64, counts bool) {
	o := &f.own
	o.led = o.led || m.epoch != 0
	if now != 0 {
		if by := now - f.sys.now; !o.clockKnown || by > o.clock {
			o.clock, o.clockKnown = by, true
		}
	}
	if !o.fetched || m.rev == 0 {
		return
	}
	proven := now != 0 && m.cdn > o.asked+o.clock+dead && m.cdn <= now
	if counts {
		o.named.add(m.epoch, m.rev, m.cdn, m.hash, math.MaxInt64, none, f.sys.now, 0)
	}
	if proven || counts && !f.sys.without.has(FetchedYieldsToEvidence) && o.named.due(0) && m.cdn > o.named.firstCDN {
		f.outran(m.hash)
	}
}

// sawEntry is holder.note for an entry that no leader wrote, or, if unnamed is set, perhaps one.
func (f *reader) sawEntry(e entry, unnamed bool) {
	o := &f.own
	if !o.fetched {
		return
	}
	asked := o.asked
	if o.clockKnown {
		asked = max(asked, o.asked+o.clock)
	}
	o.entry.add(1, e.rev, e.rev, e.body, math.MaxInt64, none, f.sys.now, 0)
	if e.body != o.served && ((o.clockKnown && !unnamed || !o.led) && e.rev-asked >= entryApart && e.rev <= f.sys.now || o.entry.due(0) && e.rev > o.entry.firstCDN) {
		f.outran(e.body)
	}
}

// outran records that the CDN answered about c later than it answered the client.
func (f *reader) outran(c content) {
	if c == f.own.served {
		f.own.fetched = false
		return
	}
	f.own.later, f.own.outrun = c, true
}

// onStep records for the oracle that Redis's clock jumps.
func (o *own) onStep(was, by int64) {
	o.unsure = o.unsure || by < 0 && (!o.clockKnown || o.clock < was-dead)
}

// offerAgain offers content that was refused and may be accepted now.
func (f *reader) offerAgain() {
	if f.own.outrun = false; f.own.fetched && f.held.rev != 0 && f.held.hash == f.own.later {
		f.offer(f.held)
	}
}
