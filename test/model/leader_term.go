package model

// term is the struct of that name.
type term struct {
	lock      lock
	renewedAt int64

	rev  int64
	hash content
	cdn  int64

	content      content
	pending      content
	answered     int64   // 0: none
	latest       int64   // by Redis's clock as heard before
	answeredHash content // what it was about

	redisNow, redisAt int64

	pollAt    int64
	suspect   content
	repairing bool
	damaged   bool
	foundAt   int64
	seen      int64 // the entry that made it ask
	over      int64 // an entry up to this may be written over
	fetch     fetch
}

// ended says why a term did, or that it goes on.
type ended uint8

const (
	not ended = iota
	fenced
	lapsed
	stopped
	failed // a write failed: the term goes on
)

func (p *process) lead(g reply, sent int64) {
	t := &term{lock: g.lock, renewedAt: sent, redisNow: g.now, redisAt: p.w.now}
	p.term = t
	p.adopt(g.meta, g.now)
	p.loadContent()
	why := p.loop()
	if why != fenced {
		p.redis(request{op: opRelease, lock: t.lock, base: t.rev, cdn: t.cdn, hash: t.hash})
	}
	p.term = nil
}

func (p *process) loop() ended {
	t := p.term
	for {
		why := not
		switch p.next() {
		case toRenew:
			why = p.renew()
		case toPoll:
			p.startFetch()
		case toTake:
			if t.fetch.running && t.fetch.done {
				why = p.fetched()
			}
		case toStop:
			return stopped
		}
		switch {
		case why == fenced:
			return fenced
		case p.w.now-t.renewedAt >= stopActing:
			return lapsed
		}
	}
}

func (p *process) adopt(m meta, now int64) {
	t := p.term
	t.rev, t.hash, t.cdn = m.rev, m.hash, m.cdn
	p.sawMeta(m, now)
	if t.content != t.hash {
		t.content = none
	}
	p.keep()
}

func (p *process) keep() {
	t := p.term
	if t.content != none && p.knows(t.content) {
		p.content = t.content
	}
	if p.content == t.hash {
		p.contentCDN = t.cdn
	}
}

func (p *process) uncertain() bool {
	t := p.term
	return t.rev != 0 && t.rev < p.highest && !p.knows(t.hash)
}

func (p *process) loadContent() {
	t := p.term
	if t.rev == 0 || p.uncertain() {
		return
	}
	if p.content != none && p.content == t.hash {
		t.content = p.content
		return
	}
	r, ok := p.redis(request{op: opLoad})
	if !ok || r.blob.rev == 0 || r.blob.hash != t.hash || r.blob.body != r.blob.hash || r.blob.body == garbage {
		return
	}
	t.content = r.blob.body
	p.keep()
}
