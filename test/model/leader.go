package model

import (
	"iter"
	"slices"
)

// Durations of the default profile, in ms.
const (
	lockExpiry   = 15_000
	renewal      = 3_000
	stopActing   = 10_000
	retry        = 2_000
	pollInterval = 55_000
	confirmAfter = 1_000
	recentFor    = 120_000
)

// stimulus is what wakes a leader that waits for nothing of Redis.
type stimulus uint8

const (
	toCampaign stimulus = iota
	toRenew
	toPoll
	toTake // the answer of the CDN
	toStop
)

// fetch is a request to the CDN under way.
type fetch struct {
	running  bool
	done     bool
	etag     content
	sent     int64
	failed   bool
	body     content // of a 200
	modified bool
}

// pausing is a call of a coroutine that never returns, since its process is gone.
type pausing struct{}

// process is a leader process: keeper.go, term.go, publish.go and poll.go of package
// leader, written as they are. It is a coroutine that stops wherever it waits for
// Redis or for something to do; the world says what comes of it.
type process struct {
	w    *World
	id   int32
	side int

	resume func() (struct{}, bool)
	end    func()
	pause  func(struct{}) bool

	call     *request // waiting for Redis; nil: for a stimulus
	executed bool
	reply    reply
	failed   bool
	stimulus stimulus

	// keeper
	highest     int64
	epoch       int64
	content     content
	contentCDN  int64
	currentHash content
	recent      []replaced

	term *term

	// known is what the oracle knows that it was told to have been replaced.
	known map[content]bool
	// For the final, fair part of a run.
	tried, renewed int64
}

// term is the struct of that name.
type term struct {
	lock    lock
	trusted int64

	rev  int64
	hash content
	cdn  int64

	content  content
	pending  content
	answered int64   // 0: none
	about    content // oracle: what it was about

	redisNow, redisAt int64

	pollAt  int64
	doubted content
	healing bool
	asked   bool // the CDN was asked since an entry that is newer was seen
	fetch   fetch
}

func newProcess(w *World, id int32, side int) *process {
	p := &process{w: w, id: id, side: side, known: map[content]bool{}}
	p.resume, p.end = iter.Pull(func(yield func(struct{}) bool) {
		defer func() {
			if r := recover(); r != nil {
				if _, ok := r.(pausing); !ok {
					panic(r)
				}
			}
		}()
		p.pause = yield
		p.run()
	})
	p.resume()
	return p
}

// wait lets the world go on.
func (p *process) wait() {
	if !p.pause(struct{}{}) {
		panic(pausing{})
	}
}

// next waits for a stimulus.
func (p *process) next() stimulus {
	p.call = nil
	p.wait()
	return p.stimulus
}

// redis sends a request and waits for what comes of it; false: an error.
func (p *process) redis(r request) (reply, bool) {
	r.from, r.side, r.expiry, r.sent = p.id, p.side, lockExpiry, p.w.now
	p.call, p.executed = &r, false
	p.wait()
	return p.reply, !p.failed
}

func (p *process) run() {
	for {
		p.lead(p.campaign())
	}
}

func (p *process) campaign() (reply, int64) {
	for {
		if p.next() != toCampaign {
			continue
		}
		sent := p.w.now
		g, ok := p.redis(request{op: opAcquire, lock: lock{owner: p.id}, highest: max(p.highest, p.epoch)})
		if !ok {
			continue
		}
		p.epoch = max(p.epoch, g.meta.epoch)
		p.sawMeta(g.meta)
		if g.outcome == outcomeAcquired {
			return g, sent
		}
	}
}

func (p *process) sawMeta(m meta) {
	if m.rev >= p.highest || p.w.without.has(RememberReplaced) {
		p.recent = m.recent
	}
	p.w.onRecent(p, m.recent)
	if m.rev < p.highest && p.wasReplaced(m.hash) && !p.w.without.has(KeepCurrent) {
		return // Redis fell back: what was current is so still
	}
	p.sawCurrent(m.rev, m.hash)
}

func (p *process) wasReplaced(c content) bool {
	return slices.ContainsFunc(p.recent, func(old replaced) bool { return old.etag == c })
}

func (p *process) sawCurrent(rev int64, hash content) {
	p.highest = max(p.highest, rev)
	if rev != 0 {
		p.currentHash = hash
	}
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
	t := &term{lock: g.lock, trusted: sent, redisNow: g.now, redisAt: p.w.now}
	p.term = t
	p.adopt(g.meta)
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
		case p.w.now-t.trusted >= stopActing:
			return lapsed
		}
	}
}

func (p *process) adopt(m meta) {
	t := p.term
	t.rev, t.hash, t.cdn = m.rev, m.hash, m.cdn
	p.sawMeta(m)
	if t.content != t.hash {
		t.content = none
	}
	if p.content == t.hash {
		p.contentCDN = t.cdn
	}
}

func (p *process) loadContent() {
	t := p.term
	if t.rev == 0 || t.hash != p.currentHash {
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
	t.content, p.content, p.contentCDN = r.blob.body, r.blob.body, t.cdn
}

// claim is the method of that name.
func (p *process) claim(op operation, hash content) request {
	t := p.term
	r := request{op: op, lock: t.lock, base: t.rev, highest: p.highest, age: -1, cdn: t.cdn, hash: hash}
	if t.answered != 0 && (op == opCommit || t.pending == none || p.w.without.has(PendingTellsNothing)) {
		r.age = p.w.now - t.answered
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
	if p.newest() == none {
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
	t.pollAt = p.w.now + pollInterval
	t.fetch = fetch{running: true, etag: p.newest(), sent: p.w.now}
}

func (p *process) fetched() ended {
	t := p.term
	f := t.fetch
	t.fetch = fetch{}
	if f.failed {
		return p.fetchFailed()
	}
	if f.modified && !p.trust(f.body) {
		return not
	}
	healing := t.healing
	t.healing, t.doubted = false, none
	t.asked = t.asked || healing
	t.answered, t.about = f.sent, f.body
	switch {
	case f.modified && !p.holds(f.body):
		return p.commit(f.body)
	case healing:
		if c := p.newest(); c != none {
			return p.commit(c)
		}
	}
	return p.renew()
}

func (p *process) holds(c content) bool {
	t := p.term
	if t.pending != none || c != t.hash {
		return false
	}
	if t.content == none {
		p.take(c)
	}
	return true
}

func (p *process) trust(c content) bool {
	t := p.term
	if t.doubted == c || !p.replaced(c) || p.w.without.has(DoubtReplaced) {
		return true
	}
	t.doubted = c
	t.pollAt = p.w.now + confirmAfter
	return false
}

func (p *process) replaced(c content) bool {
	t := p.term
	if c == t.hash && t.hash == p.currentHash {
		return t.pending != none && t.pending != c && !p.w.without.has(DoubtPending)
	}
	redisNow := t.redisNow + p.w.now - t.redisAt
	return slices.ContainsFunc(p.recent, func(old replaced) bool {
		return old.etag == c && redisNow-old.until < recentFor
	})
}

func (p *process) fetchFailed() ended {
	t := p.term
	if t.rev == 0 {
		t.pollAt = min(t.pollAt, p.w.now+5_000)
	}
	t.doubted = none
	switch {
	case t.healing:
		t.healing, t.asked = false, true
		return p.mend(p.newest())
	case (t.rev == 0 || t.hash != p.currentHash) && t.pending == none && p.mayReseed():
		t.cdn, t.asked = p.contentCDN, true
		return p.mend(p.content)
	}
	return not
}

func (p *process) mayReseed() bool {
	return p.content != none && (p.content == p.currentHash || p.w.without.has(ReseedCurrentOnly))
}
