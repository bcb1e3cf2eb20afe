package model

import "slices"

// spoil does something to Redis.
func (w *World) spoil(e Event, arg int) {
	s := &w.servers[w.primary]
	before := s.store
	switch e.Kind {
	case Flush, Delete, Failover, Split, Restore:
		if w.ahead || w.disorder || w.stepped && w.losses > 0 {
			// See World.ahead and oracle.onWrite. And where the clock is behind, revs stand close
			// together: an old memory that seeds Redis twice gets past what was written meanwhile.
			return
		}
	}
	switch e.Kind {
	case Flush:
		w.losses++
		s.store = store{}
		s.history = nil
	case Delete:
		if s.entry.body != s.entry.etag {
			return // a spoiled entry and a lost key at once are left out
		}
		w.losses++
		switch arg % 4 {
		case 0:
			s.entry = entry{}
		case 1:
			s.blob = blob{}
		case 2:
			s.meta = meta{}
		default:
			s.lock = lock{}
		}
	case Corrupt:
		if !w.disorder { // rule 6 needs the blob, and touch does not see that it is spoiled
			w.losses++
			w.spoilContent(s, arg)
		}
	case Step:
		by := steps[arg%len(steps)]
		if w.split || by < 0 && w.losses > 1 {
			return // nothing orders what two primaries say whose clocks differ
		}
		if by < 0 && w.wrote {
			if w.losses > 0 {
				return
			}
			w.ahead = true
		}
		w.stepped, w.forward = w.stepped || by < 0, w.forward || by > 0
		s.offset += by
		s.offset = max(min(s.offset, 7_200_000), -7_200_000)
		for _, f := range w.followers {
			f.own.onStep(s.offset-by, by)
		}
	case Replicate:
		if n := min(1+arg%lagLimit, len(s.history)); n > 0 {
			s.history = s.history[n:]
		}
	case Failover, Split:
		if e.Kind == Split && w.stepped {
			return // a clock behind the revs orders nothing that two primaries give at once
		}
		w.failover(e, arg)
	case Heal:
		w.heal()
	case SDK:
		w.sdk(s, arg)
	case Save:
		if len(w.saved) < savedLimit {
			w.saved = append(w.saved, s.store)
		}
	case Restore:
		if len(w.saved) == 0 || w.split {
			return
		}
		w.losses++
		s.store = w.saved[arg%len(w.saved)]
		s.history = nil
		for _, p := range w.leaders {
			p.lostConnection()
		}
		for _, f := range w.followers {
			f.cut()
		}
	case Full:
		w.full = !w.full
	}
	if s.store.entry != before.entry && e.Kind == SDK && len(s.history) > 0 {
		s.history = append(s.history, s.store)
	}
}

func (w *World) spoilContent(s *server, arg int) {
	other := w.cdn[arg%len(w.cdn)].content
	if s.entry.body != s.entry.etag || s.blob.body != s.blob.hash {
		return // touch sees the heads only: the two copies of the content are not spoiled at once
	}
	switch arg % 5 {
	case 0:
		if s.entry.rev == s.meta.rev { // an SDK's, which nobody else may have, is left alone
			s.entry.body = garbage
		}
	case 1:
		s.blob.body = garbage
	case 2:
		s.blob.body = other
	case 3:
		s.blob.rev += int64(arg) - 16
	default:
		s.blob.hash = other
	}
	if s.blob.rev == 0 || s.blob.hash == none {
		s.blob = blob{}
	}
	if s.entry.rev == 0 {
		s.entry = entry{}
	}
}

// failover makes the replica the primary. With Split, those who do not notice stay.
func (w *World) failover(e Event, arg int) {
	w.losses++
	w.heal()
	old := &w.servers[w.primary]
	next := &w.servers[1-w.primary]
	offset := old.offset
	state := old.store
	if len(old.history) > 0 {
		state = old.history[0]
	}
	*next = server{store: state, offset: offset}
	w.primary = 1 - w.primary
	w.split = e.Kind == Split
	for i, p := range w.leaders {
		if !w.split || arg>>i&1 == 0 {
			p.side = w.primary
			p.lostConnection()
		}
	}
	for i, f := range w.followers {
		if !w.split || arg>>(3+i)&1 == 0 {
			f.side = w.primary
			f.cut()
		}
	}
}

// lostConnection ends the request under way with an error.
func (p *process) lostConnection() {
	if p.call != nil {
		p.settle(refused)
	}
}

func (w *World) heal() {
	if !w.split {
		return
	}
	w.split = false
	for _, p := range w.leaders {
		if p.side != w.primary {
			p.side = w.primary
			p.lostConnection()
		}
	}
	for _, f := range w.followers {
		if f.side != w.primary {
			f.side = w.primary
			f.cut()
		}
	}
}

// underWay tells whether a write that tells an answer of the CDN is on its way to Redis. It
// counts the answer's age up to when it was sent, and so makes it younger than it is.
func (w *World) underWay() bool {
	old := func(r *request) bool { return r != nil && r.age >= 0 && (r.op == opCommit || r.op == opRenew) }
	for _, p := range w.leaders {
		if old(p.call) {
			return true
		}
	}
	return slices.ContainsFunc(w.late, old)
}

// sdk lets an official SDK write what it has just fetched, stamped by its own clock.
func (w *World) sdk(s *server, arg int) {
	if w.down || w.split || w.underWay() {
		return // of two primaries the other would not know of a clock that is ahead
	}
	skew := skews[arg%len(skews)]
	if w.losses > 0 {
		if w.stepped {
			return
		}
		skew = min(skew, 0)
	}
	w.wrote, w.ahead = true, w.ahead || skew > 0
	rev := w.now + s.offset + skew
	if rev == s.meta.rev || rev == s.blob.rev {
		rev++ // that two clocks agree to the millisecond is left out
	}
	if rev < s.entry.rev && s.entry.rev != s.meta.rev {
		return // of SDKs among themselves, none writes over what another stamped later
	}
	s.entry = entry{rev: rev, etag: w.current(), body: w.current()}
	if s.offset+skew != 0 {
		w.skewed[rev] = w.current()
	}
	if rev < max(w.top, w.stamped, w.untold()) {
		w.behind[rev] = w.current()
	}
	w.stamped = max(w.stamped, rev)
	w.answered[w.current()] = w.now
}

// untold is the latest time, by Redis's clock, of an answer that a leader has still to tell.
func (w *World) untold() (at int64) {
	for _, p := range w.leaders {
		if p.term != nil && p.term.answered != 0 {
			at = max(at, p.term.answered+w.servers[w.primary].offset)
		}
	}
	return at
}

// checkTerms sees to it that no two processes could write to one server (I10).
func (w *World) checkTerms() {
	for side := range w.servers {
		s := &w.servers[side]
		holders := 0
		for _, p := range w.leaders {
			if p.term != nil && p.side == side && s.lock.owner != 0 && s.holds(p.term.lock) {
				holders++
			}
		}
		if holders > 1 {
			w.fail("I10", "%d processes can write", holders)
		}
	}
}
