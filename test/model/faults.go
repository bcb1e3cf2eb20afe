package model

import "slices"

// fault applies a fault of Redis, or a write of others.
func (sys *System) fault(e Event, arg int) {
	s := &sys.servers[sys.primary]
	before := s.store
	switch e.Kind {
	case Flush, Delete, Failover, Split, Restore:
		if sys.ahead || sys.disorder || sys.stepped && sys.losses > 0 {
			// See System.ahead and oracle.onWrite. Besides, if the clock is behind, revs are close
			// together: two repairs with old content would outrank what was written meanwhile.
			return
		}
	}
	switch e.Kind {
	case Flush:
		sys.losses++
		s.store = store{}
		s.history = nil
	case Delete:
		if s.entry.body != s.entry.etag {
			return // a corrupt entry and a lost key at once are left out
		}
		sys.losses++
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
		if !sys.disorder { // the rebase rule needs the blob, and a renewal does not notice that it is corrupt
			sys.losses++
			sys.corruptContent(s, arg)
		}
	case Step:
		by := steps[arg%len(steps)]
		if sys.split || by < 0 && sys.losses > 1 {
			return // writes of two primaries with different clocks have no order
		}
		if by < 0 && sys.wrote {
			if sys.losses > 0 {
				return
			}
			sys.ahead = true
		}
		sys.stepped, sys.forward = sys.stepped || by < 0, sys.forward || by > 0
		s.offset += by
		s.offset = max(min(s.offset, 7_200_000), -7_200_000)
		for _, f := range sys.followers {
			f.own.onStep(s.offset-by, by)
		}
	case Replicate:
		if n := min(1+arg%lagLimit, len(s.history)); n > 0 {
			s.history = s.history[n:]
		}
	case Failover, Split:
		if e.Kind == Split && sys.stepped {
			return // with a clock behind the revs, writes of two primaries have no order
		}
		sys.failover(e, arg)
	case Rejoin:
		sys.rejoin()
	case SDK:
		sys.sdk(s, arg)
	case Save:
		if len(sys.saved) < savedLimit {
			sys.saved = append(sys.saved, s.store)
		}
	case Restore:
		if len(sys.saved) == 0 || sys.split {
			return
		}
		sys.losses++
		s.store = sys.saved[arg%len(sys.saved)]
		s.history = nil
		for _, p := range sys.leaders {
			p.lostConnection()
		}
		for _, f := range sys.followers {
			f.cut()
		}
	case Full:
		sys.full = !sys.full
	}
	if s.store.entry != before.entry && e.Kind == SDK && len(s.history) > 0 {
		s.history = append(s.history, s.store)
	}
}

func (sys *System) corruptContent(s *server, arg int) {
	other := sys.cdn[arg%len(sys.cdn)].content
	if s.entry.body != s.entry.etag || s.blob.body != s.blob.hash {
		return // a renewal reads the heads only: both copies corrupt at once are left out
	}
	switch arg % 5 {
	case 0:
		if s.entry.rev == s.meta.rev { // an SDK's entry may be the only copy of its content
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

// failover makes the replica the primary. With Split, some processes keep using the old one.
func (sys *System) failover(e Event, arg int) {
	sys.losses++
	sys.rejoin()
	old := &sys.servers[sys.primary]
	next := &sys.servers[1-sys.primary]
	offset := old.offset
	state := old.store
	if len(old.history) > 0 {
		state = old.history[0]
	}
	*next = server{store: state, offset: offset}
	sys.primary = 1 - sys.primary
	sys.split = e.Kind == Split
	for i, p := range sys.leaders {
		if !sys.split || arg>>i&1 == 0 {
			p.side = sys.primary
			p.lostConnection()
		}
	}
	for i, f := range sys.followers {
		if !sys.split || arg>>(3+i)&1 == 0 {
			f.side = sys.primary
			f.cut()
		}
	}
}

// lostConnection ends the request in flight with an error.
func (p *process) lostConnection() {
	if p.call != nil {
		p.settle(refused)
	}
}

func (sys *System) rejoin() {
	if !sys.split {
		return
	}
	sys.split = false
	for _, p := range sys.leaders {
		if p.side != sys.primary {
			p.side = sys.primary
			p.lostConnection()
		}
	}
	for _, f := range sys.followers {
		if f.side != sys.primary {
			f.side = sys.primary
			f.cut()
		}
	}
}

// answerInFlight reports whether a write with an answer of the CDN is in flight. Its age counts
// up to the time of sending, so the answer seems more recent than it is.
func (sys *System) answerInFlight() bool {
	old := func(r *request) bool { return r != nil && r.age >= 0 && (r.op == opCommit || r.op == opRenew) }
	for _, p := range sys.leaders {
		if old(p.call) {
			return true
		}
	}
	return slices.ContainsFunc(sys.late, old)
}

// sdk makes an official SDK write the current content with a fetch time by its own clock.
func (sys *System) sdk(s *server, arg int) {
	if sys.down || sys.split || sys.answerInFlight() {
		return // the other of two primaries would not notice a clock that is ahead
	}
	skew := skews[arg%len(skews)]
	if sys.losses > 0 {
		if sys.stepped {
			return
		}
		skew = min(skew, 0)
	}
	sys.wrote, sys.ahead = true, sys.ahead || skew > 0
	rev := sys.now + s.offset + skew
	if rev == s.meta.rev || rev == s.blob.rev {
		rev++ // two clocks with the same millisecond are left out
	}
	if rev < s.entry.rev && s.entry.rev != s.meta.rev {
		return // an SDK does not overwrite another SDK's later entry
	}
	s.entry = entry{rev: rev, etag: sys.current(), body: sys.current()}
	if s.offset+skew != 0 {
		sys.skewed[rev] = sys.current()
	}
	if rev < max(sys.top, sys.stamped, sys.unpublished()) {
		sys.behind[rev] = sys.current()
	}
	sys.stamped = max(sys.stamped, rev)
	sys.answered[sys.current()] = sys.now
}

// unpublished returns the latest time, by Redis's clock, of an answer that a leader has not
// published yet.
func (sys *System) unpublished() (at int64) {
	for _, p := range sys.leaders {
		if p.term != nil && p.term.answered != 0 {
			at = max(at, p.term.answered+sys.servers[sys.primary].offset)
		}
	}
	return at
}

// checkTerms checks that at most one process can write to each server (I10).
func (sys *System) checkTerms() {
	for side := range sys.servers {
		s := &sys.servers[side]
		holders := 0
		for _, p := range sys.leaders {
			if p.term != nil && p.side == side && s.lock.owner != 0 && s.holds(p.term.lock) {
				holders++
			}
		}
		if holders > 1 {
			sys.fail("I10", "%d processes can write", holders)
		}
	}
}
