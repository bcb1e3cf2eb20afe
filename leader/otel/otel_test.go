package otel_test

import (
	"context"
	"net/http"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/catbridge/catbridge/leader"
	"github.com/catbridge/catbridge/leader/otel"
)

func record() (leader.Tracer, *tracetest.SpanRecorder, trace.TracerProvider) {
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	return otel.NewTracer(provider), recorder, provider
}

func TestSpansBelongTogetherAsTheLeaderSays(t *testing.T) {
	tracer, recorder, provider := record()
	ctx, callers := provider.Tracer("caller").Start(t.Context(), "caller")
	defer callers.End()
	ctx, poll := tracer.Start(ctx, leader.SpanOptions{Name: "poll"})
	poll.Set("name", "main")
	poll.Set("rev", int64(3))
	poll.Set("odd", 1.5)
	inner, fetch := tracer.Start(context.Background(), leader.SpanOptions{Name: "fetch", Kind: leader.SpanClient, Parent: poll})
	if trace.SpanFromContext(inner).SpanContext().TraceID() != trace.SpanFromContext(ctx).SpanContext().TraceID() {
		t.Error("the context of a child has the span of another trace")
	}
	fetch.Fail(http.ErrServerClosed)
	fetch.End()
	poll.End()
	_, again := tracer.Start(ctx, leader.SpanOptions{Name: "again", Kind: leader.SpanProducer, Link: poll})
	again.End()

	spans := map[string]sdktrace.ReadOnlySpan{}
	for _, s := range recorder.Ended() {
		spans[s.Name()] = s
	}
	root, child, linked := spans["poll"], spans["fetch"], spans["again"]
	if root.Parent().IsValid() || root.SpanKind() != trace.SpanKindInternal {
		t.Errorf("poll has the parent %v, and kind %v", root.Parent(), root.SpanKind())
	}
	has := attribute.NewSet(root.Attributes()...)
	if want := attribute.NewSet(attribute.String("name", "main"), attribute.Int64("rev", 3), attribute.String("odd", "1.5")); !has.Equals(&want) {
		t.Errorf("attributes %v", root.Attributes())
	}
	if child.Parent().SpanID() != root.SpanContext().SpanID() || child.SpanKind() != trace.SpanKindClient {
		t.Errorf("fetch has the parent %v, and kind %v", child.Parent(), child.SpanKind())
	}
	if child.Status().Code != codes.Error || child.Status().Description != http.ErrServerClosed.Error() || len(child.Events()) != 1 {
		t.Errorf("fetch: status %+v, events %v", child.Status(), child.Events())
	}
	if linked.Parent().IsValid() || len(linked.Links()) != 1 || linked.Links()[0].SpanContext.SpanID() != root.SpanContext().SpanID() ||
		linked.SpanKind() != trace.SpanKindProducer {
		t.Errorf("again has the parent %v, links %v, and kind %v", linked.Parent(), linked.Links(), linked.SpanKind())
	}
}
