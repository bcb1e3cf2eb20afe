package leader

import (
	"context"
	"errors"

	"github.com/catbridge/catbridge/internal/cdn"
	"github.com/catbridge/catbridge/leader/internal/script"
)

// A Tracer records the polls of a leader. Package leader/otel makes one of a TracerProvider of
// OpenTelemetry. docs/operations.md lists the spans. It must be safe for concurrent use.
type Tracer interface {
	// Start starts a span. It returns ctx with the span in it, so that clients that ctx is passed
	// to, such as Config.Redis and Config.Transport, can add their own. The context must not be
	// nil. A nil Span leaves the span out, and all below it.
	Start(ctx context.Context, options SpanOptions) (context.Context, Span)
}

// SpanOptions describe a span that starts.
type SpanOptions struct {
	Name   string   // such as catbridge.poll
	Kind   SpanKind // zero: no other service takes part
	Parent Span     // nil: the span starts a trace of its own, whatever ctx contains
	Link   Span     // the earlier span that caused this one; nil: none
}

// A SpanKind is the relation of a span to other services.
type SpanKind int

const (
	SpanInternal SpanKind = iota // neither of the others
	SpanClient                   // a request to Redis or the CDN
	SpanProducer                 // a published message
)

// A Span is a recorded span. Its methods are called by one goroutine at a time.
type Span interface {
	// Set sets an attribute. The value is a string or an int64.
	Set(key string, value any)
	// Fail marks the span as failed. The last error counts.
	Fail(err error)
	// End ends the span. It is called once, after all other methods.
	End()
}

// The spans of a poll, see docs/operations.md.
const (
	spanPoll    = "catbridge.poll"
	spanFetch   = "catbridge.fetch"
	spanCommit  = "catbridge.commit"
	spanRenew   = "catbridge.renew"
	spanPublish = "catbridge.publish"
)

// span is a span that may not be recorded: then its Span is nil, and its methods do nothing.
type span struct{ Span }

// spanKey is the key of the parent of the spans that are started with a context.
type spanKey struct{}

// parentSpan returns the span in ctx and reports whether there is one. It may be one that is not
// recorded.
func parentSpan(ctx context.Context) (parent span, ok bool) {
	parent, ok = ctx.Value(spanKey{}).(span)
	return parent, ok
}

// trace starts a span as a child of the span in ctx. If ctx has none, it starts a trace, with
// a link to last. Below a span that is not recorded it records nothing.
func (e *elector) trace(ctx context.Context, name string, kind SpanKind, last span) (context.Context, span) {
	tracer := e.leader.cfg.Tracer
	parent, below := parentSpan(ctx)
	if tracer == nil || below && parent.Span == nil {
		return ctx, span{}
	}
	options := SpanOptions{Name: name, Kind: kind, Parent: parent.Span}
	if !below {
		options.Link = last.Span
	}
	ctx, started := tracer.Start(ctx, options)
	s := span{started}
	s.text("catbridge.sdk_key_name", e.settings().name())
	return context.WithValue(ctx, spanKey{}, s), s
}

func (s span) text(key, value string) {
	if s.Span != nil && value != "" {
		s.Set(key, value)
	}
}

func (s span) number(key string, value int64) {
	if s.Span != nil {
		s.Set(key, value)
	}
}

func (s span) fail(err error) {
	if s.Span != nil && err != nil {
		s.Fail(err)
	}
}

func (s span) end(err error) {
	if s.Span != nil {
		s.fail(err)
		s.End()
	}
}

// write records a write as a span, and its message as another. It records a renewal only
// within a poll: heartbeats would otherwise outnumber everything else.
func (t *term) write(ctx context.Context, name string, run func(context.Context) (script.WriteReply, error)) (script.WriteReply, error) {
	if _, below := parentSpan(ctx); t.elector.leader.cfg.Tracer == nil || name == spanRenew && !below {
		return run(ctx)
	}
	ctx, s := t.elector.trace(ctx, name, SpanClient, t.fetch.span)
	w, err := run(ctx)
	s.text("db.system.name", "redis")
	s.text("catbridge.outcome", string(w.Outcome))
	s.number("catbridge.epoch", t.epoch)
	if w.Outcome == script.OK {
		s.number("catbridge.rev", w.Rev)
		_, published := t.elector.trace(ctx, spanPublish, SpanProducer, span{})
		published.text("messaging.system", "redis")
		published.text("messaging.destination.name", t.elector.store.Keys().Events)
		published.number("catbridge.rev", w.Rev)
		published.number("catbridge.receivers", w.Receivers)
		published.end(nil)
	}
	s.end(err)
	return w, err
}

func (e *elector) tracedFetch(ctx context.Context, f *cdn.Fetcher, etag string) (cdn.Response, error) {
	ctx, s := e.trace(ctx, spanFetch, SpanClient, span{})
	response, err := f.Fetch(ctx, etag)
	status, requests, ray := response.Status, response.Requests, response.RayID
	if failure, ok := errors.AsType[*cdn.Error](err); ok {
		status, requests, ray = failure.Status, failure.Requests, failure.RayID
	}
	s.number("http.response.status_code", int64(status))
	s.number("catbridge.requests", int64(requests))
	s.text("catbridge.ray_id", ray)
	s.end(err)
	return response, err
}
