package model

import "fmt"

// oracle knows what nobody in the world knows, and watches the invariants.
type oracle struct {
	violated *Violation
	// losses counts what Redis lost or what was changed behind its back.
	losses   int
	disorder bool
	// top is the highest rev that a leader ever gave.
	top int64
	// stamped is the highest time that an SDK ever wrote.
	stamped int64
	// asked is the true time of a request to the CDN, by the time of Redis's clock that was
	// made of it; answered the true time of the last answer about a content.
	asked    map[int64]int64
	answered map[content]int64
	withheld map[content]bool  // that they were replaced a commit did not say: see TellReplaced
	revs     map[int64]content // what leaders wrote at which rev; none: several
	behind   map[int64]content // by an SDK, stamped with a time below what others wrote
	skewed   map[int64]content // by an SDK whose clock is off
}

func newOracle() oracle {
	return oracle{withheld: map[content]bool{}, asked: map[int64]int64{}, answered: map[content]int64{}, revs: map[int64]content{}, behind: map[int64]content{}, skewed: map[int64]content{}}
}

// onAnswer notes that the CDN has spoken about a content.
func (w *World) onAnswer(_ *process, c content) { w.answered[c] = w.now }

// onRecent notes that a process was told what has been replaced.
func (w *World) onRecent(p *process, recent []replaced) {
	if w.forward {
		return // ages by a clock that jumped ahead are wrong
	}
	for _, old := range recent {
		p.known[old.etag] = max(p.known[old.etag], min(w.now, old.until-w.servers[p.side].offset))
	}
}

// onWrite looks at what a request did to a server.
func (w *World) onWrite(before *store, s *server, r *request, answer *reply, now int64) {
	if !changed(before, &s.store) || r.op == opAcquire || r.op == opRelease {
		return
	}
	if before.lock.owner != r.lock.owner || before.lock.epoch != r.lock.epoch {
		w.fail("I2", "process %d wrote under lock %v while it was %v", r.from, r.lock, before.lock)
	}
	m := s.meta
	if m.rev < w.top && m.rev != before.meta.rev {
		// Redis lost its data and its clock is behind. Until rule 6 has mended that, revs do
		// not order contents: what is on its way from before is left out.
		w.disorder = true
		for _, f := range w.followers {
			f.queue = nil
		}
		// A process that is no leader looks at Redis every 2 s, and sees that; one that is cut
		// off until the clock is past what it saw is left out.
		for _, p := range w.leaders {
			p.disordered = p.disordered || p.highest > m.rev && p.currentHash != m.hash && !w.without.has(ClockBehind)
		}
	}
	w.top = max(w.top, m.rev)
	if c, same := w.revs[m.rev]; same && c != m.hash {
		w.revs[m.rev] = none // of two primaries each gave it
	} else {
		w.revs[m.rev] = m.hash
	}
	if e := before.entry; r.age < 0 && e.body == m.hash && w.behind[e.rev] == e.body {
		w.behind[m.rev] = m.hash
	}
	if answer.outcome != outcomeOK || before.meta.rev == m.rev && before.entry == s.entry && before.blob == s.blob {
		return
	}
	if s.entry.rev != m.rev || s.blob.rev != m.rev || m.rev != 0 && (s.entry.body != m.hash || s.blob.body != m.hash || s.blob.hash != m.hash || s.entry.etag != m.hash) {
		// A body that was spoiled behind the head is beyond what touch can see.
		if r.op == opCommit || s.entry.rev != m.rev || s.blob.rev != m.rev || s.entry.etag != m.hash || s.blob.hash != m.hash {
			w.fail("I3", "after a write: entry %v, blob %v, meta %v", s.entry, s.blob, m)
		}
	}
	if before.entry.rev >= s.entry.rev && before.entry != s.entry {
		w.fail("I9", "fetch time %d after %d", s.entry.rev, before.entry.rev)
	}
	if r.age >= 0 && m.rev != 0 && m.cdn != before.meta.cdn {
		if r.answered != m.hash {
			w.fail("I14", "process %d claims an answer about %d that was about %d", r.from, m.hash, r.answered)
		}
		if at, same := w.asked[m.cdn]; !same || r.asked < at { // clocks that step back say the same twice
			w.asked[m.cdn] = r.asked
		}
	}
	if m.cdn != 0 && w.answered[m.hash] < w.asked[m.cdn] {
		w.fail("I14", "content %d is said to be confirmed at %d; the last answer about it came at %d", m.hash, w.asked[m.cdn], w.answered[m.hash])
	}
}

// onPublish looks at a message at the moment at which it is published.
func (w *World) onPublish(s *server, m message) {
	if m.kind != resign && (m.rev != s.meta.rev || m.hash != s.meta.hash) {
		w.fail("I3", "a message says rev %d of content %d, meta %d of %d", m.rev, m.hash, s.meta.rev, s.meta.hash)
	}
}

// onPut looks at what a follower puts in force.
func (w *World) onPut(f *reader, next held, lower bool) {
	if next.body <= none || next.body != next.hash {
		w.fail("I4", "content %d is put in force as %d", next.body, next.hash)
		return
	}
	if c := w.revs[next.rev]; c != none && c != next.hash {
		w.fail("I3", "content %d is put in force at rev %d, which is that of %d", next.hash, next.rev, c)
	}
	switch {
	case next.rev > f.held.rev:
	case !lower:
		w.fail("I1", "rev %d after %d", next.rev, f.held.rev)
	case w.losses == 0:
		w.fail("I1", "rule 6 took rev %d after %d, but Redis lost nothing", next.rev, f.held.rev)
	}
	if w.behind[next.rev] == next.hash {
		return // stamped by an SDK whose clock is behind: such content has no place in the order
	}
	at := w.position(next.body, f.at)
	if at < 0 {
		w.fail("I1", "content %d after %d, which the CDN did not go back to", next.body, f.held.body)
	}
	f.at = at
}

// onServed looks at what a follower evaluates with. present: it is what the CDN serves now.
func (w *World) onServed(f *reader, c content, present bool) {
	o := &f.own
	if f.held.hash == c && w.behind[f.held.rev] == c {
		return // see onPut
	}
	at := w.position(c, o.at)
	if at < 0 && !o.unsure {
		w.fail("I1", "a follower that may fetch serves content %d, which the CDN did not go back to", c)
	}
	if o.at = max(o.at, at); present {
		o.at = len(w.cdn) - 1
	}
}

// position is the first place in the CDN's history, from a place on, at which a content
// stands; -1: there is none.
func (w *World) position(c content, from int) int {
	for i := max(from, 0); i < len(w.cdn); i++ {
		if w.cdn[i].content == c {
			return i
		}
	}
	return -1
}

// onConfirmed looks at a claim that the CDN has confirmed what is in force.
func (w *World) onConfirmed(f *reader) {
	if w.answered[f.held.hash] < w.asked[f.fresh.cdn] {
		w.fail("I14", "a follower takes content %d for confirmed at %d; the last answer about it came at %d",
			f.held.hash, w.asked[f.fresh.cdn], w.answered[f.held.hash])
	}
}

// fail makes the rest of a world's life end with the first thing found wrong.
func (o *oracle) fail(invariant, format string, args ...any) {
	if o.violated == nil {
		o.violated = &Violation{invariant, fmt.Sprintf(format, args...)}
	}
}

// Violation is an invariant that did not hold.
type Violation struct{ Invariant, What string }

func (v *Violation) Error() string { return v.Invariant + ": " + v.What }
