package leader

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/cdn"
	"github.com/catbridge/catbridge/internal/eventlog"
)

// newest is the newest content known here, committed or not.
func (t *term) newest() *content {
	if t.pending != nil {
		return t.pending
	}
	return t.content
}

// fetched handles the answer of the CDN.
func (t *term) fetched(ctx context.Context, r fetchResult) (err error) {
	t.fetch.running = false
	t.fetch.cancel()
	poll := t.fetch.span
	ctx = poll.within(ctx)
	defer func() { poll.end(err) }()
	if r.err != nil {
		poll.fail(r.err)
		return t.fetchFailed(ctx, r.err)
	}
	t.elector.stats.update(func(s *KeyStats) {
		s.State, s.PollError = Steady, ""
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
	if !t.trust(served) {
		poll.text("catbridge.outcome", "doubted")
		return nil
	}
	t.believe(served)
	healing := t.polls.repairing
	t.polls.repairing, t.polls.suspect = false, ""
	if healing {
		t.polls.over = t.polls.seen
	}
	t.answered, t.latest, t.answeredHash = r.Sent, t.redisTime(r.Sent), served.hash
	if !r.NotModified && !t.holds(served) {
		t.polls.late = nil
		poll.text("catbridge.outcome", "changed")
		return t.commit(ctx, served)
	}
	t.polls.again()
	poll.text("catbridge.outcome", "unchanged")
	switch {
	case !t.holds(served): // it is not committed yet, or Redis lost it meanwhile
		return t.commit(ctx, served)
	case healing:
		return t.repairConfirmed(ctx)
	}
	return t.renew(ctx)
}

// holds tells whether c is current already, and keeps it if it was only in Redis.
func (t *term) holds(c *content) bool {
	if t.pending != nil || t.corrupt || c.hash != t.hash || c.storedETag() != t.etag {
		return false
	}
	if t.content == nil {
		t.take(c)
	}
	return true
}

// repairConfirmed writes the current content over what somebody else wrote.
func (t *term) repairConfirmed(ctx context.Context) error {
	if c := t.newest(); c != nil {
		t.elector.stats.update(func(s *KeyStats) { s.Repairs++ })
		return t.commit(ctx, c)
	}
	return t.renew(ctx)
}

// trust reports whether what the CDN served may be believed. An ETag that was replaced
// less than two minutes ago comes from an edge that lags, or from a real rollback: it is
// fetched once more, and believed when it comes again. That Redis holds it proves nothing:
// Redis may have lost data, or a commit may have come through with its reply lost.
func (t *term) trust(c *content) bool {
	stored := c.storedETag()
	if t.polls.suspect == stored || !t.elector.replaced.has(stored) {
		return true
	}
	t.polls.suspect = stored
	t.polls.at = time.Now().Add(confirmAfter)
	t.elector.stats.update(func(s *KeyStats) { s.Suspect++ })
	t.elector.log().Info(eventSuspect, "The CDN served a config that was replaced a moment ago; asking again.", slog.String("etag", stored))
	return false
}

// believe notes that the CDN serves c now, and that c replaces what the CDN served before
// and what Redis holds, whether or not c is ever committed.
func (t *term) believe(c *content) {
	stored, now := c.storedETag(), time.Now()
	for _, former := range []string{t.elector.believed, t.etag} {
		if former != stored {
			t.elector.replaced.add(former, now)
		}
	}
	t.elector.replaced.remove(stored)
	t.elector.believed = stored
}

// fetchFailed keeps what is current (S83, S84) and plans the next poll.
func (t *term) fetchFailed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
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
	t.polls.again()
	switch healing := t.polls.repairing; {
	case healing:
		t.polls.repairing = false
		return t.repairWithoutCDN(ctx)
	case (t.rev == 0 || t.uncertain()) && t.pending == nil:
		return t.repairWithoutCDN(ctx)
	}
	return nil
}

// holdUntil leaves the CDN alone until then (S85).
func (e *elector) holdUntil(at time.Time) {
	e.notBefore = at
	e.stats.update(func(s *KeyStats) { s.HeldUntil = at })
}

// permanent tells which errors another try will not mend soon.
func permanent(code int) bool {
	return slices.Contains([]int{1100, 1104, 1105}, code)
}

// verify refuses content from Redis that must never be committed.
func (e *elector) verify(c *content) error {
	config, err := evaluate.Parse(c.json)
	if err != nil {
		e.log().Warn(eventOverwritten, "The content in Redis is no config.", eventlog.Err(err))
		return err
	}
	c.broken = len(config.BrokenFlags())
	return nil
}
