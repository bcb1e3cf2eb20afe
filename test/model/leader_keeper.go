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
