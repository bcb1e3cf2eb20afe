package leader

import (
	"context"
	"log/slog"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
)

// alarmAhead is how far an entry may be ahead of Redis's clock before it is
// reported: someone's clock is wrong.
const alarmAhead = 5 * time.Minute

// message says what is current. The scripts add rev and the time of the CDN's answer.
func (t *term) message(kind cachekeys.MessageType) cachekeys.Message {
	m := cachekeys.Message{Type: kind, Hash: t.hash, Len: t.length, Poll: t.elector.settings().poll, Epoch: t.epoch, Renew: min(t.elector.timing.RenewInterval, cachekeys.MaxRenew)}
	if t.etag != "" {
		m.ETag = cachekeys.MessageETag(t.etag)
	}
	if t.content != nil {
		m.Spread = t.elector.spread(len(t.content.payload))
	}
	return m
}

// assertion is for a write after which the content of that hash is current.
func (t *term) assertion(kind cachekeys.MessageType, hash string) assertion {
	c := assertion{
		lock: t.lock, base: t.rev, age: -1, cdn: t.cdn,
		message: t.message(kind), etag: t.etag,
	}
	// An answer of the CDN is about one content, and confirms no other (I14): not what is
	// current while newer content waits to be committed, nor what Redis fell back to since.
	if t.confirmed(hash) {
		c.age, c.latest = time.Since(t.answered).Milliseconds(), t.latest
		c.above = t.elector.highest
	}
	if c.age < 0 && t.uncertain() {
		c.waits = t.elector.highest
	}
	return c
}

// redisTime is a moment by Redis's clock, rather too early than too late: its last reply
// was made before it arrived.
func (t *term) redisTime(at time.Time) int64 { return t.redisNow + at.Sub(t.redisAt).Milliseconds() }

// bounded gives a write as long as the trust in the lock lasts, and at most d.
func (t *term) bounded(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, min(d, time.Until(t.trustedUntil())))
}

// renew renews the lock, tells followers that the leader is alive, and mends what
// does not stand in Redis as it was written. What the CDN answered and no write has
// told yet goes with it. Then it commits what is still to be committed.
func (t *term) renew(ctx context.Context) error {
	// Meta ahead of us with our own content, after a lost reply: adopted, and then
	// the heartbeat is due at once.
	for range 2 {
		w, err := t.sendRenewal(ctx)
		if err != nil {
			return err
		}
		switch w.outcome {
		case outcomeOK:
			if t.pending != nil && !t.mayWrite(t.pending) {
				t.pending = nil // it was to mend what is not so any more
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

func (t *term) sendRenewal(ctx context.Context) (written, error) {
	ctx, cancel := t.bounded(ctx, t.elector.timing.RenewInterval)
	defer cancel()
	sent := time.Now()
	claim := t.assertion(cachekeys.Heartbeat, t.hash)
	w, err := t.write(ctx, spanRenew, func(ctx context.Context) (written, error) { return t.elector.store.renew(ctx, claim) })
	if err != nil {
		return w, err
	}
	t.elector.stats.update((*KeyStats).contact)
	if w.outcome == outcomeFenced {
		return w, errFenced
	}
	t.renewedAt = sent
	if w.outcome == outcomeOK {
		t.wrote(w)
		if claim.age >= 0 {
			t.answered = time.Time{}
		}
		t.elector.stats.update(func(s *KeyStats) { s.Renewals++ })
	}
	return w, nil
}

// commit makes c current. If Redis cannot be written it stays pending, and the
// next renewal tries again; the scripts make the second try harmless if the first
// had come through after all.
func (t *term) commit(ctx context.Context, c *content) error {
	t.pending = c
	// Twice: once from what was taken for current, once from what turned out to be.
	for range 2 {
		w, err := t.tryCommit(ctx, c)
		switch {
		case err != nil:
			return err
		case w.outcome == outcomeOK:
			t.committed(c, w)
			return nil
		case w.outcome == outcomeStale && w.meta.Rev > t.rev && w.meta.Hash == c.hash:
			// The reply to an earlier try was lost, not the commit.
			t.take(c)
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

func (t *term) tryCommit(ctx context.Context, c *content) (written, error) {
	ctx, cancel := t.bounded(ctx, t.elector.timing.RenewDeadline/2)
	defer cancel()
	sent := time.Now()
	cl := t.assertion(cachekeys.Change, c.hash)
	cl.etag, cl.over = c.storedETag(), t.polls.over
	if own := t.elector.content; c.hash != t.hash && own != nil && c.hash == own.hash {
		cl.cdn = t.elector.contentCDN
	}
	cl.message.Hash, cl.message.Len, cl.message.ETag = c.hash, len(c.json), cachekeys.MessageETag(cl.etag)
	cl.message.Spread = t.elector.spread(len(c.payload))
	cl.replaced, cl.waits = t.elector.replaced.lines(), 0
	switch {
	case cl.age >= 0 || t.elector.knows(c.hash):
		cl.above = t.elector.highest
	default: // it is repaired where it stands, below what followers may hold
		cl.above, cl.waits = t.foundAt, t.elector.highest
	}
	w, err := t.write(ctx, spanCommit, func(ctx context.Context) (written, error) { return t.elector.store.commit(ctx, cl, c) })
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

func (t *term) committed(c *content, w written) {
	if t.etag != c.storedETag() {
		t.elector.replaced.add(t.etag, time.Now())
	}
	changed := t.hash != c.hash
	t.take(c)
	t.answered, t.polls.seen, t.polls.over = time.Time{}, 0, 0
	t.wrote(w)
	t.elector.stats.update(func(s *KeyStats) {
		s.Commits++
		s.BrokenFlags = c.broken
	})
	if changed {
		t.elector.log().Info(eventCommitted, "A new config was published.", slog.Int64("rev", w.rev),
			slog.String("etag", t.etag), slog.Int("bytes", t.length), slog.Int64("receivers", w.receivers))
	}
	if c.broken > 0 && changed {
		t.elector.log().Warn(eventBrokenFlags, "The config has flags with an error in their model.", slog.Int("flags", c.broken))
	}
}

// take makes c what this process holds for current.
func (t *term) take(c *content) {
	t.content, t.pending, t.corrupt = c, nil, false
	t.hash, t.etag, t.length = c.hash, c.storedETag(), len(c.json)
}

// wrote takes over what a write that came through told.
func (t *term) wrote(w written) {
	if t.failing.End() {
		t.elector.stats.update(func(s *KeyStats) { s.WriteError = "" })
		t.elector.log().Info(eventRedisBack, "Redis can be written again.")
		signal(t.elector.recheck)
	}
	t.rev, t.cdn, t.damaged = w.rev, w.cdn, false
	t.foundAt = 0
	t.redisNow, t.redisAt = w.now, time.Now()
	if w.rev != 0 && w.rev >= t.elector.highest {
		t.elector.sawCurrent(w.rev, t.hash)
	}
	t.keep()
	t.elector.receivers.saw(w.receivers * int64(t.elector.leader.cfg.SubscriberNodes))
	if w.refresh < t.asked {
		t.asked = 0 // the count was lost, and started again
	}
	t.refreshAsked(w.refresh)
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
		t.elector.log().Error(eventAhead, "The entry is ahead of Redis's clock: a clock is wrong, there or where an SDK wrote it.",
			slog.Int64("rev", w.rev), slog.Duration("ahead", ahead))
	}
}

func unixMilli(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
