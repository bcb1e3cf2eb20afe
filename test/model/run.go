package model

// bound is within what time all followers hold the same once faults stop (I8): a dead
// leader's lock runs out, the next polls, and where rule 6 applies 30 s and a poll more;
// or a follower that hears nothing reads meta.
const bound = longLock*lockExpiry + retry + pollInterval + metaReread + rebaseSpan + 2*pollInterval

// Run lets events happen to a new world, then lets all go well and wants everybody to
// have the same. It gives the first violation, and after how many events it was found.
func Run(events []Event, without Guard) (*Violation, int) {
	w := New(without)
	defer w.Close()
	for i, e := range events {
		if w.Do(e); w.violated != nil {
			return w.violated, i + 1
		}
	}
	w.converge()
	return w.violated, len(events)
}

// converge lets time pass without any more faults.
func (w *World) converge() {
	w.heal()
	w.down, w.full = false, false
	for len(w.late) > 0 && w.violated == nil {
		r := w.late[0]
		w.late = w.late[1:]
		_, _ = w.execute(r)
	}
	for i := range w.servers {
		w.servers[i].history = nil
	}
	for _, p := range w.leaders {
		p.tried, p.renewed = w.now, w.now
	}
	for _, f := range w.followers {
		f.reread = w.now
	}
	for end := w.now + bound; w.now < end && w.violated == nil; w.now += 1000 {
		for _, p := range w.leaders {
			w.act(p)
		}
		for _, f := range w.followers {
			w.listen(f)
		}
		if w.converged() {
			return
		}
	}
	if w.violated == nil {
		for i, f := range w.followers {
			if f.held.hash != w.current() || f.own.served != w.current() {
				w.fail("I8", "follower %d holds content %d at rev %d, serves %d and not %d after %d s", i, f.held.hash, f.held.rev, f.own.served, w.current(), bound/1000)
			}
		}
	}
}

func (w *World) converged() bool {
	for _, f := range w.followers {
		if f.held.hash != w.current() || f.own.served != w.current() || f.content {
			return false
		}
	}
	return w.servers[w.primary].meta.hash == w.current()
}

// act lets a leader do what is due.
func (w *World) act(p *process) {
	for p.call != nil {
		p.settle(good)
	}
	switch {
	case p.term == nil && w.now-p.tried >= retry:
		p.tried = w.now
		p.wake(toCampaign)
	case p.term != nil && p.term.fetch.running:
		w.answer(p, false)
		p.wake(toTake)
	case p.term != nil && w.now >= p.term.pollAt:
		p.wake(toPoll)
		w.answer(p, false)
		p.wake(toTake)
	case p.term != nil && w.now-p.renewed >= renewal:
		p.renewed = w.now
		p.wake(toRenew)
	}
	for p.call != nil {
		p.settle(good)
	}
}

// listen lets a follower do what is due.
func (w *World) listen(f *reader) {
	f.replica = false
	for f.reading {
		f.resume()
	}
	if !f.subscribed {
		f.connect()
	}
	for len(f.queue) > 0 {
		f.deliver(0)
	}
	for f.reading {
		f.resume()
	}
	if f.content {
		f.start(onContent)
	}
	if w.now-f.reread >= metaReread && !w.without.has(ReadMetaAgain) {
		f.start(onReread)
	}
	for f.reading {
		f.resume()
	}
}
