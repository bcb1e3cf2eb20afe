package model

import (
	"cmp"
	"iter"
	"slices"
)

// Durations of the default profile, in ms.
const (
	leaseDuration = 15_000
	renewInterval = 3_000
	renewDeadline = 10_000
	retryPeriod   = 2_000
	pollInterval  = 55_000
	confirmAfter  = 1_000
	recentFor     = 120_000
)

// stimulus wakes a leader that does not wait for Redis.
type stimulus uint8

const (
	toCampaign stimulus = iota
	toRenew
	toPoll
	toReceive // handle the answer of the CDN
	toStop
)

// pausing is the panic that ends the coroutine of a process that was stopped.
type pausing struct{}

// process is a leader process. It follows elector.go, term.go, term_renew.go, term_commit.go and term_poll.go
// of package leader. It is a coroutine that stops where it waits for Redis or for a stimulus; the
// System decides how it continues.
type process struct {
	sys  *System
	id   int32
	side int

	resume func() (struct{}, bool)
	end    func()
	pause  func(struct{}) bool

	call     *request // the request in flight; nil: the process waits for a stimulus
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
	replaced    map[content]int64 // when, by true time, which is the process's monotonic clock

	term *term

	// known is for the oracle: the contents that the process knows as replaced, and when they were.
	known map[content]int64
	// For the part of a run after the last event.
	tried, renewed int64
}

func newProcess(sys *System, id int32, side int) *process {
	p := &process{sys: sys, id: id, side: side, known: map[content]int64{}, replaced: map[content]int64{}}
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

// wait returns control to the System.
func (p *process) wait() {
	if !p.pause(struct{}{}) {
		panic(pausing{})
	}
}

// next waits for a stimulus and returns it.
func (p *process) next() stimulus {
	p.call = nil
	p.wait()
	return p.stimulus
}

// redis sends a request and waits for the reply. It returns false on an error.
func (p *process) redis(r request) (reply, bool) {
	r.from, r.side, r.lease, r.sent = p.id, p.side, leaseDuration, p.sys.now
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
		sent := p.sys.now
		g, ok := p.redis(request{op: opAcquire, lock: lock{owner: p.id}, highest: max(p.highest, p.epoch)})
		if !ok {
			continue
		}
		p.epoch = max(p.epoch, g.meta.epoch)
		p.observeMeta(g.meta, g.now)
		if g.outcome == outcomeAcquired {
			return g, sent
		}
	}
}

func (p *process) observeMeta(m meta, now int64) {
	if p.sys.without.has(RememberReplaced) {
		clear(p.replaced)
	}
	for _, old := range m.recent {
		if old.etag != m.hash {
			p.addReplaced(old.etag, p.sys.now-max(0, now-old.until))
		}
	}
	p.sys.onRecent(p, m.recent)
	for c := range p.sys.withheld {
		p.known[c] = p.sys.now
	}
	switch {
	case m.rev == 0:
	case m.rev >= p.highest, p.sys.without.has(KeepCurrent):
		p.observeCurrent(m.rev, m.hash)
	case m.hash != p.currentHash && now <= p.highest && !p.sys.without.has(ClockBehind):
		p.disordered = true
	}
}

func (p *process) addReplaced(c content, at int64) {
	if c == none || p.sys.now-at >= recentFor || p.replaced[c] >= at {
		return
	}
	if p.sys.without.has(RememberByTime) && len(p.replaced) >= 8 {
		return
	}
	p.replaced[c] = at
}

func (p *process) wasReplaced(c content) bool {
	at, ok := p.replaced[c]
	return ok && p.sys.now-at < recentFor
}

// lines returns the contents that were replaced last, the latest first, with their ages.
func (p *process) lines() []replaced {
	if p.sys.without.has(TellReplaced) {
		for c := range p.replaced {
			p.sys.withheld[c] = true
		}
		return nil
	}
	var all []replaced
	for c, at := range p.replaced {
		if p.wasReplaced(c) {
			all = append(all, replaced{p.sys.now - at, c})
		}
	}
	slices.SortFunc(all, func(a, b replaced) int { return cmp.Or(cmp.Compare(a.until, b.until), cmp.Compare(a.etag, b.etag)) })
	return all[:min(len(all), 8)]
}

func (p *process) observeCurrent(rev int64, hash content) {
	p.highest, p.currentHash, p.disordered = max(p.highest, rev), hash, false
}

func (p *process) knowsCurrent(c content) bool {
	if p.sys.without.has(RepairCurrentOnly) {
		return c != none
	}
	return c != none && c == p.currentHash && !p.disordered
}
