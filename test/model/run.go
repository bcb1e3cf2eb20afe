package model

// bound is the time within which all followers hold the same content once faults stop (I8): a
// dead leader's lock expires, the next polls follow, and if the rebase rule applies, 30 s and
// a poll more; or a follower that receives no message reads meta.
const bound = longLock*leaseDuration + retryPeriod + pollInterval + metaReread + rebaseSpan + 2*pollInterval

// Run executes events on a new System, then ends all faults and waits until all followers hold
// the current content. It returns the first violation and the number of events before it.
func Run(events []Event, without Guard) (*Violation, int) {
	sys := New(without)
	defer sys.Close()
	for i, e := range events {
		if sys.Do(e); sys.violated != nil {
			return sys.violated, i + 1
		}
	}
	sys.converge()
	return sys.violated, len(events)
}

// converge ends all faults, lets time pass and checks I8.
func (sys *System) converge() {
	sys.rejoin()
	sys.down, sys.full = false, false
	for len(sys.late) > 0 && sys.violated == nil {
		r := sys.late[0]
		sys.late = sys.late[1:]
		_, _ = sys.execute(r)
	}
	for i := range sys.servers {
		sys.servers[i].history = nil
	}
	for _, p := range sys.leaders {
		p.tried, p.renewed = sys.now, sys.now
	}
	for _, f := range sys.followers {
		f.reread = sys.now
	}
	for end := sys.now + bound; sys.now < end && sys.violated == nil; sys.now += 1000 {
		for _, p := range sys.leaders {
			sys.act(p)
		}
		for _, f := range sys.followers {
			sys.listen(f)
		}
		if sys.converged() {
			return
		}
	}
	if sys.violated == nil {
		for i, f := range sys.followers {
			if f.held.hash != sys.current() || f.own.served != sys.current() {
				sys.fail("I8", "follower %d holds content %d at rev %d, serves %d and not %d after %d s", i, f.held.hash, f.held.rev, f.own.served, sys.current(), bound/1000)
			}
		}
	}
}

func (sys *System) converged() bool {
	for _, f := range sys.followers {
		if f.held.hash != sys.current() || f.own.served != sys.current() || f.content {
			return false
		}
	}
	return sys.servers[sys.primary].meta.hash == sys.current()
}

// act makes a leader do what is due.
func (sys *System) act(p *process) {
	for p.call != nil {
		p.settle(good)
	}
	switch {
	case p.term == nil && sys.now-p.tried >= retryPeriod:
		p.tried = sys.now
		p.wake(toCampaign)
	case p.term != nil && p.term.fetch.running:
		sys.answer(p, false)
		p.wake(toReceive)
	case p.term != nil && sys.now >= p.term.pollAt:
		p.wake(toPoll)
		sys.answer(p, false)
		p.wake(toReceive)
	case p.term != nil && sys.now-p.renewed >= renewInterval:
		p.renewed = sys.now
		p.wake(toRenew)
	}
	for p.call != nil {
		p.settle(good)
	}
}

// listen makes a follower do what is due.
func (sys *System) listen(f *reader) {
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
	if sys.now-f.reread >= metaReread && !sys.without.has(ReadMetaAgain) {
		f.start(onReread)
	}
	for f.reading {
		f.resume()
	}
}
