package leader

import (
	"context"
	"log/slog"
	"time"

	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/internal/script"
)

// commit makes c current. If the write fails, c stays pending and the next renewal retries.
// The retry is harmless if the first try succeeded after all: the scripts detect it.
func (t *term) commit(ctx context.Context, c *content) error {
	if c.origin() == nil {
		if err := t.learnSource(ctx); err != nil {
			t.pending = c
			return err
		}
		if t.content != nil && t.content.Hash == c.Hash {
			c = t.content
		}
	}
	// First based on the rev and the control that this process considers current, then on Redis's replies.
	for range 3 {
		c = t.rebase(ctx, t.underControl(c))
		t.pending = c
		w, err := t.tryCommit(ctx, c)
		switch {
		case err != nil:
			return err
		case w.Outcome == script.OK:
			changed := t.hash != c.Hash
			t.committed(c, w)
			return t.recorded(ctx, c, changed, w.History)
		case w.Outcome == script.Stale && w.Meta.Rev > t.rev && w.Meta.Hash == c.Hash && w.Meta.Control == t.elector.inForce():
			return t.replyLost(ctx, c, w) // of an earlier try
		case w.Outcome == script.Overwritten:
			return t.repairAfterPoll(ctx, w.Found)
		case w.Outcome == script.Control:
			if err := t.readControl(ctx); err != nil {
				return err
			}
			continue
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
	a := t.assertion(wire.Change, c.sourceHash())
	t.addControl(&a, c, t.elector.inForce())
	a.ETag, a.OverwriteUpTo = c.StoredETag(), t.polls.overwriteUpTo
	if own := t.elector.content; c.Hash != t.hash && own != nil && c.Hash == own.Hash {
		a.CDN = t.elector.contentCDN
	}
	a.Message.Hash, a.Message.Len, a.Message.ETag = c.Hash, len(c.JSON), wire.MessageETag(a.ETag)
	a.Message.Spread = t.elector.spread(len(c.Payload))
	t.addPatches(&a, c)
	a.History = t.record(c)
	a.Replaced, a.Waits = t.elector.replaced.lines(), 0
	switch {
	case a.Age >= 0 || t.rev == 0 && t.pinnedAlone(c) || t.elector.knowsCurrent(c.Hash) || t.sameSource(c) && t.elector.knowsCurrent(t.hash):
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

// replyLost handles that Redis has c, which this process committed without receiving the reply.
func (t *term) replyLost(ctx context.Context, c *content, w script.WriteReply) error {
	changed := t.hash != c.Hash
	t.keepPatches(c, w.Meta.Rev)
	t.setCurrent(c)
	t.adopt(w.Meta, w.Now)
	return t.recorded(ctx, c, changed, "")
}

func (t *term) committed(c *content, w script.WriteReply) {
	if source := c.origin(); source != nil && t.sourceETag() != source.StoredETag() {
		t.elector.replaced.add(t.sourceETag(), time.Now())
	}
	changed := t.hash != c.Hash
	t.keepPatches(c, w.Rev)
	t.setCurrent(c)
	t.inForce = t.elector.inForce()
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
