package model

// The meanings of Arg in ms: waits for Wait, steps for Step, skews for SDK.
var (
	waits = []int64{1, 100, 1000, 1000, 3000, 3000, 5000, 10_000, 16_000, 31_000, 56_000, 130_000}
	steps = []int64{3_600_000, -3_600_000, 60_000, -60_000, 2000, -2000, -5, 0}
	skews = []int64{0, 0, -1000, 1000, -3_600_000, 3_600_000, 30_000, -30_000}
)

// Do executes an event.
func (sys *System) Do(e Event) {
	p, f := sys.leaders[int(e.Who)%processes], sys.followers[int(e.Who)%readers]
	arg := int(e.Arg)
	sys.now++ // two events in the same millisecond are left out
	switch e.Kind {
	case Wait:
		sys.now += waits[arg%len(waits)]
	case Campaign:
		p.wake(toCampaign)
	case Renew:
		p.wake(toRenew)
	case Poll:
		p.wake(toPoll)
	case Answer:
		sys.answer(p, arg%8 == 7)
	case Lag:
		sys.lag(p, arg)
	case Take:
		p.wake(toReceive)
	case Lead:
		sys.lead(p)
	case Ask:
		p.wake(toPoll)
		sys.answer(p, false)
		p.wake(toReceive)
	case Mislead:
		p.wake(toPoll)
		sys.lag(p, arg)
		p.wake(toReceive)
	case Resign, Crash, Exchange, Late:
		sys.disturb(e, p, arg)
	case Hear, Reorder, Repeat, Lose, Garble:
		sys.message(e, f, arg)
	case Cut, Connect, Reread, Read, Advance, Restart:
		sys.follow(e, f, arg)
	case Fetch, Stray:
		f.fetch(e.Kind == Stray, arg)
	case Publish:
		sys.publish()
	case RollBack:
		sys.cdn = append(sys.cdn, publication{sys.cdn[arg%len(sys.cdn)].content, sys.now})
	case Outage:
		sys.down = !sys.down
	case Burst:
		for range 1 + arg%12 {
			sys.now += 1000 // there is at most one fetch per second
			sys.publish()
			sys.lead(p)
		}
	case Withhold:
		sys.publish()
		full := sys.full
		sys.full = true
		sys.lead(p)
		sys.full = full
	case Stranger:
		sys.strangerDoes(arg)
	default:
		sys.fault(e, arg)
	}
	sys.checkTerms()
}

func (sys *System) answer(p *process, fail bool) {
	if sys.down || fail {
		p.fail()
		return
	}
	p.answer(sys.current())
}

// lead lets the process win the election and poll, without faults.
func (sys *System) lead(p *process) {
	p.wake(toCampaign)
	p.wake(toPoll)
	sys.answer(p, false)
	p.wake(toReceive)
	for p.call != nil {
		p.settle(good)
	}
}

func (sys *System) disturb(e Event, p *process, arg int) {
	i := int(e.Who) % processes
	switch e.Kind {
	case Resign:
		p.wake(toStop)
		for p.call != nil {
			p.settle(good)
		}
		p.end()
		sys.leaders[i] = sys.start(sys.primary)
	case Crash:
		if p.call != nil && arg%2 == 1 {
			p.settle(delayed)
		}
		p.end()
		sys.leaders[i] = sys.start(sys.primary)
	case Exchange:
		p.settle(exchange(arg) % exchangeEnd)
	case Late:
		if len(sys.late) > 0 {
			at := arg % len(sys.late)
			r := sys.late[at]
			sys.late = append(sys.late[:at:at], sys.late[at+1:]...)
			_, _ = sys.execute(r)
		}
	}
}

func (sys *System) message(e Event, f *reader, arg int) {
	if len(f.queue) == 0 {
		return
	}
	at := arg % len(f.queue)
	switch e.Kind {
	case Hear:
		f.deliver(0)
	case Reorder:
		f.deliver(at)
	case Repeat:
		f.hear(f.queue[at], f.queue[at].at)
	case Lose:
		f.queue = append(f.queue[:at:at], f.queue[at+1:]...)
	case Garble:
		f.queue[at].body = garbage
		if arg > 7 {
			f.queue[at].body = sys.cdn[arg%len(sys.cdn)].content
		}
	}
}

func (sys *System) follow(e Event, f *reader, arg int) {
	if e.Kind != Restart {
		f.replica = arg%4 == 3
	}
	switch e.Kind {
	case Cut:
		f.cut()
	case Connect:
		if !f.subscribed {
			f.connect()
		}
	case Reread:
		f.start(onReread)
	case Read:
		if f.content {
			f.start(onContent)
		}
	case Advance:
		if f.reading {
			f.failed = arg%16 == 15
			f.resume()
			f.failed = false
		}
	case Restart:
		f.end()
		sys.followers[int(e.Who)%readers] = newReader(sys, sys.primary)
	}
}
