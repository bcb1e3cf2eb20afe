package model

// fetch is a request to the CDN.
type fetch struct {
	running  bool
	done     bool
	etag     content
	sent     int64
	failed   bool
	body     content // of a 200
	modified bool
	base     content // the current content when it started
}

func (p *process) newest() content {
	if p.term.pending != none {
		return p.term.pending
	}
	return p.term.content
}

func (p *process) startFetch() {
	t := p.term
	if t.fetch.running {
		return
	}
	t.pollAt = p.sys.now + pollInterval
	t.fetch = fetch{running: true, etag: p.newest(), sent: p.sys.now, base: t.content}
}

func (p *process) fetched() ended {
	t := p.term
	f := t.fetch
	t.fetch = fetch{}
	if f.failed {
		return p.fetchFailed()
	}
	if (f.modified || !p.sys.without.has(SuspectUnmodified)) && !p.credible(f.body) {
		return not
	}
	p.believe(f.body)
	if f.modified {
		t.patch = step{f.base, f.body, f.body}
	}
	repairing := t.repairing
	t.repairing, t.suspect = false, none
	if repairing {
		if t.overwriteUpTo = t.foundEntry; p.sys.without.has(OverwriteFoundOnly) {
			t.overwriteUpTo = always
		}
	}
	t.answered, t.latest, t.answeredHash = f.sent, t.redisNow+f.sent-t.redisAt, f.body
	switch {
	case !p.isCurrent(f.body):
		return p.commit(f.body)
	case repairing:
		if c := p.newest(); c != none {
			return p.commit(c)
		}
	}
	return p.renew()
}

func (p *process) isCurrent(c content) bool {
	t := p.term
	if t.pending != none || c != t.hash {
		return false
	}
	if t.content == none {
		p.setCurrent(c)
	}
	return true
}

func (p *process) credible(c content) bool {
	t := p.term
	if t.suspect == c || !p.wasReplaced(c) || p.sys.without.has(SuspectReplaced) {
		return true
	}
	t.suspect = c
	t.pollAt = p.sys.now + confirmAfter
	return false
}

func (p *process) believe(c content) {
	t := p.term
	for _, former := range []content{p.believed, t.hash} {
		if former == c {
			continue
		}
		p.known[former] = p.sys.now
		if former == t.hash || !p.sys.without.has(BelievedReplaces) {
			p.addReplaced(former, p.sys.now)
		}
	}
	delete(p.replaced, c)
	delete(p.known, c)
	p.believed = c
}

func (p *process) fetchFailed() ended {
	t := p.term
	if t.rev == 0 {
		t.pollAt = min(t.pollAt, p.sys.now+5_000)
	}
	t.suspect = none
	switch {
	case t.repairing:
		t.repairing = false
		return p.repairWithoutCDN()
	case (t.rev == 0 || p.uncertain()) && t.pending == none:
		return p.repairWithoutCDN()
	}
	return not
}
