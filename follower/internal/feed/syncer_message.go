package feed

import (
	"time"

	"github.com/catbridge/catbridge/follower/internal/snapshot"
	"github.com/catbridge/catbridge/internal/wire"
)

// want is content that was announced and is not in force yet.
type want struct {
	rev   int64
	hash  string
	tries int       // reads that did not return it
	since time.Time // when content newer than that in force was first announced
}

func (s *syncer) onMessage(m wire.Message, at time.Time) {
	if m.Renew != 0 {
		s.renew = m.Renew
	}
	if m.Type != wire.Resign {
		s.lastHeartbeat, s.undelivered = at, 0
		s.silence.set(s.silent() - time.Since(at))
		s.setState(Live)
	}
	s.setLeader(m.Epoch, m.Poll)
	s.highWater.rev, s.highWater.cdn = max(s.highWater.rev, m.Rev), max(s.highWater.cdn, m.CDN)
	s.highWater.epoch = max(s.highWater.epoch, m.Epoch)
	if m.Rev == 0 {
		return // the leader is alive, and has no content yet
	}
	s.windows.observe(m)
	s.observe(assertion{epoch: m.Epoch, rev: m.Rev, cdn: m.CDN, hash: m.Hash}, m.Control,
		observation{epoch: m.Epoch, cdn: m.CDN, asked: at, received: at, message: true, published: m.Now})

	rev, hash := s.current.Load().RevAndHash()
	switch {
	case m.Rev > rev && m.Hash == hash:
		s.move(m.Rev, "")
	case m.Rev > rev:
		s.onAnnounced(m, at)
	case m.Rev == rev && m.Hash != hash:
		s.onAnomaly(m.Rev, m.Hash)
	case s.rebase.due():
		s.content.within(upTo(s.windows.spread))
	}
	s.confirm()
}

// onAnnounced puts newer content in force if the message contains it, or how it differs from the
// content in force. Otherwise it schedules a
// read at a random time within the spread window.
func (s *syncer) onAnnounced(m wire.Message, at time.Time) {
	if s.noConfig.has(m.Hash) {
		return // it is known to be invalid
	}
	if s.want.since.IsZero() {
		s.want.since = at
	}
	if blob, ok := m.Blob(); ok && s.takeInline(blob, m.ETag) {
		return
	}
	if s.takePatch(m) {
		return
	}
	if s.want.hash != m.Hash {
		s.want = want{rev: m.Rev, hash: m.Hash, since: s.want.since}
	}
	s.want.rev = max(s.want.rev, m.Rev)
	// A scheduled read stays where it is: a new random time for each of many changes would
	// move all followers' reads to the start of the window.
	if !s.content.on && s.want.tries < LagTries {
		s.scheduleRead()
	}
}

func (s *syncer) takeInline(blob wire.Blob, etag string) bool {
	next, err := s.prepare(snapshot.Candidate{
		Rev: blob.Rev, Hash: blob.Hash, ETag: etag, Source: snapshot.SourceMessage, Stored: blob, JSON: blob.JSON,
	}, false)
	if err != nil || next == nil {
		return false
	}
	s.inc(&s.n.Inline)
	s.apply(next)
	return true
}
