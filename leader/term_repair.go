package leader

import (
	"context"
	"log/slog"
	"time"

	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/internal/script"
)

// repairRegressed repairs a meta that is not as this process wrote it: Redis lost its data,
// or a replica that was behind took over.
func (t *term) repairRegressed(ctx context.Context, w script.WriteReply) error {
	if p := t.pending; p != nil && w.Meta.Hash == p.Hash && w.Meta.Rev > t.rev {
		return t.replyLost(ctx, p, w)
	}
	t.elector.log().Warn(eventRegressed, "Redis lost or changed the published content.",
		slog.Int64("rev", t.rev), slog.Int64("found", w.Meta.Rev))
	own, later := t.newest(), w.Found > t.rev
	t.adopt(w.Meta, w.Now)
	t.redisNow, t.redisAt = w.Now, time.Now()
	if own == nil {
		// There is nothing to repair with: the content in Redis stays until the CDN answers.
		t.loadContent(ctx)
		return nil
	}
	return t.repair(ctx, own, later, w.Found)
}

// repairOverwritten repairs an entry, blob or field of meta that is missing or was overwritten.
func (t *term) repairOverwritten(ctx context.Context, w script.WriteReply) error {
	if t.damage.found() {
		t.elector.log().Warn(eventOverwritten, "The entry, the blob or a field of meta is missing or was overwritten.",
			slog.Int64("rev", t.rev), slog.Int64("found", w.Found))
	}
	return t.repair(ctx, t.newest(), w.Found > t.rev, w.Found)
}

// damage is what was logged of damaged content in Redis: each renewal finds it until it is repaired, which
// may have to wait for the CDN.
type damage struct {
	since    time.Time
	renewals int
	invalid  bool // it was logged that the content is not a config
}

// found notes that a renewal found damage, and reports whether it is the first one.
func (d *damage) found() bool {
	if d.renewals == 0 {
		d.since = time.Now()
	}
	d.renewals++
	return d.renewals == 1
}

// logRepaired logs the end of damage that lasted longer than one renewal.
func (t *term) logRepaired() {
	if d := t.damage; d.renewals > 1 {
		t.elector.log().Info(eventRepaired, "The entry, the blob and meta are complete again.",
			slog.Duration("after", time.Since(d.since)), slog.Int("renewals", d.renewals))
	}
	t.damage = damage{}
}

// repair commits own again. It asks the CDN first if the entry, with fetch time found, is
// later than own, or if own may not be written.
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

// repairAfterPoll plans a poll of the CDN before anything is written. After the CDN's answer,
// the entry with fetch time found may be overwritten, but not a later one.
func (t *term) repairAfterPoll(ctx context.Context, found int64) error {
	t.polls.foundEntry, t.polls.overwriteUpTo = found, 0
	if time.Now().Before(t.elector.notBefore) {
		return t.repairWithoutCDN(ctx)
	}
	t.polls.repairing = true
	t.polls.pollSoon()
	return nil
}

// repairWithoutCDN writes content that an SDK fetched later than all revs seen, or else content
// that this process knows to be current, or else repairs the content in Redis in place. It does
// not claim a new answer of the CDN (I14).
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

// repairContent returns the content of this process that may be written again, or nil.
func (t *term) repairContent() *content {
	switch c := t.elector.content; {
	case t.pending != nil && t.mayWrite(t.pending):
		return t.pending
	case c != nil && t.elector.knowsCurrent(c.Hash) && t.mayWrite(c):
		return c
	case t.damaged && t.content != nil && t.mayWrite(t.content):
		return t.content
	}
	return nil
}

// fetchedLater returns the entry's content if its fetch time is above every rev seen and later
// than an unpublished CDN answer, and if it may be committed. If older content replaced it, the
// official SDKs would go back, and so would followers that read the entry while no process led
// (I1). Afterwards other content may overwrite this entry, but not a later one.
func (t *term) fetchedLater(ctx context.Context) (*content, error) {
	ctx, cancel := t.withDeadline(ctx, t.elector.timings.RenewInterval)
	defer cancel()
	entry, err := t.elector.store.Entry(ctx)
	if err != nil {
		return nil, err
	}
	// The scripts accept some entries that are malformed for ParseEntry. Those may be overwritten.
	t.polls.overwriteUpTo = max(t.polls.foundEntry, entry.FetchTime)
	if entry.FetchTime <= t.elector.highest || !t.answered.IsZero() && entry.FetchTime <= t.latest {
		return nil, nil
	}
	later := script.NewContent(entry.JSON, entry.ETag)
	if t.elector.replaced.has(later.StoredETag()) {
		return nil, nil
	}
	return t.takenOver(t.verify(later), entry.FetchTime, t.elector.highest), nil
}

// repairInPlace returns the content in Redis if parts are missing, for a commit just above the
// rev found, see doc.go. As followers do, it chooses the blob or the entry, whichever has the
// higher rev. It returns nil if there is no content, or if the commit would reach the highest
// rev with content that is not known to be current.
func (t *term) repairInPlace(ctx context.Context) (*content, error) {
	ctx, cancel := t.withDeadline(ctx, t.elector.timings.RenewInterval)
	defer cancel()
	blob, blobRev, err := t.elector.store.Blob(ctx)
	if err != nil {
		return nil, err
	}
	entry, err := t.elector.store.Entry(ctx)
	if err != nil {
		return nil, err
	}
	if blob != nil && t.rev != 0 {
		if blobRev = t.rev; blob.Hash != t.hash {
			blob = nil // meta names other content
		} else {
			blob.ETag = t.etag
		}
	}
	var best *script.Content
	switch {
	case blob != nil && (entry.FetchTime <= blobRev || entry.FetchTime > t.elector.highest):
		best = blob
		if entry.FetchTime != 0 && wire.ContentHash(entry.JSON) == blob.Hash {
			best.ETag = entry.ETag
		}
	case entry.FetchTime != 0:
		best = script.NewContent(entry.JSON, entry.ETag)
	}
	c := t.verify(best)
	if c == nil {
		return nil, nil
	}
	if c, err = t.withSource(ctx, c); err != nil {
		return nil, err
	}
	if best != blob {
		written := max(t.rev, blobRev)
		if written == 0 {
			written = t.elector.highest
		}
		c = t.takenOver(c, entry.FetchTime, written)
	}
	above := max(t.rev, entry.FetchTime, blobRev)
	if t.elector.highest != 0 && above+1 >= t.elector.highest && !t.elector.knowsCurrent(c.Hash) {
		return nil, nil
	}
	t.foundAt = above
	return c, nil
}

// repairConfirmed commits the current content, which the CDN has confirmed, over a later
// entry.
func (t *term) repairConfirmed(ctx context.Context) error {
	if c := t.newest(); c != nil {
		t.elector.stats.update(func(s *KeyStats) { s.Repairs++ })
		return t.commit(ctx, c)
	}
	return t.renew(ctx)
}
