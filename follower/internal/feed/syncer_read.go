package feed

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/internal/wire"
)

const (
	// readsAtOnce limits how often in a row the content is read if it changes between the
	// reads of blob and meta.
	readsAtOnce = 3
	// A replica that is behind is read again after lagFirst, then twice that, up to lagMost.
	// After primaryAfter reads the primary is read. After LagTries reads (about 7 s) the
	// retries end until the next message or re-read of meta.
	lagFirst     = 50 * time.Millisecond
	lagMost      = time.Second
	primaryAfter = 3
	LagTries     = 10
	// awaitedReread is the interval at which a feed without a subscription reads what is
	// current while content waits for evidence.
	awaitedReread = 10 * time.Second
)

// sync brings the feed up to date.
func (s *syncer) sync(ctx context.Context) (head, error) {
	defer s.markSynced()
	if s.current.Load() != nil {
		return s.readHead(ctx, anyNode)
	}
	return s.readAll(ctx)
}

// readHead asks which content is current, and reads newer content.
func (s *syncer) readHead(ctx context.Context, from node) (head, error) {
	s.inc(&s.n.HeadReads)
	h, err := s.store.readHead(s.readContext(ctx), from)
	if err != nil {
		return h, s.readFailed(ctx, err, s.reread)
	}
	s.readWorked()
	s.onHead(h)
	rev, hash := s.current.Load().RevAndHash()
	switch {
	case h.meta.Rev > rev && h.meta.Hash == hash:
		s.move(h.meta.Rev, h.meta.ETag)
	case h.meta.Rev > rev && s.noConfig.has(h.meta.Hash):
	case h.meta.Rev > rev && rev != 0 && s.windows.spread > 0:
		s.scheduleRead() // many followers may reconnect at the same time
		return h, nil
	case h.meta.Rev > rev && h.meta.Len > wire.MaxInlineBytes:
		return s.readNewer(ctx)
	case h.meta.Rev > rev: // so small that a patch would save nothing
		return s.readAll(ctx)
	case h.meta.Rev != 0 && h.meta.Rev == rev && h.meta.Hash != hash:
		s.onAnomaly(h.meta.Rev, h.meta.Hash)
	case s.rebase.due():
		s.content.within(upTo(s.windows.spread))
	}
	s.confirm()
	// A cache that only official SDKs fill has an entry and nothing else.
	if !h.locked && (!s.Listen || time.Since(s.entryRead) >= s.Timings.MetaReread/2) {
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

// readContent reads the content and puts it in force if it is newer. It returns an error if
// Redis does not answer, or does not contain the content that it names.
func (s *syncer) readContent(ctx context.Context) error {
	_, err := s.readAll(ctx)
	return err
}

func (s *syncer) readAll(ctx context.Context) (head, error) {
	s.content.off()
	s.windows.whole = false
	from := s.contentNode()
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
		if other != nil && (next == nil || other.Rev > next.Rev) {
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
	if rev, _ := s.current.Load().RevAndHash(); r.meta.Rev > rev {
		return r.head, fmt.Errorf("follower: the content that Redis names is unavailable: %w", blobErr)
	}
	return r.head, nil
}

// contentNode returns the node to read the content from.
func (s *syncer) contentNode() node {
	if s.want.tries >= primaryAfter || s.rebase.due() {
		return primary
	}
	return anyNode
}

// readSoon schedules another read of what is current if the content of a live leader waits for
// evidence and the feed receives no messages.
func (s *syncer) readSoon(h head) {
	if !s.Listen && h.locked && s.isAwaited() {
		s.reread.within(awaitedReread)
	}
}

// onStaleRead schedules another read if a read did not return what was announced.
func (s *syncer) onStaleRead(h head) {
	if s.want.rev == 0 || s.noConfig.has(s.want.hash) {
		s.want = want{}
		return
	}
	if h.meta.Rev < s.want.rev {
		s.inc(&s.n.LaggingReads)
	}
	s.want.tries++
	if s.want.tries >= LagTries {
		s.log.Warn(eventid.Lag, "Redis does not return the announced config; retrying with the next message or re-read.",
			slog.Int64("announced", s.want.rev), slog.Int64("current", h.meta.Rev))
		return
	}
	s.content.within(min(lagFirst<<(s.want.tries-1), lagMost))
}

// readContext returns the context for a read. It ends with the subscription, if there is one,
// so a read that hangs on the same network does not delay the reaction to the lost connection.
// The next connection reads anyway.
func (s *syncer) readContext(ctx context.Context) context.Context {
	if s.conn != nil && s.conn.live {
		return s.conn.open
	}
	return ctx
}

// readFailed sets the alarm named again for the next read, and returns the error.
func (s *syncer) readFailed(ctx context.Context, err error, again *alarm) error {
	if ctx.Err() != nil {
		return errClosed
	}
	if cause := context.Cause(s.readContext(ctx)); cause != nil {
		return fmt.Errorf("follower: the connection to Redis ended: %w", cause)
	}
	s.inc(&s.n.FailedReads)
	if s.failing.News(err) {
		s.log.Error(eventid.CacheRead, "Error occurred while reading the cache.", eventlog.Err(err))
	}
	if s.conn == nil || !s.conn.live {
		return fmt.Errorf("follower: %w", err) // the next connection reads anyway
	}
	again.within(s.readBackoff.next(0))
	return fmt.Errorf("follower: %w", err)
}

func (s *syncer) readWorked() {
	if s.failing.End() {
		s.log.Info(eventid.CacheReadRecovery, "Reads from Redis succeed again.")
	}
	s.readBackoff.reset()
}
