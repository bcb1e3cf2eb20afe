package leader

import (
	"context"
	"log/slog"
	"time"

	"github.com/catbridge/catbridge/internal/wire"
)

// alarmAhead is how far an entry may be ahead of Redis's clock before the leader logs it:
// some clock is wrong.
const alarmAhead = 5 * time.Minute

// message returns a message about the current content. The scripts add rev, the time of the
// CDN's answer and Redis's clock.
func (t *term) message(kind wire.MessageType) wire.Message {
	m := wire.Message{Type: kind, Hash: t.hash, Len: t.length, Poll: t.elector.settings().poll, Epoch: t.epoch, Renew: min(t.elector.timing.RenewInterval, wire.MaxRenew)}
	if t.etag != "" {
		m.ETag = wire.MessageETag(t.etag)
	}
	if t.content != nil {
		m.Spread = t.elector.spread(len(t.content.payload))
	}
	return m
}

// assertion returns the arguments of a write that makes or keeps the content with that hash
// current.
func (t *term) assertion(kind wire.MessageType, hash string) assertion {
	a := assertion{
		lock: t.lock, base: t.rev, age: -1, cdn: t.cdn,
		message: t.message(kind), etag: t.etag,
	}
	// An answer of the CDN confirms one content only (I14): not the current content while
	// newer content is pending, nor content to which Redis has rolled back.
	if t.confirmed(hash) {
		a.age, a.latest = time.Since(t.answered).Milliseconds(), t.latest
		a.above = t.elector.highest
	}
	if a.age < 0 && t.uncertain() {
		a.waits = t.elector.highest
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
		switch w.outcome {
		case outcomeOK:
			if t.pending != nil && !t.mayWrite(t.pending) {
				t.pending = nil // the repair is obsolete
			}
			if t.pending == nil {
				return nil
			}
			return t.commit(ctx, t.pending)
		case outcomeStale:
			t.adopt(w.meta, w.now)
		case outcomeRegressed:
			return t.repairRegressed(ctx, w)
		case outcomeOverwritten:
			return t.repairOverwritten(ctx, w)
		}
	}
	return nil
}

func (t *term) sendRenewal(ctx context.Context) (writeReply, error) {
	ctx, cancel := t.withDeadline(ctx, t.elector.timing.RenewInterval)
	defer cancel()
	sent := time.Now()
	a := t.assertion(wire.Heartbeat, t.hash)
	w, err := t.write(ctx, spanRenew, func(ctx context.Context) (writeReply, error) { return t.elector.store.renew(ctx, a) })
	if err != nil {
		return w, err
	}
	t.elector.stats.update((*KeyStats).contact)
	if w.outcome == outcomeFenced {
		return w, errFenced
	}
	t.renewedAt = sent
	if w.outcome == outcomeOK {
		t.applyReply(w)
		if a.age >= 0 {
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
		case w.outcome == outcomeOK:
			t.committed(c, w)
			return nil
		case w.outcome == outcomeStale && w.meta.Rev > t.rev && w.meta.Hash == c.hash:
			// An earlier try succeeded; only its reply was lost.
			t.setCurrent(c)
			t.adopt(w.meta, w.now)
			return nil
		case w.outcome == outcomeOverwritten:
			return t.repairAfterPoll(ctx, w.found)
		}
		t.adopt(w.meta, w.now)
		if !t.mayWrite(c) {
			t.pending = nil
			return nil
		}
	}
	return nil
}

func (t *term) tryCommit(ctx context.Context, c *content) (writeReply, error) {
	ctx, cancel := t.withDeadline(ctx, t.elector.timing.RenewDeadline/2)
	defer cancel()
	sent := time.Now()
	a := t.assertion(wire.Change, c.hash)
	a.etag, a.overwriteUpTo = c.storedETag(), t.polls.overwriteUpTo
	if own := t.elector.content; c.hash != t.hash && own != nil && c.hash == own.hash {
		a.cdn = t.elector.contentCDN
	}
	a.message.Hash, a.message.Len, a.message.ETag = c.hash, len(c.json), wire.MessageETag(a.etag)
	a.message.Spread = t.elector.spread(len(c.payload))
	a.replaced, a.waits = t.elector.replaced.lines(), 0
	switch {
	case a.age >= 0 || t.elector.knowsCurrent(c.hash):
		a.above = t.elector.highest
	default: // repaired in place, below the rev that followers may hold
		a.above, a.waits = t.foundAt, t.elector.highest
	}
	w, err := t.write(ctx, spanCommit, func(ctx context.Context) (writeReply, error) { return t.elector.store.commit(ctx, a, c) })
	if err != nil {
		return w, err
	}
	t.elector.stats.update((*KeyStats).contact)
	if w.outcome == outcomeFenced {
		return w, errFenced
	}
	if w.outcome == outcomeOK {
		t.renewedAt = sent
	}
	return w, nil
}

func (t *term) committed(c *content, w writeReply) {
	if t.etag != c.storedETag() {
		t.elector.replaced.add(t.etag, time.Now())
	}
	changed := t.hash != c.hash
	t.setCurrent(c)
	t.answered, t.polls.foundEntry, t.polls.overwriteUpTo = time.Time{}, 0, 0
	t.applyReply(w)
	t.elector.stats.update(func(s *KeyStats) {
		s.Commits++
		s.BrokenFlags = c.broken
	})
	if changed {
		t.elector.log().Info(eventCommitted, "A new config was published.", slog.Int64("rev", w.rev),
			slog.String("etag", t.etag), slog.Int("bytes", t.length), slog.Int64("receivers", w.receivers))
	}
	if c.broken > 0 && changed {
		t.elector.log().Warn(eventBrokenFlags, "The config has flags with errors; their evaluation can fail.", slog.Int("flags", c.broken))
	}
}

func (t *term) setCurrent(c *content) {
	t.content, t.pending, t.corrupt = c, nil, false
	t.hash, t.etag, t.length = c.hash, c.storedETag(), len(c.json)
}

func (t *term) applyReply(w writeReply) {
	if t.failing.End() {
		t.elector.stats.update(func(s *KeyStats) { s.WriteError = "" })
		t.elector.log().Info(eventRedisBack, "Writes to Redis succeed again.")
		signal(t.elector.recheck)
	}
	t.rev, t.cdn, t.damaged = w.rev, w.cdn, false
	t.foundAt = 0
	t.redisNow, t.redisAt = w.now, time.Now()
	if w.rev != 0 && w.rev >= t.elector.highest {
		t.elector.observeCurrent(w.rev, t.hash)
	}
	t.remember()
	t.elector.receivers.observe(w.receivers * int64(t.elector.leader.cfg.SubscriberNodes))
	if w.refresh < t.refreshSeen {
		t.refreshSeen = 0 // Redis lost the count, which restarted at 0
	}
	t.onRefreshCount(w.refresh)
	ahead := time.Duration(w.rev-w.now) * time.Millisecond
	alarm := false
	t.elector.stats.update(func(s *KeyStats) {
		s.clock(w.now)
		s.Rev, s.Hash, s.ETag, s.Length = t.rev, t.hash, t.etag, t.length
		s.LastAnswer, s.Receivers = unixMilli(t.cdn), w.receivers
		alarm = ahead > alarmAhead && s.Ahead <= alarmAhead
		s.Ahead = max(ahead, 0)
	})
	if alarm {
		t.elector.log().Error(eventAhead, "The entry is ahead of Redis's clock: the clock of Redis or of an SDK that wrote the entry is wrong.",
			slog.Int64("rev", w.rev), slog.Duration("ahead", ahead))
	}
}

func unixMilli(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
