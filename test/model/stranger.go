package model

// ownContents is the first number of another fleet's contents.
const ownContents content = 1_000_000

// The actions of another fleet.
const (
	strangerCommits = iota
	strangerRenews
	strangerResigns
	strangerRefreshes // requests a poll of its leader
	strangerActs      // the number of actions
)

// stranger is another fleet with the same SDK key, in another database or namespace of the
// same Redis. Its keys are its own, its leader runs the same scripts, and its CDN serves
// content that this fleet's CDN never serves.
type stranger struct {
	store
	rev     int64
	content content
}

// strangerDoes makes the other fleet act and publish.
func (sys *System) strangerDoes(arg int) {
	s := &sys.stranger
	now := sys.now + sys.servers[sys.primary].offset
	l := s.run(now, &request{op: opAcquire, lock: lock{owner: 1}, lease: leaseDuration}, 0).lock
	r := request{op: opRenew, lock: l, base: s.rev, lease: leaseDuration, latest: now, hash: s.content, inline: arg%2 == 0}
	switch arg / 2 % strangerActs {
	case strangerCommits:
		r.op, r.hash = opCommit, max(s.content, ownContents)+1
	case strangerResigns:
		r.op = opRelease
	case strangerRefreshes:
		sys.strangerPublishes(message{kind: refresh, now: now})
		return
	}
	answer := s.run(now, &r, 0)
	if r.op == opCommit {
		s.content = r.hash
	}
	if r.op != opRelease {
		s.rev = answer.rev
	}
	answer.message.now = now
	sys.strangerPublishes(answer.message)
}

// strangerPublishes delivers a message of the other fleet to this fleet if both use the same
// channel. Pub/Sub ignores databases; only the channel's name separates the fleets.
func (sys *System) strangerPublishes(m message) {
	if !sys.without.has(ChannelNamesFleet) {
		return
	}
	for _, f := range sys.followers {
		if f.subscribed && f.side == sys.primary {
			f.hear(m, sys.now)
		}
	}
	for _, p := range sys.leaders {
		if p.side == sys.primary {
			sys.onHint(p, m)
		}
	}
}

// onHint is elector.onMessage for a message of another fleet. A refresh request would make the
// leader poll, and a resignation would wake a candidate. Another fleet must not cause that.
func (sys *System) onHint(p *process, m message) {
	switch leads := p.term != nil; {
	case m.kind == refresh && leads:
		sys.fail("names", "process %d polls at the request of another fleet", p.id)
	case m.kind == resign && !leads:
		sys.fail("names", "process %d tries to acquire the lock because another fleet's leader resigned", p.id)
	}
}
