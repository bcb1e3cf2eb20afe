package leader

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/cdn"
	"github.com/catbridge/catbridge/internal/eventlog"
)

const (
	// minFetchGap keeps fetches apart, however many webhooks arrive.
	minFetchGap = time.Second
	// confirmAfter is the pause before an ETag that was replaced a moment ago is
	// fetched again: edges of the CDN may lag behind each other.
	confirmAfter = time.Second
	// recentFor is how long a replaced ETag is doubted.
	recentFor = 2 * time.Minute
	// firstRetry is the pause after a failed poll while there is no content at all.
	firstRetry = 5 * time.Second
)

// lateAfter are the pauses after which the CDN is asked again where a refresh was asked
// for and it had nothing new: an edge may not have yet what the dashboard has.
var lateAfter = []time.Duration{2 * time.Second, 3 * time.Second, 5 * time.Second}

// pollPlan says when to poll next.
type pollPlan struct {
	asked   bool      // poll as soon as the gap allows
	at      time.Time // the next poll otherwise; zero: now
	doubted string    // an ETag that was replaced a moment ago and that the CDN served again
	healing bool      // the CDN is asked before a later entry of somebody else is written over
	over    bool      // it was asked: that entry may be written over

	late []time.Duration // pauses that are left until what was asked for is given up
}

func (p *pollPlan) ask() { p.asked = true }

// await polls now, and again a few times until there is something new.
func (p *pollPlan) await() {
	p.asked, p.late = true, lateAfter
}

// again plans the next of the polls that await wants.
func (p *pollPlan) again() {
	if len(p.late) == 0 {
		return
	}
	if at := time.Now().Add(p.late[0]); at.Before(p.at) {
		p.at = at
	}
	p.late = p.late[1:]
}

// fetchState is the one fetch that may be under way.
type fetchState struct {
	running bool
	done    chan fetchResult
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	span    *span // of the poll that runs, or ran last
}

type fetchResult struct {
	cdn.Response
	content *content // of a 200
	err     error
}

// stop ends the fetch and waits for it.
func (f *fetchState) stop() {
	if f.cancel != nil {
		f.cancel()
	}
	f.wg.Wait()
	if f.running {
		f.span.text("catbridge.outcome", "stopped")
		f.span.end(nil)
	}
}

const never = 24 * time.Hour

// nextPoll tells in how long to start a fetch. While one runs there is no next.
func (t *term) nextPoll() time.Duration {
	if t.fetch.running {
		return never
	}
	at := t.polls.at
	if t.polls.asked {
		at = time.Time{}
	}
	if gap := t.k.lastFetch.Add(minFetchGap); at.Before(gap) {
		at = gap
	}
	if at.Before(t.k.notBefore) {
		at = t.k.notBefore
	}
	return max(time.Until(at), 0)
}

// startFetch asks the CDN whether there is something other than the newest content
// known here. The fetch has an owner: the term waits for it.
func (t *term) startFetch(ctx context.Context) {
	if t.fetch.running {
		return
	}
	now := time.Now()
	t.k.lastFetch = now
	t.polls.asked = false
	t.polls.at = now.Add(t.k.settings().poll)
	etag := ""
	if known := t.newest(); known != nil {
		etag = known.etag
	}
	ctx, t.fetch.cancel = context.WithCancel(ctx)
	ctx, t.fetch.span = t.k.trace(ctx, spanPoll, trace.SpanKindInternal, nil)
	done := make(chan fetchResult, 1)
	t.fetch.running, t.fetch.done = true, done
	t.k.stats.update(func(s *KeyStats) { s.Polls++ })
	t.fetch.wg.Go(func() { done <- t.k.fetch(ctx, etag) })
}

// newest is the newest content known here, committed or not.
func (t *term) newest() *content {
	if t.pending != nil {
		return t.pending
	}
	return t.content
}

// fetch runs beside the term, and touches nothing of it.
func (k *keeper) fetch(ctx context.Context, etag string) fetchResult {
	s := k.settings()
	began := time.Now()
	response, err := k.tracedFetch(ctx, s.fetcher, etag)
	if took := time.Since(began); ctx.Err() == nil {
		k.stats.update(func(s *KeyStats) { s.FetchTimes.Add(took) })
	}
	result := fetchResult{Response: response, err: err}
	if err == nil && !response.NotModified {
		result.content = newContent(response.JSON, response.ETag, s.broken)
	}
	return result
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
	t.k.stats.update(func(s *KeyStats) {
		s.State, s.PollError = Steady, ""
		if r.NotModified {
			s.NotModified++
		} else {
			s.Fetched++
		}
	})
	if !r.NotModified && !t.trust(r.content) {
		poll.text("catbridge.outcome", "doubted")
		return nil
	}
	healing := t.polls.healing
	t.polls.healing, t.polls.doubted = false, ""
	t.polls.over = t.polls.over || healing
	t.answered = r.Sent
	if !r.NotModified && !t.holds(r.content) {
		t.polls.late = nil
		poll.text("catbridge.outcome", "changed")
		return t.commit(ctx, r.content)
	}
	t.polls.again()
	poll.text("catbridge.outcome", "unchanged")
	if healing {
		return t.recommit(ctx)
	}
	return t.renew(ctx)
}

// holds tells whether c is current already, and keeps it if it was only in Redis.
func (t *term) holds(c *content) bool {
	if t.pending != nil || t.spoiled || c.hash != t.hash || c.storedETag() != t.etag {
		return false
	}
	if t.content == nil {
		t.take(c)
	}
	return true
}

// recommit writes the current content over what somebody else wrote.
func (t *term) recommit(ctx context.Context) error {
	if c := t.newest(); c != nil {
		t.k.stats.update(func(s *KeyStats) { s.Heals++ })
		return t.commit(ctx, c)
	}
	return t.renew(ctx)
}

// trust tells whether fetched content may be committed. An ETag that was replaced
// less than two minutes ago comes from an edge that lags, or from a real roll-back:
// it is fetched once more, and believed when it comes again.
func (t *term) trust(c *content) bool {
	stored := c.storedETag()
	if t.polls.doubted == stored || !t.replaced(c) {
		return true
	}
	t.polls.doubted = stored
	t.polls.at = time.Now().Add(confirmAfter)
	t.k.stats.update(func(s *KeyStats) { s.Doubted++ })
	t.k.log().Info(eventDoubted, "The CDN served a config that was replaced a moment ago; asking again.", slog.String("etag", stored))
	return false
}

// replaced tells whether c was current until a moment ago, or is only until what is
// pending replaces it: that may have happened already, with the reply lost.
func (t *term) replaced(c *content) bool {
	if c.hash == t.hash && !t.fellBack() {
		return t.pending != nil && t.pending.hash != c.hash
	}
	redisNow := t.redisNow + time.Since(t.redisAt).Milliseconds()
	return slices.ContainsFunc(t.k.recent, func(old cachekeys.RecentETag) bool {
		return old.ETag == c.storedETag() && redisNow-old.Until < recentFor.Milliseconds()
	})
}

// fetchFailed keeps what is current (S83, S84) and plans the next poll.
func (t *term) fetchFailed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	t.k.stats.update(func(s *KeyStats) {
		s.PollErrors++
		s.PollError = err.Error()
	})
	event, reason := eventFetch, err
	if failure, ok := errors.AsType[*cdn.Error](err); ok {
		event, reason = failure.Code, failure.Err
		if failure.RetryAfter > 0 {
			t.k.holdUntil(time.Now().Add(failure.RetryAfter))
		}
		if failure.RetryAfter == 0 && t.rev == 0 && !permanent(failure.Code) {
			t.polls.at = time.Now().Add(min(t.k.settings().poll, jitter(firstRetry)))
		}
	}
	t.k.log().Error(event, err.Error(), eventlog.Err(reason))
	t.polls.doubted = ""
	t.polls.again()
	switch healing := t.polls.healing; {
	case healing:
		t.polls.healing = false
		return t.mend(ctx, t.newest())
	case (t.rev == 0 || t.fellBack()) && t.pending == nil && t.k.mayReseed():
		t.cdn = t.k.contentCDN
		return t.mend(ctx, t.k.content)
	}
	return nil
}

// holdUntil leaves the CDN alone until then (S85).
func (k *keeper) holdUntil(at time.Time) {
	k.notBefore = at
	k.stats.update(func(s *KeyStats) { s.HeldUntil = at })
}

// mayReseed tells whether, after Redis lost data and while the CDN does not
// answer, what this process holds is better than nothing: it must be what was current
// when this process last looked. If another leader replaced it after that, followers
// hold a higher rev already, since healing does not move rev to the present.
func (k *keeper) mayReseed() bool {
	return k.content != nil && k.content.hash == k.currentHash
}

// permanent tells which errors another try will not mend soon.
func permanent(code int) bool {
	return slices.Contains([]int{1100, 1104, 1105}, code)
}

// verify refuses content from Redis that must never be committed.
func (k *keeper) verify(c *content) error {
	config, err := evaluate.Parse(c.json)
	if err != nil {
		k.log().Warn(eventForeign, "The content in Redis is no config.", eventlog.Err(err))
		return err
	}
	c.broken = len(config.BrokenFlags())
	return nil
}
