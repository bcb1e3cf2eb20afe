package leader

import (
	"context"
	"log/slog"
	"time"

	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/internal/script"
)

// alarmAhead is how far an entry may be ahead of Redis's clock before the leader logs it:
// some clock is wrong.
const alarmAhead = 5 * time.Minute

// message returns a message about the current content. The scripts add rev, the time of the
// CDN's answer and Redis's clock.
func (t *term) message(kind wire.MessageType) wire.Message {
	m := wire.Message{Type: kind, Hash: t.hash, Len: t.length, Poll: t.elector.settings().poll, Epoch: t.epoch, Renew: min(t.elector.timings.RenewInterval, wire.MaxRenew)}
	if t.etag != "" {
		m.ETag = wire.MessageETag(t.etag)
	}
	if t.content != nil {
		m.Spread = t.elector.spread(len(t.content.Payload))
	}
	return m
}

// assertion returns the arguments of a write that makes or keeps the content with that hash
// current.
func (t *term) assertion(kind wire.MessageType, hash string) script.Assertion {
	a := script.Assertion{
		Lock: t.lock, Base: t.rev, Age: -1, CDN: t.cdn,
		Message: t.message(kind), ETag: t.etag,
	}
	// An answer of the CDN confirms one content only (I14): not the current content while
	// newer content is pending, nor content to which Redis has rolled back.
	if t.confirmed(hash) {
		a.Age, a.Latest = time.Since(t.answered).Milliseconds(), t.latest
		a.Above = t.elector.highest
	}
	if a.Age < 0 && t.uncertain() {
		a.Waits = t.elector.highest
	}
	return a
}

// redisTime converts a local time to Redis's clock. The result may be behind that clock but
// not ahead: Redis sent its last reply before this process received it.
func (t *term) redisTime(at time.Time) int64 { return t.redisNow + at.Sub(t.redisAt).Milliseconds() }

// withDeadline returns a context that ends after d, or when this process stops acting as the
// leader if that is sooner.
func (t *term) withDeadline(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, min(d, time.Until(t.trustedUntil())))
}

// renew renews the lock, publishes the heartbeat and repairs what Redis lost or others
// overwrote. It publishes a CDN answer that no write has published yet. Then it commits the
// pending content.
func (t *term) renew(ctx context.Context) error {
	// Twice: if a reply was lost, meta is ahead and names this process's content. The first
	// pass adopts meta, the second publishes the heartbeat.
	for range 2 {
		w, err := t.sendRenewal(ctx)
		if err != nil {
			return err
		}
		switch w.Outcome {
		case script.OK:
			if t.pending != nil && !t.mayWrite(t.pending) {
				t.pending = nil // the repair is obsolete
			}
			if t.pending == nil {
				return nil
			}
			return t.commit(ctx, t.pending)
		case script.Stale:
			t.adopt(w.Meta, w.Now)
		case script.Regressed:
			return t.repairRegressed(ctx, w)
		case script.Overwritten:
			return t.repairOverwritten(ctx, w)
		}
	}
	return nil
}

func (t *term) sendRenewal(ctx context.Context) (script.WriteReply, error) {
	ctx, cancel := t.withDeadline(ctx, t.elector.timings.RenewInterval)
	defer cancel()
	sent := time.Now()
	a := t.assertion(wire.Heartbeat, t.hash)
	w, err := t.write(ctx, spanRenew, func(ctx context.Context) (script.WriteReply, error) { return t.elector.store.Renew(ctx, a) })
	if err != nil {
		return w, err
	}
	t.elector.stats.update((*KeyStats).contact)
	if w.Outcome == script.Fenced {
		return w, errFenced
	}
	t.renewedAt = sent
	if w.Outcome == script.OK {
		t.applyReply(w)
		if a.Age >= 0 {
			t.answered = time.Time{}
		}
		t.elector.stats.update(func(s *KeyStats) { s.Renewals++ })
	}
	return w, nil
}

// commit makes c current. If the write fails, c stays pending and the next renewal retries.
// The retry is harmless if the first try succeeded after all: the scripts detect it.
func (t *term) commit(ctx context.Context, c *content) error {
	t.pending = c
	// Twice: first based on the rev that this process considers current, then on Redis's reply.
	for range 2 {
		w, err := t.tryCommit(ctx, c)
		switch {
		case err != nil:
			return err
		case w.Outcome == script.OK:
			t.committed(c, w)
			return nil
		case w.Outcome == script.Stale && w.Meta.Rev > t.rev && w.Meta.Hash == c.Hash:
			// An earlier try succeeded; only its reply was lost.
			t.setCurrent(c)
			t.adopt(w.Meta, w.Now)
			return nil
		case w.Outcome == script.Overwritten:
			return t.repairAfterPoll(ctx, w.Found)
		}
		t.adopt(w.Meta, w.Now)
		if !t.mayWrite(c) {
			t.pending = nil
			return nil
		}
	}
	return nil
}

func (t *term) tryCommit(ctx context.Context, c *content) (script.WriteReply, error) {
	ctx, cancel := t.withDeadline(ctx, t.elector.timings.RenewDeadline/2)
	defer cancel()
	sent := time.Now()
	a := t.assertion(wire.Change, c.Hash)
	a.ETag, a.OverwriteUpTo = c.StoredETag(), t.polls.overwriteUpTo
	if own := t.elector.content; c.Hash != t.hash && own != nil && c.Hash == own.Hash {
		a.CDN = t.elector.contentCDN
	}
	a.Message.Hash, a.Message.Len, a.Message.ETag = c.Hash, len(c.JSON), wire.MessageETag(a.ETag)
	a.Message.Spread = t.elector.spread(len(c.Payload))
	a.Replaced, a.Waits = t.elector.replaced.lines(), 0
	switch {
	case a.Age >= 0 || t.elector.knowsCurrent(c.Hash):
		a.Above = t.elector.highest
	default: // repaired in place, below the rev that followers may hold
		a.Above, a.Waits = t.foundAt, t.elector.highest
	}
	w, err := t.write(ctx, spanCommit, func(ctx context.Context) (script.WriteReply, error) {
		return t.elector.store.Commit(ctx, a, c.Content)
	})
	if err != nil {
		return w, err
	}
	t.elector.stats.update((*KeyStats).contact)
	if w.Outcome == script.Fenced {
		return w, errFenced
	}
	if w.Outcome == script.OK {
		t.renewedAt = sent
	}
	return w, nil
}

func (t *term) committed(c *content, w script.WriteReply) {
	if t.etag != c.StoredETag() {
		t.elector.replaced.add(t.etag, time.Now())
	}
	changed := t.hash != c.Hash
	t.setCurrent(c)
	t.answered, t.polls.foundEntry, t.polls.overwriteUpTo = time.Time{}, 0, 0
	t.applyReply(w)
	t.elector.stats.update(func(s *KeyStats) {
		s.Commits++
		s.BrokenFlags = c.broken
	})
	if changed {
		t.elector.log().Info(eventCommitted, "A new config was published.", slog.Int64("rev", w.Rev),
			slog.String("etag", t.etag), slog.Int("bytes", t.length), slog.Int64("receivers", w.Receivers))
	}
	if c.broken > 0 && changed {
		t.elector.log().Warn(eventBrokenFlags, "The config has flags with errors; their evaluation can fail.", slog.Int("flags", c.broken))
	}
}

func (t *term) applyReply(w script.WriteReply) {
	if t.failing.End() {
		t.elector.stats.update(func(s *KeyStats) { s.WriteError = "" })
		t.elector.log().Info(eventRedisBack, "Writes to Redis succeed again.")
		signal(t.elector.recheck)
	}
	t.rev, t.cdn, t.damaged = w.Rev, w.CDN, false
	t.foundAt = 0
	t.redisNow, t.redisAt = w.Now, time.Now()
	if w.Rev != 0 && w.Rev >= t.elector.highest {
		t.elector.observeCurrent(w.Rev, t.hash)
	}
	t.remember()
	t.elector.receivers.observe(w.Receivers * int64(t.elector.leader.cfg.SubscriberNodes))
	if w.Refresh < t.refreshSeen {
		t.refreshSeen = 0 // Redis lost the count, which restarted at 0
	}
	t.onRefreshCount(w.Refresh)
	ahead := time.Duration(w.Rev-w.Now) * time.Millisecond
	alarm := false
	t.elector.stats.update(func(s *KeyStats) {
		s.clock(w.Now)
		s.Rev, s.Hash, s.ETag, s.Length = t.rev, t.hash, t.etag, t.length
		s.LastAnswer, s.Receivers = unixMilli(t.cdn), w.Receivers
		alarm = ahead > alarmAhead && s.Ahead <= alarmAhead
		s.Ahead = max(ahead, 0)
	})
	if alarm {
		t.elector.log().Error(eventAhead, "The entry is ahead of Redis's clock: the clock of Redis or of an SDK that wrote the entry is wrong.",
			slog.Int64("rev", w.Rev), slog.Duration("ahead", ahead))
	}
}
