package main

import (
	"context"
	"log/slog"
	"net/url"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
)

// flushTimeout bounds how long the process waits for its last traces.
const flushTimeout = 5 * time.Second

// newTracing returns a provider that sends traces, or nil if the settings have no endpoint. Only
// the end of the process waits for the receiver.
func newTracing(ctx context.Context, t settings.Tracing, log *slog.Logger) (*trace.TracerProvider, error) {
	if t.Endpoint == "" {
		return nil, nil
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(tracesURL(t.Endpoint)))
	if err != nil {
		return nil, err
	}
	from, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "catbridge"), attribute.String("service.version", programVersion())),
		resource.WithHost(), resource.WithFromEnv(), resource.WithTelemetrySDK(),
	)
	if err != nil {
		log.Warn("traces lack a part of the attributes of this process", "error", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("sending traces failed", "error", err) }))
	return trace.NewTracerProvider(
		trace.WithBatcher(exporter), trace.WithResource(from),
		trace.WithSampler(trace.ParentBased(trace.TraceIDRatioBased(t.SampleRatio))),
	), nil
}

// tracesURL adds the usual path to a URL without one.
func tracesURL(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil || u.Path != "" && u.Path != "/" {
		return endpoint
	}
	u.Path = "/v1/traces"
	return u.String()
}

func endTracing(ctx context.Context, provider *trace.TracerProvider) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	_ = provider.Shutdown(ctx) // the error handler logs failures
}
