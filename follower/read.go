package follower

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/catbridge/catbridge/internal/eventlog"
)

const (
	// readsAtOnce is how often the content is read again when it changed between the
	// reads of blob and meta.
	readsAtOnce = 3
	// A replica that is behind is read again after lagFirst, twice that, … lagMost; after
	// primaryAfter tries the primary is asked; after lagTries (about 7 s) the next
	// message or re-read of meta has to begin anew.
	lagFirst     = 50 * time.Millisecond
	lagMost      = time.Second
	primaryAfter = 3
	lagTries     = 10
	// awaitedReread is after how long a feed that does not listen reads again what is current
	// while a client waits for evidence.
	awaitedReread = 10 * time.Second
)

// sync brings the follower up to date: by a read of the content, or, where content is
// held, by asking first which one is current.
func (s *syncer) sync(ctx context.Context) (head, error) {
	defer s.markSynced()
	if s.current.Load() != nil {
		return s.readHead(ctx, anyNode)
	}
	return s.readAll(ctx)
}

// readHead asks which content is current, and reads it if it is newer.
func (s *syncer) readHead(ctx context.Context, from node) (head, error) {
	s.inc(&s.n.HeadReads)
	h, err := s.store.readHead(s.readContext(ctx), from)
	if err != nil {
		return h, s.readFailed(ctx, err, s.reread)
	}
	s.readWorked()
	s.onHead(h)
	rev, hash := s.current.Load().place()
	switch {
	case h.meta.Rev > rev && h.meta.Hash == hash:
		s.move(h.meta.Rev, h.meta.ETag)
	case h.meta.Rev > rev && s.noConfig.has(h.meta.Hash):
	case h.meta.Rev > rev && rev != 0 && s.spread > 0:
		s.content.within(upTo(s.spread)) // many may come back at this moment
		return h, nil
	case h.meta.Rev > rev:
		return s.readAll(ctx)
	case h.meta.Rev != 0 && h.meta.Rev == rev && h.meta.Hash != hash:
		s.onAnomaly(h.meta.Rev, h.meta.Hash)
	case s.rebase.due():
		s.content.within(upTo(s.spread))
	}
	s.confirm()
	// A cache that only official SDKs fill has an entry and nothing else.
	if !h.locked && (!s.listen || time.Since(s.entryRead) >= s.timings.MetaReread/2) {
		next, err := s.fromEntry(ctx, from, h.meta.Rev, s.reread)
		if err != nil {
			return h, err
		}
		s.apply(next)
		s.confirm()
	}
	s.readSoon(h)
	return h, nil
}

// readContent reads the content and puts it in force if it is newer. It gives an
// error if Redis does not answer, or names content that could not be had.
func (s *syncer) readContent(ctx context.Context) error {
	_, err := s.readAll(ctx)
	return err
}

func (s *syncer) readAll(ctx context.Context) (head, error) {
	s.content.off()
	from := anyNode
	if s.want.tries >= primaryAfter || s.rebase.due() {
		from = primary
	}
	var r reading
	for range readsAtOnce {
		s.inc(&s.n.Reads)
		var err error
		if r, err = s.store.readAll(s.readContext(ctx), from); err != nil {
			return r.head, s.readFailed(ctx, err, s.content)
		}
		if r.blob.Rev == 0 || r.blob.Rev > r.meta.Rev || r.blob.Hash == r.meta.Hash {
			break
		}
	}
	s.readWorked()
	s.onHead(r.head)

	lower := s.mayLower(r.head)
	next, blobErr := s.fromBlob(r, lower)
	if blobErr != nil || !r.locked {
		other, err := s.fromEntry(ctx, from, r.meta.Rev, s.content)
		if err != nil {
			return r.head, err
		}
		if other != nil && (next == nil || other.rev > next.rev) {
			next, lower = other, false
		}
	}
	if lower && next != nil {
		s.onRebase(r.head, next)
	}
	s.apply(next)
	s.confirm()
	s.readSoon(r.head)
	s.onStaleRead(r.head)
	if rev, _ := s.current.Load().place(); r.meta.Rev > rev {
		return r.head, fmt.Errorf("follower: the content that Redis names cannot be had: %w", blobErr)
	}
	return r.head, nil
}

// onHead takes in what a read says about which content is current.
func (s *syncer) onHead(h head) {
	if h.metaErr != nil {
		s.inc(&s.n.RefusedBlobs)
		s.onRefused("The bridge's note of what is current was refused.", h.metaErr)
	}
	s.setLeader(h.epoch, h.meta.Poll)
	if !s.based && s.conn != nil && s.conn.live {
		s.onBased(h)
	}
	s.observe(assertion{epoch: h.meta.Epoch, rev: h.meta.Rev, cdn: h.meta.CDN, hash: h.meta.Hash},
		observation{epoch: h.meta.Epoch, cdn: h.meta.CDN, asked: h.asked, received: h.received, primary: h.primary})
}

// observe takes in an item of evidence for rule 6 and for freshness.
func (s *syncer) observe(a assertion, o observation) {
	rev, hash := s.current.Load().place()
	holding := s.rebase.items > 0
	s.rebase.add(a, rev, hash, o.received)
	s.outrun = s.note(item{assertion: a, at: o.received, published: o.published, late: s.timings.Dead, counts: o.message || o.primary}) || s.outrun
	if !holding && s.rebase.items > 0 {
		s.inc(&s.n.HoldDowns)
	}
	if s.fresh.observe(o) {
		s.freshHash = a.hash
	}
}

// confirm publishes the last answer from the CDN if it is about the content in force (I14).
func (s *syncer) confirm() {
	if s.outrun {
		s.outrun = false
		s.offerAgain()
	}
	held := s.current.Load()
	if held == nil || held.hash != s.freshHash || s.fresh.cdn == 0 {
		return
	}
	next := answer{hash: held.hash, cdn: s.fresh.cdn, at: s.fresh.answered, poll: s.status.Load().poll}
	if last := s.confirmed.Load(); last == nil || *last != next {
		s.publishAnswer(&next)
	}
}

// readSoon has what is current read again soon where content of a leader that is alive waits
// for evidence and no message will bring it.
func (s *syncer) readSoon(h head) {
	if !s.listen && h.locked && s.isAwaited() {
		s.reread.within(awaitedReread)
	}
}

// onStaleRead goes on trying when a read did not give what was announced.
func (s *syncer) onStaleRead(h head) {
	if s.want.rev == 0 || s.noConfig.has(s.want.hash) {
		s.want = want{}
		return
	}
	if h.meta.Rev < s.want.rev {
		s.inc(&s.n.LaggingReads)
	}
	s.want.tries++
	if s.want.tries >= lagTries {
		s.log.Warn(eventLag, "Redis does not give the config that was announced; trying again with the next read of what is current.",
			slog.Int64("announced", s.want.rev), slog.Int64("current", h.meta.Rev))
		return
	}
	s.content.within(min(lagFirst<<(s.want.tries-1), lagMost))
}

// mayLower tells whether rule 6 lets a read that gave h lower the rev. The read is
// evidence itself: one of another epoch has undone what there was.
func (s *syncer) mayLower(h head) bool {
	rev, hash := s.current.Load().place()
	return s.rebase.due() && h.meta.Rev != 0 && h.meta.Rev < rev && h.meta.Hash != hash
}

func (s *syncer) onRebase(h head, next *snapshot) {
	s.inc(&s.n.Rebases)
	rev, _ := s.current.Load().place()
	s.log.Warn(eventRebase, "Redis has lost its data and its clock is behind: the rev goes back to that of the config there.",
		slog.Int64("from", rev), slog.Int64("to", next.rev), slog.Int64("epoch", h.meta.Epoch))
	s.rebase = rebase{}
	s.want = want{}
	s.fresh.restart(observation{epoch: h.meta.Epoch, cdn: h.meta.CDN, asked: h.asked, received: h.received})
	s.freshHash = h.meta.Hash
}

// readContext is the context of a read: while a subscription stands it ends with that, so that
// the loss of the connection is noticed though the read hangs on the same network (I7).
// The next connection reads anyway.
func (s *syncer) readContext(ctx context.Context) context.Context {
	if s.conn != nil && s.conn.live {
		return s.conn.open
	}
	return ctx
}

// readFailed plans the next try, and gives the error to whoever asked for the read.
func (s *syncer) readFailed(ctx context.Context, err error, again *alarm) error {
	if ctx.Err() != nil {
		return ErrClosed
	}
	if cause := context.Cause(s.readContext(ctx)); cause != nil {
		return fmt.Errorf("follower: the connection to Redis ended: %w", cause)
	}
	s.inc(&s.n.FailedReads)
	if s.failing.News(err) {
		s.log.Error(eventCacheRead, "Error occurred while reading the cache.", eventlog.Err(err))
	}
	if s.conn == nil || !s.conn.live {
		return fmt.Errorf("follower: %w", err) // the next connection reads anyway
	}
	again.within(s.readBackoff.next(0))
	return fmt.Errorf("follower: %w", err)
}

func (s *syncer) readWorked() {
	if s.failing.End() {
		s.log.Info(eventCacheReadRecovery, "The cache can be read again.")
	}
	s.readBackoff.reset()
}
