package leader

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// A traceRecorder is a Tracer that keeps all spans, in the order of their starts.
type traceRecorder struct {
	mu    sync.Mutex
	spans []*recordedSpan
}

type recordedSpan struct {
	of *traceRecorder
	SpanOptions
	attributes map[string]any
	err        error
	ends       int
}

func (r *traceRecorder) Start(ctx context.Context, options SpanOptions) (context.Context, Span) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &recordedSpan{of: r, SpanOptions: options, attributes: map[string]any{}}
	r.spans = append(r.spans, s)
	return context.WithValue(ctx, recordedKey{}, s), s
}

// recordedKey is the key of the innermost recordedSpan in a context.
type recordedKey struct{}

func (s *recordedSpan) change(f func()) {
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	if s.ends > 0 {
		panic("the span has ended")
	}
	f()
}

func (s *recordedSpan) Set(key string, value any) { s.change(func() { s.attributes[key] = value }) }
func (s *recordedSpan) Fail(err error)            { s.change(func() { s.err = err }) }
func (s *recordedSpan) End()                      { s.change(func() { s.ends++ }) }

// ended returns the spans that have ended.
func (r *traceRecorder) ended() []*recordedSpan {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.spans), func(s *recordedSpan) bool { return s.ends == 0 })
}

// tracing starts a leader and records its spans.
func (s *testEnv) tracing(link *redistest.Link) (*Leader, *traceRecorder) {
	s.Helper()
	recorder := &traceRecorder{}
	return s.traced(Config{Redis: s.server.Client(s.T, link), Tracer: recorder}), recorder
}

// traced starts a leader for [mainKey].
func (s *testEnv) traced(cfg Config) *Leader {
	s.Helper()
	if cfg.Redis == nil {
		cfg.Redis = s.server.Client(s.T, nil)
	}
	if cfg.SDKKeys == nil {
		cfg.SDKKeys = []SDKKey{mainKey()}
	}
	if cfg.Transport == nil {
		cfg.Transport = s.cdn
	}
	l, err := New(cfg)
	if err != nil {
		s.Fatal(err)
	}
	s.run(l)
	return l
}

// tree formats spans as a tree.
func tree(spans []*recordedSpan, below Span, indent string) string {
	var text strings.Builder
	for _, span := range spans {
		if span.Parent != below {
			continue
		}
		text.WriteString(indent + strings.TrimPrefix(span.Name, "catbridge."))
		if outcome := span.attributes["catbridge.outcome"]; outcome != nil {
			fmt.Fprintf(&text, " %v", outcome)
		}
		if span.err != nil {
			text.WriteString(" failed")
		}
		if span.Link != nil {
			text.WriteString(" linked")
		}
		text.WriteString("\n" + tree(spans, span, indent+"  "))
	}
	return text.String()
}

func wantTree(s *testEnv, spans []*recordedSpan, want string) {
	s.Helper()
	if got := tree(spans, nil, ""); got != want {
		s.Errorf("spans\n%swant\n%s", got, want)
	}
	for _, span := range spans {
		if all := fmt.Sprintf("%s %+v %v", span.Name, span.attributes, span.err); strings.Contains(all, testKey) || strings.Contains(all, testKey[16:38]) {
			s.Errorf("the SDK key is in a span: %s", all)
		}
	}
}

const changedTrace = "poll changed\n  fetch\n  commit OK\n    publish\n"

func TestEachPollIsATraceOfFetchCommitAndPublish(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, recorder := s.tracing(nil)
		wantTree(s, recorder.ended(), changedTrace)
		s.wait(l.cfg.Timings.PollInterval)
		spans := recorder.ended()
		wantTree(s, spans, changedTrace+"poll unchanged\n  fetch\n  renew OK\n    publish\n")
		for _, span := range spans {
			if name := span.attributes["catbridge.sdk_key_name"]; name != "main" {
				s.Errorf("%s: name %v", span.Name, name)
			}
			if rev, _ := span.attributes["catbridge.rev"].(int64); (span.Name == spanCommit || span.Name == spanPublish) && rev == 0 {
				s.Errorf("%s has no rev", span.Name)
			}
			if status, _ := span.attributes["http.response.status_code"].(int64); span.Name == spanFetch && status != 200 && status != 304 {
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
		wantTree(s, recorder.ended(), changedTrace+"poll failed\n  fetch failed\n")
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
		wantTree(s, recorder.ended(), changedTrace+"poll changed failed\n  fetch\n  commit failed\ncommit OK linked\n  publish\n")
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
		started, ended := len(recorder.spans), len(recorder.ended())
		if started != ended || !strings.Contains(tree(recorder.ended(), nil, ""), "poll stopped\n") {
			s.Errorf("%d of %d spans ended:\n%s", ended, started, tree(recorder.ended(), nil, ""))
		}
	})
}

// commandSpans is a hook of a Redis client. It records the names of the spans in whose contexts each command was sent.
type commandSpans struct {
	redis.Hook
	mu   sync.Mutex
	seen map[string][]string // by command
}

func (h *commandSpans) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h *commandSpans) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		name := "none"
		if s, ok := ctx.Value(recordedKey{}).(*recordedSpan); ok {
			name = s.Name
		}
		h.mu.Lock()
		h.seen[cmd.Name()] = append(h.seen[cmd.Name()], name)
		h.mu.Unlock()
		return next(ctx, cmd)
	}
}

func (h *commandSpans) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// A Redis client that traces its commands adds them to the poll. Without an answer of the CDN, a poll reads the content of Redis.
func TestTheReadsOfAPollAreInItsSpan(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		client, commands := s.server.Client(s.T, nil), &commandSpans{seen: map[string][]string{}}
		client.AddHook(commands)
		s.cdn.Break(fakecdn.Status(http.StatusInternalServerError))
		s.traced(Config{Redis: client, Tracer: &traceRecorder{}})
		s.wait(20 * time.Second)
		commands.mu.Lock()
		defer commands.mu.Unlock()
		if in := slices.Compact(commands.seen["getrange"]); !slices.Equal(in, []string{spanPoll}) {
			s.Errorf("GETRANGE was sent in the spans %q", in)
		}
	})
}

// leavingOut is a Tracer that leaves out the spans of a name.
type leavingOut struct {
	traceRecorder
	name string
}

func (w *leavingOut) Start(ctx context.Context, options SpanOptions) (context.Context, Span) {
	if options.Name == w.name {
		return ctx, nil
	}
	return w.traceRecorder.Start(ctx, options)
}

func TestANilSpanLeavesOutAllBelowIt(t *testing.T) {
	for name, want := range map[string]string{
		spanPoll:    "",
		spanFetch:   "poll changed\n  commit OK\n    publish\npoll unchanged\n  renew OK\n    publish\n",
		spanCommit:  "poll changed\n  fetch\npoll unchanged\n  fetch\n  renew OK\n    publish\n",
		spanPublish: "poll changed\n  fetch\n  commit OK\npoll unchanged\n  fetch\n  renew OK\n",
	} {
		t.Run(name, func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				tracer := &leavingOut{name: name}
				l := s.traced(Config{Tracer: tracer})
				s.wait(l.cfg.Timings.PollInterval)
				wantTree(s, tracer.ended(), want)
			})
		})
	}
}

// roundTripper is a transport to the CDN.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// I13: a network error contains the URL, and a transport may put it into its own error.
func TestNoSDKKeyIsInTheSpanOfANetworkError(t *testing.T) {
	for name, transport := range map[string]roundTripper{
		"plain": func(*http.Request) (*http.Response, error) { return nil, errors.New("down") },
		"URL":   func(r *http.Request) (*http.Response, error) { return nil, fmt.Errorf("down: %s", r.URL) },
		"escaped": func(*http.Request) (*http.Response, error) {
			return nil, errors.New("down: " + strings.ReplaceAll(testKey, "/", "%2F"))
		},
	} {
		for _, keyName := range []string{"main", ""} {
			t.Run(name+"/"+keyName, func(t *testing.T) {
				runEnv(t, func(s *testEnv) {
					key, recorder := mainKey(), &traceRecorder{}
					key.Name = keyName
					l := s.traced(Config{SDKKeys: []SDKKey{key}, Transport: transport, Tracer: recorder})
					s.wait(l.cfg.Timings.PollInterval)
					failed := 0
					for _, span := range recorder.ended() {
						if span.err != nil {
							failed++
						}
						all := fmt.Sprintf("%v %v", span.attributes, span.err)
						if strings.Contains(all, testKey[16:30]) || strings.Contains(all, testKey[39:]) {
							s.Errorf("%s: %s", span.Name, all)
						}
					}
					if failed == 0 {
						s.Error("no span has an error")
					}
				})
			})
		}
	}
}
