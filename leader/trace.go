package leader

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/catbridge/catbridge/internal/cdn"
	"github.com/catbridge/catbridge/leader/internal/script"
)

// The spans of a poll, see docs/operations.md.
const (
	spanPoll    = "catbridge.poll"
	spanFetch   = "catbridge.fetch"
	spanCommit  = "catbridge.commit"
	spanRenew   = "catbridge.renew"
	spanPublish = "catbridge.publish"
)

const instrumentation = "github.com/catbridge/catbridge/leader"

// span is a recorded span. The methods of a nil span do nothing.
type span struct{ trace.Span }

func newTracer(provider trace.TracerProvider) trace.Tracer {
	if provider == nil {
		return nil
	}
	return provider.Tracer(instrumentation)
}

// trace starts a span as a child of the span in ctx. If ctx has none, it starts a trace, with
// a link to last if that is not nil.
func (e *elector) trace(ctx context.Context, name string, kind trace.SpanKind, last *span) (context.Context, *span) {
	tracer := e.leader.tracer
	if tracer == nil {
		return ctx, nil
	}
	opts := []trace.SpanStartOption{
		trace.WithSpanKind(kind), trace.WithAttributes(attribute.String("catbridge.sdk_key_name", e.settings().name())),
	}
	if last != nil && !traced(ctx) {
		opts = append(opts, trace.WithLinks(trace.Link{SpanContext: last.SpanContext()}))
	}
	ctx, started := tracer.Start(ctx, name, opts...)
	return ctx, &span{started}
}

func traced(ctx context.Context) bool { return trace.SpanContextFromContext(ctx).IsValid() }

func (s *span) within(ctx context.Context) context.Context {
	if s == nil {
		return ctx
	}
	return trace.ContextWithSpan(ctx, s.Span)
}

func (s *span) text(key, value string) {
	if s != nil && value != "" {
		s.SetAttributes(attribute.String(key, value))
	}
}

func (s *span) number(key string, value int64) {
	if s != nil {
		s.SetAttributes(attribute.Int64(key, value))
	}
}

func (s *span) fail(err error) {
	if s != nil && err != nil {
		s.RecordError(err)
		s.SetStatus(codes.Error, err.Error())
	}
}

func (s *span) end(err error) {
	if s != nil {
		s.fail(err)
		s.End()
	}
}

// write records a write as a span, and its message as another. It records a renewal only
// within a poll: heartbeats would otherwise outnumber everything else.
func (t *term) write(ctx context.Context, name string, run func(context.Context) (script.WriteReply, error)) (script.WriteReply, error) {
	if t.elector.leader.tracer == nil || name == spanRenew && !traced(ctx) {
		return run(ctx)
	}
	ctx, s := t.elector.trace(ctx, name, trace.SpanKindClient, t.fetch.span)
	w, err := run(ctx)
	s.text("db.system.name", "redis")
	s.text("catbridge.outcome", string(w.Outcome))
	s.number("catbridge.epoch", t.epoch)
	if w.Outcome == script.OK {
		s.number("catbridge.rev", w.Rev)
		_, published := t.elector.trace(ctx, spanPublish, trace.SpanKindProducer, nil)
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
	ctx, s := e.trace(ctx, spanFetch, trace.SpanKindClient, nil)
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
