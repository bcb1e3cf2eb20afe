package leader

import (
	"context"
	"log/slog"
	"time"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/internal/script"
)

// content is one config and the number of its flags whose evaluation can fail. It is immutable.
type content struct {
	*script.Content
	broken int
	cause  wire.Cause // why a commit makes it current
	change *change    // from the content that was current when it was fetched; nil: there was none

	seq    int64    // of the control from which it was made; 0: there was none
	source *content // what the CDN served, if it differs; nil: see [content.origin]
}

// newest returns the newest content of this process, committed or not, or nil.
func (t *term) newest() *content {
	if t.pending != nil {
		return t.pending
	}
	return t.content
}

func (t *term) setCurrent(c *content) {
	current := *c
	current.cause = wire.CauseRepair // if it is committed again
	t.content, t.pending, t.corrupt = &current, nil, false
	t.hash, t.etag, t.length = c.Hash, c.StoredETag(), len(c.JSON)
}

// isCurrent reports whether c is already current. If so, and this process has no copy of the
// content, it keeps c.
func (t *term) isCurrent(c *content) bool {
	if t.pending != nil || t.corrupt || c.Hash != t.hash || c.StoredETag() != t.etag || !t.sameSource(c) || t.inForce != t.elector.inForce() {
		return false
	}
	if t.content == nil || t.content.seq != c.seq {
		t.setCurrent(c)
	}
	return true
}

// adopt makes the content that meta names the current one. now is Redis's clock.
func (t *term) adopt(m wire.Meta, now int64) {
	t.rev, t.hash, t.etag, t.length, t.cdn, t.inForce = m.Rev, m.Hash, m.ETag, m.Len, m.CDN, m.Control
	t.elector.observeMeta(m, now)
	if t.content != nil && t.content.Hash != t.hash {
		t.content = nil
	}
	t.remember()
}

// remember keeps the term's content for later terms if it is known to be current.
func (t *term) remember() {
	if t.content != nil && t.elector.knowsCurrent(t.content.Hash) {
		t.elector.content = t.content
	}
	if t.elector.content != nil && t.elector.content.Hash == t.hash {
		t.elector.contentCDN = t.cdn
	}
}

// loadContent gets the current content from memory, or from Redis if it is valid there.
func (t *term) loadContent(ctx context.Context) {
	if t.rev == 0 || t.uncertain() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, t.elector.timings.RenewInterval)
	defer cancel()
	if c := t.elector.content; c != nil && c.Hash == t.hash && c.StoredETag() == t.etag {
		t.content, _ = t.withSource(ctx, c)
		return
	}
	stored, err := t.elector.store.Load(ctx, t.hash, t.etag)
	if t.corrupt = err != nil; t.corrupt {
		if ctx.Err() == nil {
			t.elector.log().Warn(eventOverwritten, "The content in Redis is not usable.", eventlog.Err(err))
		}
		return
	}
	c := t.verify(stored)
	if t.corrupt = c == nil; t.corrupt {
		return
	}
	t.content, _ = t.withSource(ctx, c) // after an error the first commit tries again
	t.remember()
}

// verify returns the content from Redis, or nil if there is none or it must not be committed.
func (t *term) verify(stored *script.Content) *content {
	if stored == nil {
		return nil
	}
	config, err := evaluate.Parse(stored.JSON)
	if err != nil {
		if !t.damage.invalid {
			t.damage.invalid = true
			t.elector.log().Warn(eventOverwritten, "The content in Redis is not a valid config.", eventlog.Err(err))
		}
		return nil
	}
	return &content{Content: stored, broken: len(config.BrokenFlags()), cause: wire.CauseRepair}
}

// uncertain reports whether Redis holds content below the highest rev that this process does not
// know to be current. The term then waits for the CDN, see doc.go.
func (t *term) uncertain() bool {
	return t.rev != 0 && t.rev < t.elector.highest && !t.elector.knowsCurrent(t.hash)
}

func (t *term) reportUncertain() {
	waits := t.uncertain()
	var began bool
	t.elector.stats.update(func(s *KeyStats) { began, s.Waits = waits && !s.Waits, waits })
	if began {
		t.elector.log().Warn(eventUncertain, "Redis holds a different config at a lower rev: it lost data, or its clock was set back. "+
			"Followers keep their config until the CDN answers.",
			slog.Int64("rev", t.rev), slog.Int64("highest", t.elector.highest))
	}
}

// confirmed reports whether an unpublished answer of the CDN confirms that it serves the content with
// that hash.
func (t *term) confirmed(source string) bool {
	return !t.answered.IsZero() && source != "" && t.answeredHash == source
}

// mayWrite reports whether this process may write its content c over the content in Redis: if
// the CDN has confirmed c, if meta names c or content of the same source, or if Redis rolled back from
// c, see doc.go.
func (t *term) mayWrite(c *content) bool {
	return t.confirmed(c.sourceHash()) || c.Hash == t.hash || t.sameSource(c) ||
		t.elector.knowsCurrent(c.Hash) && t.redisTime(time.Now()) > t.elector.highest
}
