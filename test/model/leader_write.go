package model

// assertion is the method assertion of a term.
func (p *process) assertion(op operation, hash content) request {
	t := p.term
	r := request{op: op, lock: t.lock, base: t.rev, age: -1, cdn: t.cdn, hash: hash}
	if t.answered != 0 && (hash == t.answeredHash || p.sys.without.has(AnswerIsAboutOne)) {
		r.age, r.latest = p.sys.now-t.answered, t.latest
		if p.sys.without.has(LatestIsFixed) {
			r.latest = t.redisNow + t.answered - t.redisAt
		}
		r.asked, r.answered = t.answered, t.answeredHash
		r.above = p.highest
	}
	if r.age < 0 && p.uncertain() {
		r.waits = p.highest
	}
	return r
}

func (p *process) renew() ended {
	t := p.term
	for range 2 {
		w, why := p.sendRenewal()
		if why != not {
			return why
		}
		switch w.outcome {
		case outcomeOK:
			if t.pending != none && !p.mayWrite(t.pending) {
				t.pending = none
			}
			if t.pending == none {
				return not
			}
			return p.commit(t.pending)
		case outcomeStale:
			p.adopt(w.meta, w.now)
		case outcomeRegressed:
			return p.repairRegressed(w)
		case outcomeOverwritten:
			return p.repairOverwritten(w)
		}
	}
	return not
}

func (p *process) sendRenewal() (reply, ended) {
	t := p.term
	sent := p.sys.now
	c := p.assertion(opRenew, t.hash)
	c.patches = p.currentPatches()
	w, ok := p.redis(c)
	switch {
	case !ok:
		return w, failed
	case w.outcome == outcomeFenced:
		return w, fenced
	}
	t.renewedAt = sent
	if w.outcome == outcomeOK {
		p.applyReply(w)
		if c.age >= 0 {
			t.answered = 0
		}
	}
	return w, not
}

func (p *process) commit(c content) ended {
	t := p.term
	t.pending = c
	for range 2 {
		sent := p.sys.now
		r := p.assertion(opCommit, c)
		r.inline, r.overwriteUpTo = p.sys.inline(c), t.overwriteUpTo
		if c != t.hash && c == p.content {
			r.cdn = p.contentCDN
		}
		r.replaced, r.waits = p.lines(), 0
		switch {
		case r.age >= 0 || p.knowsCurrent(c) || p.sys.without.has(RepairBelow):
			r.above = p.highest
		default:
			r.above, r.waits = t.foundAt, p.highest
		}
		if r.patches = p.nextPatches(c); c != t.hash && len(r.patches) > 0 {
			r.patchFrom = t.hash
		}
		w, ok := p.redis(r)
		switch {
		case !ok:
			return failed
		case w.outcome == outcomeFenced:
			return fenced
		case w.outcome == outcomeOK:
			t.renewedAt = sent
			p.committed(c, w)
			return not
		case w.outcome == outcomeOverwritten:
			return p.repairAfterPoll(w.found)
		case w.outcome == outcomeStale && w.meta.rev > t.rev && w.meta.hash == c:
			t.patches = p.nextPatches(c)
			p.setCurrent(c)
			p.adopt(w.meta, w.now)
			return not
		}
		p.adopt(w.meta, w.now)
		if !p.mayWrite(c) {
			t.pending = none
			return not
		}
	}
	return not
}

func (p *process) committed(c content, w reply) {
	t := p.term
	if t.hash != c {
		p.addReplaced(t.hash, p.sys.now)
		p.known[t.hash] = p.sys.now
	}
	t.patches = p.nextPatches(c)
	p.setCurrent(c)
	t.answered, t.foundEntry, t.overwriteUpTo = 0, 0, 0
	p.applyReply(w)
}

func (p *process) setCurrent(c content) {
	t := p.term
	t.content, t.pending = c, none
	t.hash = c
}

func (p *process) applyReply(w reply) {
	t := p.term
	t.rev, t.cdn, t.damaged, t.foundAt = w.rev, w.cdn, false, 0
	t.redisNow, t.redisAt = w.now, p.sys.now
	if w.rev != 0 && w.rev >= p.highest {
		p.observeCurrent(w.rev, t.hash)
	}
	p.remember()
}

func (p *process) repairRegressed(w reply) ended {
	t := p.term
	if c := t.pending; c != none && w.meta.hash == c && w.meta.rev > t.rev {
		t.patches = p.nextPatches(c)
		p.setCurrent(c)
		p.adopt(w.meta, w.now)
		return not
	}
	own, later := p.newest(), w.found > t.rev
	p.adopt(w.meta, w.now)
	t.redisNow, t.redisAt = w.now, p.sys.now
	if own == none {
		p.loadContent()
		return not
	}
	return p.repair(own, later, w.found)
}

func (p *process) repairOverwritten(w reply) ended {
	return p.repair(p.newest(), w.found > p.term.rev, w.found)
}

func (p *process) repair(own content, later bool, found int64) ended {
	t := p.term
	t.damaged = true
	switch {
	case later && !p.sys.without.has(AskBeforeRepair), own != none && !p.mayWrite(own):
		return p.repairAfterPoll(found)
	case own == none:
		return p.repairWithoutCDN()
	}
	if p.sys.without.has(RepairConfirmsNothing) && t.answered == 0 {
		t.answered, t.latest, t.answeredHash = p.sys.now, t.redisNow+p.sys.now-t.redisAt, own
	}
	return p.commit(own)
}

func (p *process) mayWrite(c content) bool {
	t := p.term
	return t.answered != 0 && c == t.answeredHash && (c == t.pending || !p.sys.without.has(AnswerIsAboutOne)) || c == t.hash ||
		p.knowsCurrent(c) && (t.redisNow+p.sys.now-t.redisAt > p.highest || p.sys.without.has(ClockBehind))
}

func (p *process) repairAfterPoll(found int64) ended {
	t := p.term
	t.repairing, t.foundEntry, t.overwriteUpTo = true, found, 0
	t.pollAt = 0
	return not
}

func (p *process) repairWithoutCDN() ended {
	t := p.term
	c, ok := p.fetchedLater()
	if !ok {
		return failed
	}
	if c == none {
		c = p.repairContent()
	}
	if c == none && (t.rev == 0 || t.damaged) {
		if c, ok = p.repairInPlace(); !ok {
			return failed
		}
	}
	if c == none {
		return not
	}
	return p.commit(c)
}

func (p *process) repairContent() content {
	t := p.term
	switch c := p.content; {
	case t.pending != none && p.mayWrite(t.pending):
		return t.pending
	case c != none && p.knowsCurrent(c) && p.mayWrite(c):
		return c
	case t.damaged && t.content != none && p.mayWrite(t.content):
		return t.content
	}
	return none
}

func (p *process) fetchedLater() (content, bool) {
	t := p.term
	r, ok := p.redis(request{op: opEntry})
	if !ok {
		return none, false
	}
	t.overwriteUpTo = max(t.foundEntry, r.entry.rev)
	if p.sys.without.has(OverwriteFoundOnly) {
		t.overwriteUpTo = always
	}
	if p.sys.without.has(KeepFetchedLater) || t.answered != 0 && (r.entry.rev <= t.latest || p.sys.without.has(KeepLaterThanAnswer)) {
		return none, true
	}
	if e := r.entry; e.rev > p.highest && e.body > 0 && !p.wasReplaced(e.body) {
		return e.body, true
	}
	return none, true
}

// repairInPlace is the method of the same name. It returns false if a read failed.
func (p *process) repairInPlace() (content, bool) {
	t := p.term
	r, ok := p.redis(request{op: opLoad})
	if !ok {
		return none, false
	}
	b := r.blob
	if b.rev != 0 && (b.body != b.hash || b.body == garbage) {
		b = blob{}
	}
	if r, ok = p.redis(request{op: opEntry}); !ok {
		return none, false
	}
	e := r.entry
	if b.rev != 0 && t.rev != 0 {
		if b.rev = t.rev; b.hash != t.hash {
			b = blob{}
		}
	}
	best := none
	switch {
	case b.rev != 0 && (e.rev <= b.rev || e.rev > p.highest):
		best = b.body
	case e.rev != 0:
		best = e.body
	}
	above := max(t.rev, e.rev, b.rev)
	if best <= none || p.highest != 0 && above+1 >= p.highest && !p.knowsCurrent(best) {
		return none, true
	}
	t.foundAt = above
	return best, true
}
