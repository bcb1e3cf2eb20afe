// Package otel records the polls of a leader with OpenTelemetry:
//
//	cfg.Tracer = otel.NewTracer(provider)
//
// It is a package of its own, so that services that only use the leader do not link OpenTelemetry.
package otel

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/catbridge/catbridge/leader"
)

const instrumentation = "github.com/catbridge/catbridge/leader"

// NewTracer returns a Tracer for [leader.Config] that starts its spans with provider, which must
// not be nil. It is safe for concurrent use.
func NewTracer(provider trace.TracerProvider) leader.Tracer {
	return tracer{provider.Tracer(instrumentation)}
}

type tracer struct{ tracer trace.Tracer }

var kinds = map[leader.SpanKind]trace.SpanKind{
	leader.SpanInternal: trace.SpanKindInternal,
	leader.SpanClient:   trace.SpanKindClient,
	leader.SpanProducer: trace.SpanKindProducer,
}

func (t tracer) Start(ctx context.Context, o leader.SpanOptions) (context.Context, leader.Span) {
	options := []trace.SpanStartOption{trace.WithSpanKind(kinds[o.Kind])}
	if parent, ok := o.Parent.(span); ok {
		ctx = trace.ContextWithSpan(ctx, parent.span)
	} else {
		options = append(options, trace.WithNewRoot())
	}
	if link, ok := o.Link.(span); ok {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: link.span.SpanContext()}))
	}
	ctx, started := t.tracer.Start(ctx, o.Name, options...)
	return ctx, span{started}
}

type span struct{ span trace.Span }

func (s span) Set(key string, value any) {
	switch value := value.(type) {
	case string:
		s.span.SetAttributes(attribute.String(key, value))
	case int64:
		s.span.SetAttributes(attribute.Int64(key, value))
	default: // a later version of the leader
		s.span.SetAttributes(attribute.String(key, fmt.Sprint(value)))
	}
}

func (s span) Fail(err error) {
	s.span.RecordError(err)
	s.span.SetStatus(codes.Error, err.Error())
}

func (s span) End() { s.span.End() }
