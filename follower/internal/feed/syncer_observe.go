package feed

import (
	"log/slog"

	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/follower/internal/snapshot"
)

func (s *syncer) onHead(h head) {
	if h.metaErr != nil {
		s.inc(&s.n.RefusedBlobs)
		s.onRefused("The meta hash in Redis was rejected.", h.metaErr)
	}
	s.setLeader(h.epoch, h.meta.Poll)
	if !s.based && s.conn != nil && s.conn.live {
		s.onFirstRead(h)
	}
	s.observe(assertion{epoch: h.meta.Epoch, rev: h.meta.Rev, cdn: h.meta.CDN, hash: h.meta.Hash}, h.meta.Control,
		observation{epoch: h.meta.Epoch, cdn: h.meta.CDN, asked: h.asked, received: h.received, primary: h.primary, locked: h.locked})
}

// observe adds what a message or a read of meta says. seq is that of its control.
func (s *syncer) observe(a assertion, seq int64, o observation) {
	controlled := s.observeControl(a, seq, o.received, o.message || o.primary && o.locked)
	counts := o.message || o.primary
	rev, hash := s.current.Load().RevAndHash()
	holding := s.rebase.items > 0
	s.rebase.add(a, rev, hash, o.received)
	s.outrun = s.note(item{assertion: a, at: o.received, published: o.published, late: s.Timings.Dead, counts: counts, controlled: controlled && counts}) || s.outrun
	if !holding && s.rebase.items > 0 {
		s.inc(&s.n.HoldDowns)
	}
	if s.fresh.observe(o) {
		s.freshHash = a.hash
	}
}

// confirm publishes the last answer from the CDN if it is about the feed's content (I14).
func (s *syncer) confirm() {
	if s.outrun {
		s.outrun = false
		s.offerAgain()
	}
	held := s.current.Load()
	if held == nil || held.Hash != s.freshHash || s.fresh.cdn == 0 {
		return
	}
	next := snapshot.Answer{Hash: held.Hash, CDN: s.fresh.cdn, At: s.fresh.answered, Poll: s.status.Load().Poll}
	if last := s.confirmed.Load(); last == nil || *last != next {
		s.publishAnswer(&next)
	}
}

// mayLower reports whether the rebase rule allows a read with head h to lower the rev. The
// evidence includes the read, so one of another epoch has reset it.
func (s *syncer) mayLower(h head) bool {
	rev, hash := s.current.Load().RevAndHash()
	return s.rebase.due() && h.meta.Rev != 0 && h.meta.Rev < rev && h.meta.Hash != hash
}

func (s *syncer) onRebase(h head, next *snapshot.Snapshot) {
	s.inc(&s.n.Rebases)
	rev, _ := s.current.Load().RevAndHash()
	s.log.Warn(eventid.Rebase, "Redis lost its data and its clock is behind: the rebase rule lowered the rev to that of the config in Redis.",
		slog.Int64("from", rev), slog.Int64("to", next.Rev), slog.Int64("epoch", h.meta.Epoch))
	s.rebase = rebase{}
	s.want = want{}
	s.fresh.restart(observation{epoch: h.meta.Epoch, cdn: h.meta.CDN, asked: h.asked, received: h.received})
	s.freshHash = h.meta.Hash
	s.control = statedControl{seq: s.control.seq}
	s.observeControl(assertion{epoch: h.meta.Epoch, rev: h.meta.Rev}, h.meta.Control, h.received, true)
}
