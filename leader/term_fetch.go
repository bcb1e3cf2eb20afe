package leader

import (
	"context"
	"sync"
	"time"

	"github.com/catbridge/catbridge/internal/cdn"
	"github.com/catbridge/catbridge/internal/wire"
)

// fetchState is the state of the term's fetch. At most one fetch runs at a time.
type fetchState struct {
	running bool
	done    chan fetchResult
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	ctx     context.Context // of the running poll, or of the last one; with its span
	span    span            // in ctx
	known   *content        // whose ETag was sent in If-None-Match; nil: no ETag was sent
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
}

// endSpan ends the span of a poll that stop ended. A Tracer may panic: the lock must then have
// been released.
func (f *fetchState) endSpan() {
	if f.running {
		f.span.text("catbridge.outcome", "stopped")
		f.span.end(nil)
	}
}

// startFetch asks the CDN for content that differs from the newest content of this process.
// The term waits for the fetch before it ends.
func (t *term) startFetch(ctx context.Context) {
	if t.fetch.running {
		return
	}
	now := time.Now()
	t.elector.lastFetch = now
	t.polls.soon = false
	t.polls.at = now.Add(t.elector.settings().poll)
	etag := ""
	t.fetch.known = t.newest().origin()
	if t.fetch.known != nil {
		etag = t.fetch.known.ETag
	}
	t.fetch.ctx, t.fetch.span = t.elector.trace(ctx, spanPoll, SpanInternal, span{})
	ctx, t.fetch.cancel = context.WithCancel(t.fetch.ctx)
	done := make(chan fetchResult, 1)
	t.fetch.running, t.fetch.done = true, done
	base, cause := t.content, t.pollCause()
	if t.elector.inForce() != 0 {
		base = nil // what becomes current is made of the answer, and its change by rebase
	}
	t.elector.stats.update(func(s *KeyStats) { s.Polls++ })
	t.fetch.wg.Go(func() {
		defer t.elector.leader.crash.guard()
		done <- t.elector.fetch(ctx, etag, base, cause, &t.fetch.wg)
	})
}

// fetch runs concurrently with the term and does not access it. base is the current content; it
// may be nil. cause is why it is fetched. running counts the goroutines that fetch leaves behind.
// While the CDN's answer is checked, its content is prepared for the commit; the result counts only
// if all checks passed.
func (e *elector) fetch(ctx context.Context, etag string, base *content, cause wire.Cause, running *sync.WaitGroup) fetchResult {
	s := e.settings()
	var prepared *preparation
	s.received = func(json []byte) {
		prepared.stop()
		prepared = e.prepare(ctx, base, json, running)
	}
	defer func() { prepared.stop() }()
	began := time.Now()
	response, err := e.tracedFetch(ctx, s.fetcher, etag)
	if took := time.Since(began); ctx.Err() == nil {
		e.stats.update(func(s *KeyStats) { s.FetchTimes.add(took) })
	}
	result := fetchResult{Response: response, err: err}
	if err == nil && !response.NotModified {
		c, change := prepared.wait()
		if c == nil {
			return fetchResult{err: ctx.Err()}
		}
		c.ETag = response.ETag
		result.content = &content{Content: c, broken: s.broken, cause: cause, change: change}
	}
	return result
}
