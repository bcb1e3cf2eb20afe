package leader

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/catbridge/catbridge/internal/cdn"
	"github.com/catbridge/catbridge/internal/eventlog"
)

// fetched handles the CDN's answer.
func (t *term) fetched(r fetchResult) (err error) {
	t.fetch.running = false
	t.fetch.cancel()
	ctx, poll := t.fetch.ctx, t.fetch.span
	defer func() { poll.end(err) }()
	if r.err != nil {
		poll.fail(r.err)
		return t.fetchFailed(ctx, r.err)
	}
	t.elector.stats.update(func(s *KeyStats) {
		s.State, s.PollError = StateSteady, ""
		if r.NotModified {
			s.NotModified++
		} else {
			s.Fetched++
		}
	})
	served := r.content
	if r.NotModified {
		served = t.fetch.known
	}
	if !t.credible(served) {
		poll.text("catbridge.outcome", "suspect")
		return nil
	}
	t.believe(served)
	repairing := t.polls.repairing
	t.polls.repairing, t.polls.suspect = false, ""
	if repairing {
		t.polls.overwriteUpTo = t.polls.foundEntry
	}
	t.answered, t.latest, t.answeredHash = r.Sent, t.redisTime(r.Sent), served.Hash
	served = t.underControl(served)
	if !r.NotModified && !t.isCurrent(served) {
		t.polls.settle()
		poll.text("catbridge.outcome", "changed")
		return t.commit(ctx, served)
	}
	t.polls.planRecheck()
	poll.text("catbridge.outcome", "unchanged")
	switch {
	case !t.isCurrent(served): // not committed yet, or Redis has lost it
		return t.commit(ctx, served)
	case repairing:
		return t.repairConfirmed(ctx)
	}
	return t.renew(ctx)
}

// credible reports whether to believe content that the CDN served. A recently replaced ETag is
// fetched once more, and believed if the CDN serves it again, even if it is current in Redis,
// see doc.go.
func (t *term) credible(c *content) bool {
	stored := c.StoredETag()
	if t.polls.suspect == stored || !t.elector.replaced.has(stored) {
		return true
	}
	t.polls.suspect = stored
	t.polls.at = time.Now().Add(confirmAfter)
	t.elector.stats.update(func(s *KeyStats) { s.Suspect++ })
	t.elector.log().Info(eventSuspect, "The CDN served a config that was replaced recently; fetching it again.", slog.String("etag", stored))
	return false
}

// believe records that the CDN serves c now. c replaces the content that the CDN served
// before and the content in Redis, even if c is never committed.
func (t *term) believe(c *content) {
	stored, now := c.StoredETag(), time.Now()
	for _, former := range []string{t.elector.believed, t.sourceETag()} {
		if former != stored {
			t.elector.replaced.add(former, now)
		}
	}
	t.elector.replaced.remove(stored)
	t.elector.believed = stored
}

// fetchFailed keeps the current content (S83, S84) and plans the next poll.
func (t *term) fetchFailed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // the term ends
	}
	t.elector.stats.update(func(s *KeyStats) {
		s.PollErrors++
		s.PollError = err.Error()
	})
	event, reason := eventFetch, err
	if failure, ok := errors.AsType[*cdn.Error](err); ok {
		event, reason = failure.Code, failure.Err
		if failure.RetryAfter > 0 {
			t.elector.holdUntil(time.Now().Add(failure.RetryAfter))
		}
		if failure.RetryAfter == 0 && t.rev == 0 && !permanent(failure.Code) {
			t.polls.at = time.Now().Add(min(t.elector.settings().poll, jitter(firstRetry)))
		}
	}
	t.elector.log().Error(event, err.Error(), eventlog.Err(reason))
	t.polls.suspect = ""
	t.polls.planRecheck()
	switch repairing := t.polls.repairing; {
	case repairing:
		t.polls.repairing = false
		return t.repairWithoutCDN(ctx)
	case (t.rev == 0 || t.uncertain()) && t.pending == nil:
		return t.repairWithoutCDN(ctx)
	}
	return nil
}

// permanent reports whether a retry is unlikely to succeed soon.
func permanent(code int) bool {
	return slices.Contains([]int{cdn.CodeInvalidSDKKey, cdn.CodeRedirectLoop, cdn.CodeInvalidBody}, code)
}
