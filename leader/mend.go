package leader

import (
	"context"
	"log/slog"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
)

// regressed mends meta that is not what was written: Redis lost its data, or fell
// back to a replica that was behind.
func (t *term) regressed(ctx context.Context, w written) error {
	if p := t.pending; p != nil && w.meta.Hash == p.hash && w.meta.Rev > t.rev {
		// The reply to its commit was lost.
		t.take(p)
		t.adopt(w.meta)
		return nil
	}
	t.k.log().Warn(eventRegressed, "Redis lost or changed what was written.",
		slog.Int64("rev", t.rev), slog.Int64("found", w.meta.Rev))
	if t.content == nil {
		// Nothing to mend it with: what is there is current, until the CDN answers.
		t.adopt(w.meta)
		t.loadContent(ctx)
		return nil
	}
	return t.restore(ctx, w)
}

// foreign mends an entry, a blob or a field of meta that is missing or was written by
// somebody else.
func (t *term) foreign(ctx context.Context, w written) error {
	t.k.log().Warn(eventForeign, "Entry, blob or a field of meta are missing, or not as they were written.",
		slog.Int64("rev", t.rev), slog.Int64("found", w.found))
	if t.newest() == nil {
		return nil // nothing to mend it with, until the CDN answers
	}
	return t.restore(ctx, w)
}

// restore writes the current content again, unless the entry is later than it.
func (t *term) restore(ctx context.Context, w written) error {
	if w.found > t.rev {
		return t.askFirst(ctx)
	}
	return t.heal(ctx, w.meta)
}

// askFirst has the CDN asked before an entry is written over that somebody else wrote
// later than ours: it may hold what an SDK has just fetched.
func (t *term) askFirst(ctx context.Context) error {
	if time.Now().Before(t.k.notBefore) {
		return t.mend(ctx, t.newest())
	}
	t.polls.healing, t.polls.over = true, false
	t.polls.ask()
	return nil
}

// heal writes the current content again. It says nothing new of the CDN (I14).
func (t *term) heal(ctx context.Context, found cachekeys.Meta) error {
	content := t.content
	t.rev = found.Rev
	t.k.stats.update(func(s *KeyStats) { s.Heals++ })
	if t.pending != nil {
		content = t.pending
	}
	return t.commit(ctx, content)
}

// mend writes what is current as far as can be told without the CDN: what an SDK
// fetched later than all that is known here, or else own. It says nothing new of the
// CDN either (I14).
func (t *term) mend(ctx context.Context, own *content) error {
	c, err := t.fetchedLater(ctx)
	if err != nil {
		return err
	}
	if c == nil {
		c = own
	}
	if c == nil {
		return nil
	}
	t.k.stats.update(func(s *KeyStats) { s.Heals++ })
	t.polls.over = true
	return t.commit(ctx, c)
}

// fetchedLater gives the entry's content if its fetch time is above every rev known
// here and it may be committed. To write older content over it would take the official
// SDKs back, and the followers that read it while nobody led (I1).
func (t *term) fetchedLater(ctx context.Context) (*content, error) {
	if !t.answered.IsZero() {
		return nil, nil // what the CDN answered us is still to be told
	}
	ctx, cancel := t.bounded(ctx, t.k.timing.Renewal)
	defer cancel()
	entry, err := t.k.store.entry(ctx)
	if err != nil || entry.FetchTime <= t.k.highest {
		return nil, err
	}
	c := newContent(entry.JSON, entry.ETag, 0)
	if t.replaced(c) || t.k.verify(c) != nil {
		return nil, nil
	}
	return c, nil
}
