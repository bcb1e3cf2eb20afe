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
	m.Control = t.inForce
	if t.content != nil {
		m.Spread = t.elector.spread(len(t.content.Payload))
		m.Patches = t.elector.patchWindow(t.currentPatches(), len(t.content.Payload))
	}
	return m
}

// assertion returns the arguments of a write that makes or keeps content current whose source has that
// hash; empty: it is unknown.
func (t *term) assertion(kind wire.MessageType, source string) script.Assertion {
	a := script.Assertion{
		Lock: t.lock, Base: t.rev, Age: -1, CDN: t.cdn,
		Message: t.message(kind), ETag: t.etag,
	}
	// An answer of the CDN confirms one content only (I14): not the current content while
	// newer content is pending, nor content to which Redis has rolled back.
	if t.confirmed(source) {
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

func (t *term) applyReply(w script.WriteReply) {
	if t.failing.End() {
		t.elector.stats.update(func(s *KeyStats) { s.WriteError = "" })
		t.elector.log().Info(eventRedisBack, "Writes to Redis succeed again.")
		signal(t.elector.recheck)
	}
	t.rev, t.cdn, t.damaged = w.Rev, w.CDN, false
	t.logRepaired()
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
