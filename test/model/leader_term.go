package model

// term is the struct term of package leader.
type term struct {
	lock      lock
	renewedAt int64

	rev  int64
	hash content
	cdn  int64

	patches      []step // see currentPatches
	patch        step   // to the content that was fetched last
	content      content
	pending      content
	answered     int64   // 0: none
	latest       int64   // the same time by Redis's clock, fixed when the answer arrived
	answeredHash content // the content that it confirms

	redisNow, redisAt int64

	pollAt        int64
	suspect       content
	repairing     bool
	damaged       bool
	foundAt       int64
	foundEntry    int64 // the fetch time of the entry that made the leader ask the CDN
	overwriteUpTo int64 // an entry up to this fetch time may be overwritten
	fetch         fetch
}

// ended is why a term ended, or that it continues.
type ended uint8

const (
	not ended = iota
	fenced
	lapsed
	stopped
	failed // a write failed; the term continues
)

func (p *process) lead(g reply, sent int64) {
	t := &term{lock: g.lock, renewedAt: sent, redisNow: g.now, redisAt: p.sys.now}
	p.term = t
	p.adopt(g.meta, g.now)
	p.loadContent()
	p.loadPatches()
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
		case toReceive:
			if t.fetch.running && t.fetch.done {
				why = p.fetched()
			}
		case toStop:
			return stopped
		}
		switch {
		case why == fenced:
			return fenced
		case p.sys.now-t.renewedAt >= renewDeadline:
			return lapsed
		}
	}
}

func (p *process) adopt(m meta, now int64) {
	t := p.term
	t.rev, t.hash, t.cdn = m.rev, m.hash, m.cdn
	p.observeMeta(m, now)
	if t.content != t.hash {
		t.content = none
	}
	p.remember()
}

func (p *process) remember() {
	t := p.term
	if t.content != none && p.knowsCurrent(t.content) {
		p.content = t.content
	}
	if p.content == t.hash {
		p.contentCDN = t.cdn
	}
}

func (p *process) uncertain() bool {
	t := p.term
	return t.rev != 0 && t.rev < p.highest && !p.knowsCurrent(t.hash)
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
	p.remember()
}
