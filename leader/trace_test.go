package leader

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// tracing starts a leader and records its spans.
func (s *testEnv) tracing(link *redistest.Link) (*Leader, *tracetest.SpanRecorder) {
	s.Helper()
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	l, err := New(Config{
		Redis: s.server.Client(s.T, link), SDKKeys: []SDKKey{mainKey()}, Transport: s.cdn, TracerProvider: provider,
	})
	if err != nil {
		s.Fatal(err)
	}
	s.run(l)
	return l, recorder
}

// tree formats spans as a tree.
func tree(spans []sdktrace.ReadOnlySpan, below, indent string) string {
	var text strings.Builder
	for _, span := range spans {
		parent := ""
		if span.Parent().IsValid() {
			parent = span.Parent().SpanID().String()
		}
		if parent != below {
			continue
		}
		text.WriteString(indent + strings.TrimPrefix(span.Name(), "catbridge."))
		for _, a := range span.Attributes() {
			if a.Key == "catbridge.outcome" {
				text.WriteString(" " + a.Value.AsString())
			}
		}
		if span.Status().Code == codes.Error {
			text.WriteString(" failed")
		}
		if len(span.Links()) > 0 {
			text.WriteString(" linked")
		}
		text.WriteString("\n" + tree(spans, span.SpanContext().SpanID().String(), indent+"  "))
	}
	return text.String()
}

func wantTree(s *testEnv, spans []sdktrace.ReadOnlySpan, want string) {
	s.Helper()
	if got := tree(spans, "", ""); got != want {
		s.Errorf("spans\n%swant\n%s", got, want)
	}
	if all := fmt.Sprintf("%+v", tracetest.SpanStubsFromReadOnlySpans(spans)); strings.Contains(all, testKey) || strings.Contains(all, testKey[16:38]) {
		s.Error("the SDK key is in a span")
	}
}

const changedTrace = "poll changed\n  fetch\n  commit OK\n    publish\n"

func TestEachPollIsATraceOfFetchCommitAndPublish(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, recorder := s.tracing(nil)
		wantTree(s, recorder.Ended(), changedTrace)
		s.wait(l.cfg.Timings.PollInterval)
		spans := recorder.Ended()
		wantTree(s, spans, changedTrace+"poll unchanged\n  fetch\n  renew OK\n    publish\n")
		for _, span := range spans {
			has := attribute.NewSet(span.Attributes()...)
			if name, _ := has.Value("catbridge.sdk_key_name"); name.AsString() != "main" {
				s.Errorf("%s: name %q", span.Name(), name.AsString())
			}
			if rev, _ := has.Value("catbridge.rev"); (span.Name() == spanCommit || span.Name() == spanPublish) && rev.AsInt64() == 0 {
				s.Errorf("%s has no rev", span.Name())
			}
			if status, _ := has.Value("http.response.status_code"); span.Name() == spanFetch && status.AsInt64() != 200 && status.AsInt64() != 304 {
				s.Errorf("status %v", status)
			}
		}
	})
}

func TestAFailedPollIsAFailedTrace(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, recorder := s.tracing(nil)
		s.cdn.Break(fakecdn.Status(500))
		s.wait(l.cfg.Timings.PollInterval)
		wantTree(s, recorder.Ended(), changedTrace+"poll failed\n  fetch failed\n")
	})
}

func TestARetriedCommitIsLinkedToItsPoll(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, recorder := s.tracing(nil)
		s.wait(10 * time.Second)
		release := make(chan struct{})
		s.cdn.Break(fakecdn.Hang(release))
		s.cdn.Publish()
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(time.Millisecond)
		s.server.Mini().SetError("LOADING")
		close(release)
		s.wait(5 * time.Second)
		s.server.Mini().SetError("")
		s.wait(3 * time.Second)
		wantTree(s, recorder.Ended(), changedTrace+"poll changed failed\n  fetch\n  commit failed\ncommit OK linked\n  publish\n")
	})
}

func TestTheSpanOfAPollEndsWithTheTerm(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, recorder := s.tracing(nil)
		release := make(chan struct{})
		s.cdn.Break(fakecdn.Hang(release))
		s.wait(l.cfg.Timings.PollInterval)
		key := mainKey()
		key.PollInterval = time.Minute
		s.set(l, key)
		close(release)
		s.wait(time.Second)
		started, ended := len(recorder.Started()), len(recorder.Ended())
		if started != ended || !strings.Contains(tree(recorder.Ended(), "", ""), "poll stopped\n") {
			s.Errorf("%d of %d spans ended:\n%s", ended, started, tree(recorder.Ended(), "", ""))
		}
	})
}
