package model

import (
	"cmp"
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

// pausing is a call of a coroutine that never returns, since its process is gone.
type pausing struct{}

// process is a leader process: elector.go, term.go, publish.go and poll.go of package
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

	// elector
	highest     int64
	epoch       int64
	content     content
	contentCDN  int64
	currentHash content
	disordered  bool
	believed    content
	replaced    map[content]int64 // when, by true time: the process's monotonic clock

	term *term

	// known is what the oracle knows that it was told to have been replaced, and when that was.
	known map[content]int64
	// For the final, fair part of a run.
	tried, renewed int64
}

func newProcess(w *World, id int32, side int) *process {
	p := &process{w: w, id: id, side: side, known: map[content]int64{}, replaced: map[content]int64{}}
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
		p.sawMeta(g.meta, g.now)
		if g.outcome == outcomeAcquired {
			return g, sent
		}
	}
}

func (p *process) sawMeta(m meta, now int64) {
	if p.w.without.has(RememberReplaced) {
		clear(p.replaced)
	}
	for _, old := range m.recent {
		if old.etag != m.hash {
			p.addReplaced(old.etag, p.w.now-max(0, now-old.until))
		}
	}
	p.w.onRecent(p, m.recent)
	for c := range p.w.withheld {
		p.known[c] = p.w.now
	}
	switch {
	case m.rev == 0:
	case m.rev >= p.highest, p.w.without.has(KeepCurrent):
		p.sawCurrent(m.rev, m.hash)
	case m.hash != p.currentHash && now <= p.highest && !p.w.without.has(ClockBehind):
		p.disordered = true
	}
}

func (p *process) addReplaced(c content, at int64) {
	if c == none || p.w.now-at >= recentFor || p.replaced[c] >= at {
		return
	}
	if p.w.without.has(RememberByTime) && len(p.replaced) >= 8 {
		return
	}
	p.replaced[c] = at
}

func (p *process) wasReplaced(c content) bool {
	at, ok := p.replaced[c]
	return ok && p.w.now-at < recentFor
}

// lines returns what the process knows to have been replaced, the latest first, with its age.
func (p *process) lines() []replaced {
	if p.w.without.has(TellReplaced) {
		for c := range p.replaced {
			p.w.withheld[c] = true
		}
		return nil
	}
	var all []replaced
	for c, at := range p.replaced {
		if p.wasReplaced(c) {
			all = append(all, replaced{p.w.now - at, c})
		}
	}
	slices.SortFunc(all, func(a, b replaced) int { return cmp.Or(cmp.Compare(a.until, b.until), cmp.Compare(a.etag, b.etag)) })
	return all[:min(len(all), 8)]
}

func (p *process) sawCurrent(rev int64, hash content) {
	p.highest, p.currentHash, p.disordered = max(p.highest, rev), hash, false
}

func (p *process) knows(c content) bool {
	if p.w.without.has(RepairCurrentOnly) {
		return c != none
	}
	return c != none && c == p.currentHash && !p.disordered
}
