package model

// waits and steps are what Arg means for Wait and Step, in ms.
var (
	waits = []int64{1, 100, 1000, 1000, 3000, 3000, 5000, 10_000, 16_000, 31_000, 56_000, 130_000}
	steps = []int64{3_600_000, -3_600_000, 60_000, -60_000, 2000, -2000, -5, 0}
	skews = []int64{0, 0, -1000, 1000, -3_600_000, 3_600_000, 30_000, -30_000}
)

// Do lets an event happen.
func (w *World) Do(e Event) {
	p, f := w.leaders[int(e.Who)%processes], w.followers[int(e.Who)%readers]
	arg := int(e.Arg)
	w.now++ // that two things happen in one millisecond is left out
	switch e.Kind {
	case Wait:
		w.now += waits[arg%len(waits)]
	case Campaign:
		p.wake(toCampaign)
	case Renew:
		p.wake(toRenew)
	case Poll:
		p.wake(toPoll)
	case Answer:
		w.answer(p, arg%8 == 7)
	case Lag:
		w.lag(p, arg)
	case Take:
		p.wake(toTake)
	case Lead:
		w.lead(p)
	case Ask:
		p.wake(toPoll)
		w.answer(p, false)
		p.wake(toTake)
	case Mislead:
		p.wake(toPoll)
		w.lag(p, arg)
		p.wake(toTake)
	case Resign, Crash, Exchange, Late:
		w.disturb(e, p, arg)
	case Hear, Reorder, Repeat, Lose, Garble:
		w.message(e, f, arg)
	case Cut, Connect, Reread, Read, Advance, Restart:
		w.follow(e, f, arg)
	case Fetch, Stray:
		f.fetch(e.Kind == Stray, arg)
	case Publish:
		w.publish()
	case RollBack:
		w.cdn = append(w.cdn, publication{w.cdn[arg%len(w.cdn)].content, w.now})
	case Outage:
		w.down = !w.down
	case Burst:
		for range 1 + arg%12 {
			w.now += 1000 // there is at most one fetch a second
			w.publish()
			w.lead(p)
		}
	case Withhold:
		w.publish()
		full := w.full
		w.full = true
		w.lead(p)
		w.full = full
	case Stranger:
		w.strangerDoes(arg)
	default:
		w.spoil(e, arg)
	}
	w.checkTerms()
}

func (w *World) answer(p *process, fail bool) {
	if w.down || fail {
		p.fail()
		return
	}
	p.answer(w.current())
}

// lead lets one process be elected and poll without any fault.
func (w *World) lead(p *process) {
	p.wake(toCampaign)
	p.wake(toPoll)
	w.answer(p, false)
	p.wake(toTake)
	for p.call != nil {
		p.settle(good)
	}
}

func (w *World) disturb(e Event, p *process, arg int) {
	i := int(e.Who) % processes
	switch e.Kind {
	case Resign:
		p.wake(toStop)
		for p.call != nil {
			p.settle(good)
		}
		p.end()
		w.leaders[i] = w.start(w.primary)
	case Crash:
		if p.call != nil && arg%2 == 1 {
			p.settle(delayed)
		}
		p.end()
		w.leaders[i] = w.start(w.primary)
	case Exchange:
		p.settle(exchange(arg) % exchangeEnd)
	case Late:
		if len(w.late) > 0 {
			at := arg % len(w.late)
			r := w.late[at]
			w.late = append(w.late[:at:at], w.late[at+1:]...)
			_, _ = w.execute(r)
		}
	}
}

func (w *World) message(e Event, f *reader, arg int) {
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
			f.queue[at].body = w.cdn[arg%len(w.cdn)].content
		}
	}
}

func (w *World) follow(e Event, f *reader, arg int) {
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
		w.followers[int(e.Who)%readers] = newReader(w, w.primary)
	}
}
