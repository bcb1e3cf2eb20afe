package model

import "slices"

// How an exchange between a leader and Redis goes.
type exchange uint8

const (
	good        exchange = iota
	refused              // the request is lost, the leader gets an error
	unanswered           // it is executed, the leader gets an error
	delayed              // the leader gets an error, and it arrives later
	executed             // it is executed, the reply is still on its way
	twice                // it is executed twice
	exchangeEnd          // how many there are
)

// settle decides what comes of the request that a leader waits for.
func (p *process) settle(how exchange) {
	r := p.call
	if r == nil {
		return
	}
	ok := true
	run := func() {
		if !p.executed {
			p.reply, ok = p.w.execute(r)
			p.executed = true
		}
	}
	switch how {
	case good:
		run()
	case refused:
		ok = p.executed && false
	case unanswered:
		run()
		ok = false
	case delayed:
		if !p.executed && len(p.w.late) < lateLimit {
			p.w.late = append(p.w.late, r)
		}
		ok = false
	case executed:
		run()
		if ok {
			return
		}
	case twice:
		run()
		if ok {
			again := *r
			_, _ = p.w.execute(&again)
		}
	}
	p.failed = !ok
	p.resume()
}

// wake finishes what a leader waits for, as if there were no faults, and gives it
// something to do.
func (p *process) wake(s stimulus) {
	for p.call != nil {
		p.settle(good)
	}
	if leads := p.term != nil; leads == (s == toCampaign) {
		return
	}
	if p.term != nil && p.term.fetch.done && s != toTake && s != toStop {
		p.stimulus = toTake // it is not left lying
		p.resume()
		return
	}
	p.stimulus = s
	p.resume()
}

// answer is what the CDN, or an edge of it, says to the leader's fetch.
func (p *process) answer(c content) {
	if p.term == nil || !p.term.fetch.running || p.term.fetch.done {
		return
	}
	f := &p.term.fetch
	if p.w.split {
		f.sent = p.w.now // nothing orders requests of two leaders that overlap
	}
	f.done = true
	f.body = c
	f.modified = f.body != f.etag
	p.w.onAnswer(p, f.body)
}

func (p *process) fail() {
	if p.term != nil && p.term.fetch.running && !p.term.fetch.done {
		p.term.fetch.done, p.term.fetch.failed = true, true
	}
}

// do finishes what a follower waits for and gives it something to do.
func (f *reader) start(j job) {
	for f.reading {
		f.failed = false
		f.resume()
	}
	f.job = j
	f.resume()
}

// A message comes at once or within the time after which a silent connection is given up.
func (f *reader) deliver(i int) {
	m := f.queue[i]
	f.queue = slices.Delete(f.queue, i, i+1)
	if f.w.now-m.at > dead {
		f.cut()
		return
	}
	f.message = m
	f.start(onMessage)
}

// connect subscribes and reads.
func (f *reader) connect() {
	f.cut()
	f.subscribed = true
	f.rebase = rebase{}
	f.own.named, f.own.entry = rebase{}, rebase{}
	f.start(onOpened)
}

// cut ends the subscription; what is on its way is lost. A read that is under way fails.
func (f *reader) cut() {
	f.subscribed, f.queue = false, nil
	if f.reading {
		f.failed = true
		for f.reading {
			f.resume()
		}
		f.failed = false
	}
}
