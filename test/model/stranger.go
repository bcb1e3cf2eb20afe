package model

// ownContents is where the numbers of another fleet's contents begin.
const ownContents content = 1_000_000

// What another fleet does in one event.
const (
	strangerCommits = iota
	strangerRenews
	strangerResigns
	strangerRefreshes // asks its leader for a poll
	strangerActs      // how many there are
)

// stranger is another fleet with the same SDK key, in another database or namespace of the
// same Redis. Its keys are its own, its leader runs the same scripts, and its CDN serves
// content that this fleet's CDN never serves.
type stranger struct {
	store
	rev     int64
	content content
}

// strangerDoes lets the other fleet act and publish.
func (w *World) strangerDoes(arg int) {
	s := &w.stranger
	now := w.now + w.servers[w.primary].offset
	l := s.run(now, &request{op: opAcquire, lock: lock{owner: 1}, expiry: lockExpiry}, 0).lock
	r := request{op: opRenew, lock: l, base: s.rev, expiry: lockExpiry, latest: now, hash: s.content, inline: arg%2 == 0}
	switch arg / 2 % strangerActs {
	case strangerCommits:
		r.op, r.hash = opCommit, max(s.content, ownContents)+1
	case strangerResigns:
		r.op = opRelease
	case strangerRefreshes:
		w.strangerPublishes(message{kind: refresh, now: now})
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
	w.strangerPublishes(answer.message)
}

// strangerPublishes delivers a message of the other fleet to all that hear its channel.
// Pub/Sub knows no databases: it is the channel's name that keeps this fleet from hearing it.
func (w *World) strangerPublishes(m message) {
	if !w.without.has(ChannelNamesFleet) {
		return
	}
	for _, f := range w.followers {
		if f.subscribed && f.side == w.primary {
			f.hear(m, w.now)
		}
	}
	for _, p := range w.leaders {
		if p.side == w.primary {
			w.onHint(p, m)
		}
	}
}

// onHint is the function elector.onMessage for a message of another fleet: its refresh
// request makes the leader poll, its resignation makes a candidate try. No fleet may do
// that to another.
func (w *World) onHint(p *process, m message) {
	switch leads := p.term != nil; {
	case m.kind == refresh && leads:
		w.fail("names", "process %d polls because another fleet asked for it", p.id)
	case m.kind == resign && !leads:
		w.fail("names", "process %d tries to get the lock because another fleet's leader resigned", p.id)
	}
}
