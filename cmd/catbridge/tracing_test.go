package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
)

// receiver is an OpenTelemetry receiver that stores what it receives.
type receiver struct {
	mu    sync.Mutex
	paths []string
	body  bytes.Buffer
}

func (r *receiver) ServeHTTP(_ http.ResponseWriter, req *http.Request) {
	body := io.Reader(req.Body)
	if req.Header.Get("Content-Encoding") == "gzip" {
		var err error
		if body, err = gzip.NewReader(req.Body); err != nil {
			panic(err)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.paths = append(r.paths, req.URL.Path)
	_, _ = io.Copy(&r.body, body)
}

func TestTracesAreSentBeforeTheEnd(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	var got receiver
	server := httptest.NewServer(&got)
	defer server.Close()
	for path, want := range map[string]string{"": "/v1/traces", "/": "/v1/traces", "/own": "/own"} {
		provider, err := newTracing(t.Context(), settings.Tracing{Endpoint: server.URL + path, SampleRatio: 1}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		_, span := provider.Tracer("test").Start(t.Context(), "a poll")
		span.End()
		endTracing(t.Context(), provider)
		if have := got.paths[len(got.paths)-1]; have != want {
			t.Errorf("%q: sent to %s, want %s", path, have, want)
		}
	}
	if text := got.body.String(); !strings.Contains(text, "a poll") || !strings.Contains(text, "catbridge") {
		t.Errorf("what is sent is %q", text)
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

func TestThereAreNoTracesWithoutAnEndpoint(t *testing.T) {
	if provider, err := newTracing(t.Context(), settings.Tracing{SampleRatio: 1}, nil); provider != nil || err != nil {
		t.Errorf("%v, %v", provider, err)
	}
	provider, err := newTracing(t.Context(), settings.Tracing{Endpoint: "http://127.0.0.1:1"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, span := provider.Tracer("test").Start(t.Context(), "x"); span.IsRecording() {
		t.Error("a sample ratio of 0 takes traces")
	}
	endTracing(t.Context(), provider)
}
