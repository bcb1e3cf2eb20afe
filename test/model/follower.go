package model

import "iter"

const (
	dead           = 10_000
	metaReread     = 90_000 // 60 s ± 50 %
	rebaseItems    = 3
	rebaseSpan     = 30_000
	rebaseUnderWay = 20_000
	readsAtOnce    = 3
	lagTries       = 10
	primaryAfter   = 3
)

// rebase is the struct of that name in rebase.go of package follower.
type rebase struct {
	epoch, firstCDN, first, last int64
	items                        int
	answered                     bool
}

func (r *rebase) add(epoch, rev, cdn int64, hash content, heldRev int64, held content, at int64, without Guard) {
	switch {
	case rev == 0:
		return
	case rev >= heldRev:
		if !without.has(RuleSixReset) {
			*r = rebase{}
		}
		return
	case r.items > 0 && epoch != r.epoch && !without.has(RuleSixEpoch):
		*r = rebase{}
	}
	if hash == held || epoch == 0 {
		return
	}
	if r.items == 0 || cdn < r.firstCDN {
		*r = rebase{epoch: epoch, first: at, firstCDN: cdn}
	}
	r.items++
	r.last = at
	if at-r.first < rebaseUnderWay && !without.has(RuleSixUnderWay) {
		r.firstCDN = cdn
	}
	r.answered = r.answered || cdn > r.firstCDN
}

func (r *rebase) due(without Guard) bool {
	if without.has(RuleSix) {
		return false
	}
	return (r.items >= rebaseItems || r.items > 0 && without.has(RuleSixItems)) &&
		(r.last-r.first >= rebaseSpan || without.has(RuleSixSpan)) && (r.answered || without.has(RuleSixAnswer))
}

// held is what a follower has in force; rev 0: nothing.
type held struct {
	rev  int64
	hash content
	body content
}

// job is what the sync goroutine is woken for.
type job uint8

const (
	onMessage job = iota
	onOpened
	onReread
	onContent
)

// reader is a follower: message.go, read.go, content.go and rebase.go of package
// follower, written as they are. Like process it is a coroutine.
type reader struct {
	w       *World
	side    int
	replica bool // where the next read goes, as the world has it

	resume func() (struct{}, bool)
	end    func()
	pause  func(struct{}) bool

	reading bool // waits for Redis
	failed  bool
	job     job
	message message

	subscribed bool
	queue      []message

	held    held
	content bool // the alarm to read the content is on
	want    struct {
		rev   int64
		hash  content
		tries int
	}
	rebase rebase

	// freshness.go
	fresh struct {
		epoch, cdn, answered, seen int64
		hash                       content
	}
	confirmed struct {
		hash content
		at   int64
	}

	rebases int
	reread  int64
	at      int // oracle: where in the CDN's history what is held stands, at least
	answers int // oracle: how many answers of the CDN were known of when the last claim was made
}

func newReader(w *World, side int) *reader {
	f := &reader{w: w, side: side, at: -1}
	f.resume, f.end = iter.Pull(func(yield func(struct{}) bool) {
		defer func() {
			if r := recover(); r != nil {
				if _, ok := r.(pausing); !ok {
					panic(r)
				}
			}
		}()
		f.pause = yield
		for {
			f.wait()
			f.do()
		}
	})
	f.resume()
	return f
}

func (f *reader) wait() {
	if !f.pause(struct{}{}) {
		panic(pausing{})
	}
}

// redis waits until Redis answers; nil: an error.
func (f *reader) redis() *store {
	f.reading = true
	f.wait()
	f.reading = false
	if f.failed {
		return nil
	}
	return f.w.read(f)
}

func (f *reader) do() {
	switch f.job {
	case onMessage:
		f.onMessage(f.message)
	case onOpened:
		if f.w.without.has(ReadOnConnect) {
			return
		}
		if f.held.rev != 0 {
			f.readHead()
		} else {
			f.readAll()
		}
	case onReread:
		f.reread = f.w.now
		f.want.tries = 0
		f.readHead()
	case onContent:
		f.readAll()
	}
}

func (f *reader) onMessage(m message) {
	if m.rev == 0 {
		return
	}
	f.observe(m.epoch, m.rev, m.cdn, m.hash, f.w.now, f.w.now, false)
	switch {
	case m.rev > f.held.rev && m.hash == f.held.hash:
		f.put(held{m.rev, f.held.hash, f.held.body}, false)
	case m.rev > f.held.rev:
		f.onAnnounced(m)
	case m.rev < f.held.rev && f.w.without.has(NeverLower):
		f.onAnnounced(m)
	case m.rev == f.held.rev && m.hash != f.held.hash:
	case f.rebase.due(f.w.without):
		f.content = true
	}
	f.confirm()
}

func (f *reader) onAnnounced(m message) {
	if m.inline {
		if next, ok := f.prepare(m.rev, m.hash, m.body, false); ok && next.rev != 0 {
			f.put(next, false)
			return
		}
	}
	if f.want.hash != m.hash {
		f.want.rev, f.want.hash, f.want.tries = m.rev, m.hash, 0
	}
	f.want.rev = max(f.want.rev, m.rev)
	if !f.content && f.want.tries < lagTries {
		f.content = true
	}
}

func (f *reader) readHead() {
	asked, primary := f.w.now, !f.replica
	s := f.redis()
	if s == nil {
		return
	}
	m, locked := s.meta, s.lock.owner != 0
	f.onHead(m, asked, primary)
	switch {
	case m.rev > f.held.rev && m.hash == f.held.hash:
		f.put(held{m.rev, f.held.hash, f.held.body}, false)
	case m.rev > f.held.rev && f.held.rev != 0 && f.w.spread:
		f.content = true
		return
	case m.rev > f.held.rev:
		f.readAll()
		return
	case m.rev != 0 && m.rev == f.held.rev && m.hash != f.held.hash:
	case f.rebase.due(f.w.without):
		f.content = true
	}
	f.confirm()
	if !locked {
		next, ok := f.fromEntry()
		if !ok {
			return
		}
		f.apply(next)
	}
}

func (f *reader) readAll() {
	f.content = false
	if f.rebase.due(f.w.without) && !f.w.without.has(RuleSixPrimary) || f.want.tries >= primaryAfter {
		f.replica = false
	}
	asked, primary := f.w.now, !f.replica
	var b blob
	var m meta
	locked := false
	for range readsAtOnce {
		s := f.redis()
		if s == nil {
			return
		}
		b = s.blob
		if s = f.redis(); s == nil {
			return
		}
		m, locked = s.meta, s.lock.owner != 0
		if b.rev == 0 || b.rev > m.rev || b.hash == m.hash {
			break
		}
	}
	f.onHead(m, asked, primary)
	lower := f.rebase.due(f.w.without) && m.rev != 0 && m.rev < f.held.rev && m.hash != f.held.hash
	next, good := f.fromBlob(b, m, lower)
	if !good || !locked {
		other, ok := f.fromEntry()
		if !ok {
			return
		}
		if other.rev != 0 && (next.rev == 0 || other.rev > next.rev) {
			next, lower = other, false
		}
	}
	if lower && next.rev != 0 {
		f.rebases++
		f.rebase = rebase{}
		f.want.rev = 0
		f.fresh.epoch, f.fresh.cdn, f.fresh.seen, f.fresh.hash = m.epoch, m.cdn, asked, m.hash
	}
	f.apply2(next, lower)
	f.confirm()
	f.onShort(m)
}

func (f *reader) onShort(m meta) {
	if f.want.rev == 0 {
		return
	}
	f.want.tries++
	if f.want.tries < lagTries {
		f.content = true
	}
}

func (f *reader) onHead(m meta, asked int64, primary bool) {
	f.observe(m.epoch, m.rev, m.cdn, m.hash, asked, f.w.now, primary)
}

// fromBlob is the function of that name; false: what is there was refused, or nothing is there.
func (f *reader) fromBlob(b blob, m meta, lower bool) (held, bool) {
	if b.rev == 0 || b.rev > m.rev {
		return held{}, false
	}
	hash := m.hash
	if b.hash != m.hash {
		if !f.w.without.has(MetaNamesContent) {
			return held{}, false
		}
		hash = b.hash
	}
	return f.prepare(m.rev, hash, b.body, lower)
}

// fromEntry is the function of that name; false: the read failed.
func (f *reader) fromEntry() (held, bool) {
	s := f.redis()
	if s == nil {
		return held{}, false
	}
	e := s.entry
	if e.rev == 0 {
		return held{}, true
	}
	next, _ := f.prepare(e.rev, e.body, e.body, false)
	return next, true
}

func (f *reader) prepare(rev int64, hash, body content, lower bool) (held, bool) {
	switch {
	case f.held.rev != 0 && hash == f.held.hash:
		if rev > f.held.rev {
			return held{rev, hash, f.held.body}, true
		}
		return held{}, true
	case f.held.rev != 0 && rev == f.held.rev:
		return held{}, true
	case f.held.rev != 0 && rev < f.held.rev && !lower && !f.w.without.has(NeverLower):
		return held{}, true
	}
	if body != hash && !f.w.without.has(HashChecked) || body == garbage {
		return held{}, false
	}
	return held{rev, hash, body}, true
}

func (f *reader) apply(next held) { f.apply2(next, false) }

func (f *reader) apply2(next held, lower bool) {
	if next.rev != 0 {
		f.put(next, lower)
	}
}

// put puts content in force, and has the oracle look at it.
func (f *reader) put(next held, lower bool) {
	f.w.onPut(f, next, lower)
	f.held = next
	if f.want.rev <= next.rev {
		f.want.rev = 0
	}
}

func (f *reader) observe(epoch, rev, cdn int64, hash content, asked, heard int64, primary bool) {
	f.rebase.add(epoch, rev, cdn, hash, f.held.rev, f.held.hash, heard, f.w.without)
	if f.answer(epoch, cdn, asked, heard, primary) {
		f.fresh.hash = hash
	}
}

// answer is freshness.observe, with a local clock that is of no use at all.
func (f *reader) answer(epoch, cdn, asked, heard int64, primary bool) bool {
	if cdn == 0 {
		return false
	}
	r := &f.fresh
	switch {
	case r.cdn == 0:
		r.answered = heard - recentFor // for want of better: some time ago
	case epoch < r.epoch && !primary:
		return false
	case epoch < r.epoch, epoch > r.epoch && cdn < r.cdn:
	case cdn > r.cdn:
		r.answered = r.seen // somewhen after that
		f.w.onFresh(f)
	case cdn < r.cdn:
		return false
	}
	r.epoch, r.cdn, r.seen = epoch, cdn, asked
	return true
}

func (f *reader) confirm() {
	if f.held.rev == 0 || f.fresh.cdn == 0 || f.held.hash != f.fresh.hash && !f.w.without.has(AnswerIsAboutHeld) {
		return
	}
	f.confirmed.hash, f.confirmed.at = f.held.hash, f.fresh.answered
	f.w.onConfirmed(f)
}
