package model

// claim is the method of that name.
func (p *process) claim(op operation, hash content) request {
	t := p.term
	r := request{op: op, lock: t.lock, base: t.rev, highest: p.highest, age: -1, cdn: t.cdn, hash: hash}
	if t.answered != 0 && (op == opCommit || t.pending == none || p.w.without.has(PendingTellsNothing)) {
		r.age, r.latest = p.w.now-t.answered, t.redisNow+t.answered-t.redisAt
		r.asked, r.answered = t.answered, t.about
	}
	return r
}

func (p *process) renew() ended {
	t := p.term
	for range 2 {
		w, why := p.touch()
		if why != not {
			return why
		}
		switch w.outcome {
		case outcomeOK:
			if t.pending == none {
				return not
			}
			return p.commit(t.pending)
		case outcomeStale:
			p.adopt(w.meta)
		case outcomeRegressed:
			return p.regressed(w)
		case outcomeForeign:
			return p.foreign(w)
		}
	}
	return not
}

func (p *process) touch() (reply, ended) {
	t := p.term
	sent := p.w.now
	c := p.claim(opTouch, t.hash)
	w, ok := p.redis(c)
	switch {
	case !ok:
		return w, failed
	case w.outcome == outcomeFenced:
		return w, fenced
	}
	t.trusted = sent
	if w.outcome == outcomeOK {
		p.wrote(w)
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
		sent := p.w.now
		r := p.claim(opCommit, c)
		r.inline, r.over = p.w.inline(c), t.asked
		w, ok := p.redis(r)
		switch {
		case !ok:
			return failed
		case w.outcome == outcomeFenced:
			return fenced
		case w.outcome == outcomeOK:
			t.trusted = sent
			p.committed(c, w)
			return not
		case w.outcome == outcomeForeign:
			return p.restore(w)
		case w.outcome == outcomeStale && w.meta.rev > t.rev && w.meta.hash == c:
			p.take(c)
			p.adopt(w.meta)
			return not
		}
		p.adopt(w.meta)
	}
	return not
}

func (p *process) committed(c content, w reply) {
	t := p.term
	if t.hash != none && t.hash != c {
		p.recent = append([]replaced{{w.now, t.hash}}, p.recent[:min(len(p.recent), 7)]...)
		p.w.onRecent(p, p.recent)
	}
	p.take(c)
	t.answered, t.asked = 0, false
	p.wrote(w)
}

func (p *process) take(c content) {
	t := p.term
	t.content, p.content, t.pending = c, c, none
	t.hash = c
}

func (p *process) wrote(w reply) {
	t := p.term
	t.rev, t.cdn = w.rev, w.cdn
	if t.content != none {
		p.contentCDN = w.cdn
	}
	t.redisNow, t.redisAt = w.now, p.w.now
	if w.rev >= p.highest {
		p.sawCurrent(w.rev, t.hash)
	}
}

func (p *process) regressed(w reply) ended {
	t := p.term
	if c := t.pending; c != none && w.meta.hash == c && w.meta.rev > t.rev {
		p.take(c)
		p.adopt(w.meta)
		return not
	}
	if t.content == none {
		p.adopt(w.meta)
		p.loadContent()
		return not
	}
	return p.restore(w)
}

func (p *process) foreign(w reply) ended {
	if p.newest() == none || p.term.content == none && p.w.without.has(PendingFirst) {
		return not
	}
	return p.restore(w)
}

func (p *process) restore(w reply) ended {
	t := p.term
	if w.found > t.rev && !p.w.without.has(AskBeforeHealing) {
		t.healing, t.asked = true, false
		t.pollAt = 0
		return not
	}
	return p.heal(w.meta)
}

func (p *process) heal(found meta) ended {
	t := p.term
	c := t.content
	t.rev = found.rev
	if t.pending != none {
		c = t.pending
	}
	if p.w.without.has(HealingTellsNothing) && t.answered == 0 {
		t.answered, t.about = p.w.now, none
	}
	return p.commit(c)
}

func (p *process) mend(own content) ended {
	c, ok := p.fetchedLater()
	if !ok {
		return failed
	}
	if c == none {
		c = own
	}
	if c == none {
		return not
	}
	return p.commit(c)
}

func (p *process) fetchedLater() (content, bool) {
	t := p.term
	if t.answered != 0 || p.w.without.has(SpareFetchedLater) {
		return none, true
	}
	r, ok := p.redis(request{op: opEntry})
	if !ok {
		return none, false
	}
	if e := r.entry; e.rev > p.highest && e.body > 0 && !p.replaced(e.body) {
		return e.body, true
	}
	return none, true
}
