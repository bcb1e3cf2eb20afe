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

// flushTimeout bounds sending the last traces at the end.
const flushTimeout = 5 * time.Second

// newTracing gives the provider whose traces go where the settings say. Nil: nowhere.
// Nothing ever waits for the receiver but the end of the process, for flushTimeout.
func newTracing(ctx context.Context, t settings.Tracing, log *slog.Logger) (*trace.TracerProvider, error) {
	if t.Endpoint == "" {
		return nil, nil
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(tracesURL(t.Endpoint)))
	if err != nil {
		return nil, err
	}
	from, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "catbridge"), attribute.String("service.version", version())),
		resource.WithHost(), resource.WithFromEnv(), resource.WithTelemetrySDK(),
	)
	if err != nil {
		log.Warn("a part of what traces tell of this process is missing", "error", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces cannot be sent", "error", err) }))
	return trace.NewTracerProvider(
		trace.WithBatcher(exporter), trace.WithResource(from),
		trace.WithSampler(trace.ParentBased(trace.TraceIDRatioBased(t.SampleRatio))),
	), nil
}

// tracesURL adds the path that receivers use to a URL that has none.
func tracesURL(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil || u.Path != "" && u.Path != "/" {
		return endpoint
	}
	u.Path = "/v1/traces"
	return u.String()
}

// endTracing sends what was not sent yet.
func endTracing(ctx context.Context, provider *trace.TracerProvider) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	_ = provider.Shutdown(ctx) // what fails is told to the error handler, or is too late
}
