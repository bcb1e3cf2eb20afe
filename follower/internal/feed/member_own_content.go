package feed

import "github.com/catbridge/catbridge/follower/internal/snapshot"

// The caller of these methods holds members.mu.

// note adds an item, and reports whether its content may now replace what the client fetched
// itself.
func (m *Member) note(i item, clock *redisClock) bool {
	held := m.holder.Current()
	if m.own == nil || held == nil || i.rev == 0 || i.at.Before(m.own.asked) || !m.own.isOlderThan(i, clock) {
		return false
	}
	if i.hash == held.Hash {
		if !i.entry { // an SDK's entry says nothing about the leader's content
			m.own = nil
		}
		return false
	}
	m.own.later = i.hash
	return true
}

// offer puts content in force if it supersedes the content in force, or if back is set, and
// reports whether it did. Content that the client fetched itself is not ordered by revs.
func (m *Member) offer(next *snapshot.Snapshot, back bool) bool {
	held := m.holder.Current()
	switch {
	case next == nil:
		return false
	case m.mustWait(next):
		return false
	case m.own != nil:
		if next.Rev < held.Rev && !back {
			m.rebases.Add(1)
		}
	case !back && !next.Supersedes(held):
		return false
	}
	if m.own != nil && next.Hash == held.Hash {
		// The rev is adopted, but other content must still wait, even at a higher rev: the
		// leader may have fetched it before the CDN went back to the content in force.
		m.own.later, m.own.heldBack, m.own.logged = "", false, false
	} else {
		m.own = nil
	}
	m.holder.Put(next)
	return true
}

// mustWait reports whether content must wait because the client fetched other content itself,
// and counts that once.
func (m *Member) mustWait(next *snapshot.Snapshot) bool {
	held := m.holder.Current()
	if m.own == nil || held == nil || next.Hash == m.own.later {
		return false
	}
	if next.Hash == held.Hash {
		return next.Rev < held.Rev
	}
	if !m.own.heldBack {
		m.own.heldBack = true
		m.waits.Add(1)
	}
	return true
}

func (m *Member) mayReplaceOwn(next *snapshot.Snapshot) bool {
	return next != nil && m.own != nil && next.Hash == m.own.later
}

// forget drops the evidence: a new connection may lead to another server.
func (m *Member) forget() {
	if m.own != nil {
		m.own.named, m.own.entry = rebase{}, rebase{}
	}
}

func (m *Member) isWaiting() bool { return m.own != nil && m.own.heldBack }

// startsWaiting reports whether other content waits, once for each wait.
func (m *Member) startsWaiting() bool {
	if !m.isWaiting() || m.own.logged {
		return false
	}
	m.own.logged = true
	return true
}

// setOwn records that the client itself fetched the content in force.
func (m *Member) setOwn(o *own) {
	if was := m.own; was != nil {
		o.heldBack, o.logged = was.heldBack, was.logged
	}
	m.own = o
}
