package model

import "slices"

// exchange is the outcome of a leader's request to Redis.
type exchange uint8

const (
	good        exchange = iota
	refused              // the request is lost; the leader gets an error
	unanswered           // it is executed; the leader gets an error
	delayed              // the leader gets an error; the request arrives later
	executed             // it is executed; the reply is in flight
	twice                // it is executed twice
	exchangeEnd          // the number of outcomes
)

// settle determines the outcome of the request that a leader waits for.
func (p *process) settle(how exchange) {
	r := p.call
	if r == nil {
		return
	}
	ok := true
	run := func() {
		if !p.executed {
			p.reply, ok = p.sys.execute(r)
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
		if !p.executed && len(p.sys.late) < lateLimit {
			p.sys.late = append(p.sys.late, r)
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
			_, _ = p.sys.execute(&again)
		}
	}
	p.failed = !ok
	p.resume()
}

// wake settles the requests of the leader without faults, and then resumes it with s.
func (p *process) wake(s stimulus) {
	for p.call != nil {
		p.settle(good)
	}
	if leads := p.term != nil; leads == (s == toCampaign) {
		return
	}
	if p.term != nil && p.term.fetch.done && s != toReceive && s != toStop {
		p.stimulus = toReceive // a pending answer is handled first
		p.resume()
		return
	}
	p.stimulus = s
	p.resume()
}

// answer completes the leader's fetch with c.
func (p *process) answer(c content) {
	if p.term == nil || !p.term.fetch.running || p.term.fetch.done {
		return
	}
	f := &p.term.fetch
	if p.sys.split {
		f.sent = p.sys.now // overlapping requests of two leaders have no order
	}
	f.done = true
	f.body = c
	f.modified = f.body != f.etag
	p.sys.onAnswer(p, f.body)
}

func (p *process) fail() {
	if p.term != nil && p.term.fetch.running && !p.term.fetch.done {
		p.term.fetch.done, p.term.fetch.failed = true, true
	}
}

// start lets the follower finish its read and then resumes it with j.
func (f *reader) start(j job) {
	for f.reading {
		f.failed = false
		f.resume()
	}
	f.job = j
	f.resume()
}

// deliver delivers the message at i in the queue. A message that is older than the time after
// which a silent connection is given up ends the connection instead.
func (f *reader) deliver(i int) {
	m := f.queue[i]
	f.queue = slices.Delete(f.queue, i, i+1)
	if f.sys.now-m.at > dead {
		f.cut()
		return
	}
	f.message = m
	f.start(onMessage)
}

// connect subscribes and reads.
func (f *reader) connect() {
	f.cut()
	f.subscribed, f.stated = true, false
	f.rebase = rebase{}
	f.own.named, f.own.entry = rebase{}, rebase{}
	f.start(onOpened)
}

// cut ends the subscription. Messages in flight are lost, and a running read fails.
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
