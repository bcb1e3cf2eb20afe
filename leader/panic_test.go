package leader

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
)

// panicking is a transport to the CDN and a hook of the Redis client. It panics once, when it
// is told to.
type panicking struct {
	http.RoundTripper
	redis.Hook
	fetch, command, batch atomic.Bool
}

func (p *panicking) RoundTrip(r *http.Request) (*http.Response, error) {
	if p.fetch.Swap(false) {
		panic("by the test")
	}
	return p.RoundTripper.RoundTrip(r)
}

func (p *panicking) DialHook(next redis.DialHook) redis.DialHook { return next }

func (p *panicking) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "evalsha" && p.command.Swap(false) {
			panic("by the test")
		}
		return next(ctx, cmd)
	}
}

func (p *panicking) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if p.batch.Swap(false) {
			panic("by the test")
		}
		return next(ctx, cmds)
	}
}

// The process is about to end. Others must not have to wait until its locks expire.
func TestAPanicReleasesAllLocksAndEndsRun(t *testing.T) {
	for name, provoke := range map[string]func(*panicking) *atomic.Bool{
		"fetch":  func(p *panicking) *atomic.Bool { return &p.fetch },
		"script": func(p *panicking) *atomic.Bool { return &p.command },
		"batch":  func(p *panicking) *atomic.Bool { return &p.batch },
	} {
		t.Run(name, func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				p := &panicking{RoundTripper: s.cdn}
				client := s.server.Client(s.T, nil)
				client.AddHook(p)
				l, err := New(Config{
					Redis: client, Transport: p,
					SDKKeys: []SDKKey{{Name: "main", Key: testKey, BaseURL: "http://cdn.test"}, {Name: "other", Key: otherKey, BaseURL: "http://cdn.test"}},
				})
				if err != nil {
					s.Fatal(err)
				}
				ended := make(chan string, 1)
				go func() {
					defer func() { ended <- fmt.Sprint(recover()) }()
					_ = l.Run(s.Context())
				}()
				s.wait(time.Second)
				for _, key := range []string{testKey, otherKey} {
					if s.client.Exists(s.Context(), cachekeys.For(key, "", 0).Lock).Val() != 1 {
						s.Fatal("no lock is held")
					}
				}
				provoke(p).Store(true)
				text := <-ended
				synctest.Wait()
				if !strings.HasPrefix(text, "leader: panic: ") || !strings.Contains(text, "by the test") || !strings.Contains(text, "panic_test.go") {
					s.Errorf("Run panicked with %s", text)
				}
				for _, key := range []string{testKey, otherKey} {
					if s.client.Exists(s.Context(), cachekeys.For(key, "", 0).Lock).Val() != 0 {
						s.Error("a lock is still held")
					}
				}
			})
		})
	}
}

// panickingTracer is a Tracer whose spans of some names panic in one method, once it is on.
type panickingTracer struct {
	method string // empty: in all
	spans  []string
	on     atomic.Bool
}

func (p *panickingTracer) call(method, name string) {
	if p.on.Load() && (p.method == "" || p.method == method) && slices.Contains(p.spans, name) {
		panic("by the test in " + method)
	}
}

func (p *panickingTracer) Start(ctx context.Context, options SpanOptions) (context.Context, Span) {
	p.call("Start", options.Name)
	return ctx, panickingSpan{p, options.Name}
}

type panickingSpan struct {
	of   *panickingTracer
	name string
}

func (s panickingSpan) Set(string, any) { s.of.call("Set", s.name) }
func (s panickingSpan) Fail(error)      { s.of.call("Fail", s.name) }
func (s panickingSpan) End()            { s.of.call("End", s.name) }

// A Tracer may panic again in the span of the poll that the first panic ended.
func TestAPanickingTracerDoesNotKeepTheLock(t *testing.T) {
	for _, spans := range [][]string{{spanPoll}, {spanFetch}, {spanCommit}, {spanPoll, spanFetch}} {
		for _, method := range []string{"Start", "Set", "End", ""} {
			t.Run(fmt.Sprintf("%s of %q", method, spans), func(t *testing.T) {
				runEnv(t, func(s *testEnv) {
					tracer := &panickingTracer{method: method, spans: spans}
					l, err := New(Config{Redis: s.server.Client(s.T, nil), SDKKeys: []SDKKey{mainKey()}, Transport: s.cdn, Tracer: tracer})
					if err != nil {
						s.Fatal(err)
					}
					ended := make(chan string, 1)
					go func() {
						defer func() { ended <- fmt.Sprint(recover()) }()
						_ = l.Run(s.Context())
					}()
					s.wait(10 * time.Second)
					if s.client.Exists(s.Context(), s.keys.Lock).Val() != 1 {
						s.Fatal("the lock is not held")
					}
					tracer.on.Store(true)
					s.cdn.Publish()
					if text := <-ended; !strings.HasPrefix(text, "leader: panic: by the test in "+method) {
						s.Errorf("Run panicked with %s", text)
					}
					if s.client.Exists(s.Context(), s.keys.Lock).Val() != 0 {
						s.Error("the lock is still held")
					}
				})
			})
		}
	}
}
