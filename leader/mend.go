package leader

import (
	"context"
	"log/slog"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
)

// repairRegressed mends meta that is not what was written: Redis lost its data, or fell
// back to a replica that was behind.
func (t *term) repairRegressed(ctx context.Context, w written) error {
	if p := t.pending; p != nil && w.meta.Hash == p.hash && w.meta.Rev > t.rev {
		// The reply to its commit was lost.
		t.take(p)
		t.adopt(w.meta, w.now)
		return nil
	}
	t.elector.log().Warn(eventRegressed, "Redis lost or changed what was written.",
		slog.Int64("rev", t.rev), slog.Int64("found", w.meta.Rev))
	own, later := t.newest(), w.found > t.rev
	t.adopt(w.meta, w.now)
	t.redisNow, t.redisAt = w.now, time.Now()
	if own == nil {
		// Nothing to mend it with: what is there stays, until the CDN answers.
		t.loadContent(ctx)
		return nil
	}
	return t.repair(ctx, own, later, w.found)
}

// repairOverwritten mends an entry, a blob or a field of meta that is missing or was written by
// somebody else.
func (t *term) repairOverwritten(ctx context.Context, w written) error {
	t.elector.log().Warn(eventOverwritten, "Entry, blob or a field of meta are missing, or not as they were written.",
		slog.Int64("rev", t.rev), slog.Int64("found", w.found))
	return t.repair(ctx, t.newest(), w.found > t.rev, w.found)
}

// repair writes own again, unless the entry, found with that fetch time, is later than it
// or own may not be written.
func (t *term) repair(ctx context.Context, own *content, later bool, found int64) error {
	t.damaged = true
	switch {
	case later || own != nil && !t.mayWrite(own):
		return t.repairAfterPoll(ctx, found)
	case own == nil:
		return t.repairWithoutCDN(ctx)
	}
	t.elector.stats.update(func(s *KeyStats) { s.Repairs++ })
	return t.commit(ctx, own)
}

// mayWrite reports whether own content c may be written over what stands in Redis: the
// CDN answered about it, or Redis names it, or Redis fell back from it. Redis did if c is
// known as current and Redis's clock is past the highest rev. If the clock is behind that
// rev, it was set back, or somebody else's was ahead, and revs do not tell which content
// is newer.
func (t *term) mayWrite(c *content) bool {
	return t.confirmed(c.hash) || c.hash == t.hash ||
		t.elector.knows(c.hash) && t.redisTime(time.Now()) > t.elector.highest
}

// repairAfterPoll has the CDN asked before anything is written: over an entry that somebody else
// wrote later than ours, which may hold what an SDK has just fetched, or where this process
// does not know what is current. The answer orders only the entry found then, of that fetch
// time: one that is written later still is not written over unseen.
func (t *term) repairAfterPoll(ctx context.Context, found int64) error {
	t.polls.seen, t.polls.over = found, 0
	if time.Now().Before(t.elector.notBefore) {
		return t.repairWithoutCDN(ctx)
	}
	t.polls.repairing = true
	t.polls.ask()
	return nil
}

// repairWithoutCDN writes what is current as far as can be told without the CDN: what an SDK fetched
// later than all that is known here, or what this process knows as current. If neither may
// be written it repairs what stands in Redis, where it stands. It says nothing new of the
// CDN (I14).
func (t *term) repairWithoutCDN(ctx context.Context) error {
	c, err := t.fetchedLater(ctx)
	if err != nil {
		return err
	}
	if c == nil {
		c = t.repairContent()
	}
	if c == nil && (t.rev == 0 || t.damaged) {
		c, err = t.repairInPlace(ctx)
	}
	if c == nil || err != nil {
		return err
	}
	t.elector.stats.update(func(s *KeyStats) { s.Repairs++ })
	return t.commit(ctx, c)
}

// repairContent returns the content of this process that is to be written again; nil: none may be.
func (t *term) repairContent() *content {
	switch c := t.elector.content; {
	case t.pending != nil && t.mayWrite(t.pending):
		return t.pending
	case c != nil && t.elector.knows(c.hash) && t.mayWrite(c):
		return c
	case t.damaged && t.content != nil && t.mayWrite(t.content):
		return t.content
	}
	return nil
}

// fetchedLater gives the entry's content if its fetch time is above every rev known
// here, and later than an answer of the CDN that is still to be told, and it may be
// committed. To write older content over it would take the official SDKs back, and the
// followers that read it while nobody led (I1). Other content may then be written over
// the entry that was read here, and over none that is later.
func (t *term) fetchedLater(ctx context.Context) (*content, error) {
	ctx, cancel := t.bounded(ctx, t.elector.timing.RenewInterval)
	defer cancel()
	entry, err := t.elector.store.entry(ctx)
	if err != nil {
		return nil, err
	}
	// A script found one that cannot be read here: it holds nothing to spare.
	t.polls.over = max(t.polls.seen, entry.FetchTime)
	if entry.FetchTime <= t.elector.highest || !t.answered.IsZero() && entry.FetchTime <= t.latest {
		return nil, nil
	}
	c := newContent(entry.JSON, entry.ETag, 0)
	if t.elector.replaced.has(c.storedETag()) || t.elector.verify(c) != nil {
		return nil, nil
	}
	return c, nil
}

// repairInPlace returns the content that stands in Redis, to be written again where it stands
// because parts of it are missing: so heartbeats go on, and new followers have flags,
// while those that hold a higher rev keep theirs. It is that of the blob or of the entry,
// whichever has the higher rev, as followers read them; nil: there is none, or it could
// only be written above the highest rev.
func (t *term) repairInPlace(ctx context.Context) (*content, error) {
	ctx, cancel := t.bounded(ctx, t.elector.timing.RenewInterval)
	defer cancel()
	blob, blobRev, err := t.elector.store.blob(ctx)
	if err != nil {
		return nil, err
	}
	entry, err := t.elector.store.entry(ctx)
	if err != nil {
		return nil, err
	}
	if blob != nil && t.rev != 0 {
		if blobRev = t.rev; blob.hash != t.hash {
			blob = nil // it is not what meta names
		} else {
			blob.etag = t.etag
		}
	}
	var best *content
	switch {
	case blob != nil && (entry.FetchTime <= blobRev || entry.FetchTime > t.elector.highest):
		best = blob
		if entry.FetchTime != 0 && cachekeys.ContentHash(entry.JSON) == blob.hash {
			best.etag = entry.ETag
		}
	case entry.FetchTime != 0:
		best = newContent(entry.JSON, entry.ETag, 0)
	}
	if best == nil || t.elector.verify(best) != nil {
		return nil, nil
	}
	above := max(t.rev, entry.FetchTime, blobRev)
	if t.elector.highest != 0 && above+1 >= t.elector.highest && !t.elector.knows(best.hash) {
		return nil, nil
	}
	t.foundAt = above
	return best, nil
}
