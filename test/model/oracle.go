package model

import "fmt"

// oracle records what no process can know, and checks the invariants.
type oracle struct {
	violated *Violation
	// losses counts data losses and changes by others in Redis. disorder means that revs do
	// not order contents.
	losses   int
	disorder bool
	// top is the highest rev that a leader has written.
	top int64
	// stamped is the latest fetch time that an SDK has written.
	stamped int64
	// asked is the true time of a request to the CDN, by the time of its answer on Redis's
	// clock. answered is the true time of the last answer about a content.
	asked    map[int64]int64
	answered map[content]int64
	withheld map[content]bool  // replaced contents that a commit did not name: see TellReplaced
	revs     map[int64]content // what leaders wrote at which rev; none: different contents
	behind   map[int64]content // written by an SDK with a time below earlier ones
	skewed   map[int64]content // written by an SDK whose clock is wrong
}

func newOracle() oracle {
	return oracle{withheld: map[content]bool{}, asked: map[int64]int64{}, answered: map[content]int64{}, revs: map[int64]content{}, behind: map[int64]content{}, skewed: map[int64]content{}}
}

// onAnswer records that the CDN answered about a content.
func (sys *System) onAnswer(_ *process, c content) { sys.answered[c] = sys.now }

// onRecent records the replaced contents that a process read in meta.
func (sys *System) onRecent(p *process, recent []replaced) {
	if sys.forward {
		return // after the clock jumped ahead, ages are wrong
	}
	for _, old := range recent {
		p.known[old.etag] = max(p.known[old.etag], min(sys.now, old.until-sys.servers[p.side].offset))
	}
}

// onWrite checks the effect of a request on a server.
func (sys *System) onWrite(before *store, s *server, r *request, answer *reply, now int64) {
	if !changed(before, &s.store) || r.op == opAcquire || r.op == opRelease {
		return
	}
	if before.lock.owner != r.lock.owner || before.lock.epoch != r.lock.epoch {
		sys.fail("I2", "process %d wrote under lock %v while it was %v", r.from, r.lock, before.lock)
	}
	m := s.meta
	if m.rev < sys.top && m.rev != before.meta.rev {
		// Redis lost its data and its clock is behind. Until the rebase rule has applied, revs do
		// not order contents: messages in flight are left out.
		sys.disorder = true
		for _, f := range sys.followers {
			f.queue = nil
		}
		// A candidate reads meta every 2 s and notices that. A process that is cut off until the
		// clock is past the revs that it has seen is left out.
		for _, p := range sys.leaders {
			p.disordered = p.disordered || p.highest > m.rev && p.currentHash != m.hash && !sys.without.has(ClockBehind)
		}
	}
	sys.top = max(sys.top, m.rev)
	if c, same := sys.revs[m.rev]; same && c != m.hash {
		sys.revs[m.rev] = none // two primaries used the same rev
	} else {
		sys.revs[m.rev] = m.hash
	}
	if e := before.entry; r.age < 0 && e.body == m.hash && sys.behind[e.rev] == e.body {
		sys.behind[m.rev] = m.hash
	}
	if answer.outcome != outcomeOK || before.meta.rev == m.rev && before.entry == s.entry && before.blob == s.blob {
		return
	}
	if s.entry.rev != m.rev || s.blob.rev != m.rev || m.rev != 0 && (s.entry.body != m.hash || s.blob.body != m.hash || s.blob.hash != m.hash || s.entry.etag != m.hash) {
		// A renewal does not see a body that is corrupt behind its head.
		if r.op == opCommit || s.entry.rev != m.rev || s.blob.rev != m.rev || s.entry.etag != m.hash || s.blob.hash != m.hash {
			sys.fail("I3", "after a write: entry %v, blob %v, meta %v", s.entry, s.blob, m)
		}
	}
	if n := len(s.patches); n > 0 && s.patches[n-1].to != m.hash {
		sys.fail("I3", "the patches lead to %d, meta names %d", s.patches[n-1].to, m.hash)
	}
	if before.entry.rev >= s.entry.rev && before.entry != s.entry {
		sys.fail("I9", "fetch time %d after %d", s.entry.rev, before.entry.rev)
	}
	if r.age >= 0 && m.rev != 0 && m.cdn != before.meta.cdn {
		if r.answered != m.hash {
			sys.fail("I14", "process %d claims an answer about %d that was about %d", r.from, m.hash, r.answered)
		}
		if at, same := sys.asked[m.cdn]; !same || r.asked < at { // clocks that step back show the same time twice
			sys.asked[m.cdn] = r.asked
		}
	}
	if m.cdn != 0 && sys.answered[m.hash] < sys.asked[m.cdn] {
		sys.fail("I14", "content %d is said to be confirmed at %d; the last answer about it came at %d", m.hash, sys.asked[m.cdn], sys.answered[m.hash])
	}
}

// onPublish checks a message when it is published.
func (sys *System) onPublish(s *server, m message) {
	if m.kind != resign && (m.rev != s.meta.rev || m.hash != s.meta.hash) {
		sys.fail("I3", "a message says rev %d of content %d, meta %d of %d", m.rev, m.hash, s.meta.rev, s.meta.hash)
	}
}

// onPut checks content that a follower puts in force.
func (sys *System) onPut(f *reader, next held, lower bool) {
	if next.body <= none || next.body != next.hash {
		sys.fail("I4", "content %d is put in force as %d", next.body, next.hash)
		return
	}
	if c := sys.revs[next.rev]; c != none && c != next.hash {
		sys.fail("I3", "content %d is put in force at rev %d, which is that of %d", next.hash, next.rev, c)
	}
	switch {
	case next.rev > f.held.rev:
	case !lower:
		sys.fail("I1", "rev %d after %d", next.rev, f.held.rev)
	case sys.losses == 0:
		sys.fail("I1", "the rebase rule accepted rev %d after %d, but Redis lost nothing", next.rev, f.held.rev)
	}
	if sys.behind[next.rev] == next.hash {
		return // stamped by an SDK whose clock is behind: this content has no position in the order
	}
	at := sys.position(next.body, f.at)
	if at < 0 {
		sys.fail("I1", "content %d after %d, which the CDN did not go back to", next.body, f.held.body)
	}
	f.at = at
}

// onServed checks the content with which a follower evaluates. present means that the CDN
// serves it now.
func (sys *System) onServed(f *reader, c content, present bool) {
	o := &f.own
	if f.held.hash == c && sys.behind[f.held.rev] == c {
		return // see onPut
	}
	at := sys.position(c, o.at)
	if at < 0 && !o.unsure {
		sys.fail("I1", "a follower that may fetch serves content %d, which the CDN did not go back to", c)
	}
	if o.at = max(o.at, at); present {
		o.at = len(sys.cdn) - 1
	}
}

// position returns the first index of c in the CDN's history, starting at from, or -1.
func (sys *System) position(c content, from int) int {
	for i := max(from, 0); i < len(sys.cdn); i++ {
		if sys.cdn[i].content == c {
			return i
		}
	}
	return -1
}

// onConfirmed checks a claim that the CDN has confirmed the content in force.
func (sys *System) onConfirmed(f *reader) {
	if sys.answered[f.held.hash] < sys.asked[f.fresh.cdn] {
		sys.fail("I14", "a follower takes content %d for confirmed at %d; the last answer about it came at %d",
			f.held.hash, sys.asked[f.fresh.cdn], sys.answered[f.held.hash])
	}
}

// fail records a violation. Only the first one counts.
func (o *oracle) fail(invariant, format string, args ...any) {
	if o.violated == nil {
		o.violated = &Violation{invariant, fmt.Sprintf(format, args...)}
	}
}

// Violation is an invariant that was violated, and how.
type Violation struct{ Invariant, What string }

func (v *Violation) Error() string { return v.Invariant + ": " + v.What }
