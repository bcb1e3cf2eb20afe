package leader

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2/server"
	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// trips counts the commands and pipelines that a client sends.
type trips struct{ single, batches, batched atomic.Int64 }

func (c *trips) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *trips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "evalsha" {
			c.single.Add(1)
		}
		return next(ctx, cmd)
	}
}

func (c *trips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if cmds[0].Name() == "evalsha" {
			c.batches.Add(1)
			c.batched.Add(int64(len(cmds)))
		}
		return next(ctx, cmds)
	}
}

func (c *trips) reset() {
	c.single.Store(0)
	c.batches.Store(0)
	c.batched.Store(0)
}

// startMany starts a leader with that many SDK keys.
func (s *testEnv) startMany(link *redistest.Link, keys int) (*Leader, *trips) {
	s.Helper()
	client, counted := s.server.Client(s.T, link), new(trips)
	client.AddHook(counted)
	l, _ := s.startManyOn(client, keys)
	return l, counted
}

// startManyOn is like startMany, on the given client. stop shuts the leader down and waits.
func (s *testEnv) startManyOn(client *redis.Client, keys int) (l *Leader, stop func()) {
	s.Helper()
	cfg := Config{Redis: client, Transport: s.cdn}
	for i := range keys {
		cfg.SDKKeys = append(cfg.SDKKeys, SDKKey{Name: fmt.Sprint(i), Key: manyKey(i), BaseURL: "http://cdn.test"})
	}
	l, err := New(cfg)
	if err != nil {
		s.Fatal(err)
	}
	return l, s.run(l)
}

func manyKey(i int) string {
	return fmt.Sprintf("configcat-sdk-1/TEST_KEY-%013d/1234567890123456789012", i)
}

func TestScriptsOfManySDKKeysShareRoundTrips(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, sent := s.startMany(nil, 100)
		s.wait(10 * time.Second)
		sent.reset()
		s.wait(30 * time.Second)
		single, batches, batched := sent.single.Load(), sent.batches.Load(), sent.batched.Load()
		if all := single + batched; all < 100*9 || (single+batches)*10 > all {
			t.Errorf("%d scripts made %d round trips", all, single+batches)
		}
		for _, k := range l.Stats().Keys {
			if k.State != Steady || k.Terms != 1 || k.Renewals < 12 {
				t.Fatalf("%+v", k)
			}
		}
	})
}

func TestScriptsOfASingleSDKKeyAreSentAtOnce(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		_, sent := s.startMany(nil, 1)
		s.wait(2 * time.Minute)
		if sent.batches.Load() != 0 || sent.single.Load() < 40 {
			t.Errorf("%d by themselves, %d batches", sent.single.Load(), sent.batches.Load())
		}
	})
}

// pipelineEnv is a pipeline to a Redis in virtual time that can delay or refuse scripts by
// their first key.
type pipelineEnv struct {
	*testing.T
	*pipeline
	link *redistest.Link

	mu      sync.Mutex
	held    map[string]chan struct{}
	refused map[string]bool
	arrived []string
}

func runPipeline(t *testing.T, f func(r *pipelineEnv)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := redistest.Virtual(t)
		r := &pipelineEnv{T: t, link: new(redistest.Link), held: map[string]chan struct{}{}, refused: map[string]bool{}}
		r.pipeline = newPipeline(s.Client(t, r.link))
		defer r.close()
		if err := r.client.ScriptLoad(t.Context(), echoSource).Err(); err != nil {
			t.Fatal(err)
		}
		s.Mini().Server().SetPreHook(func(peer *server.Peer, cmd string, args ...string) bool {
			if !strings.HasPrefix(cmd, "EVAL") {
				return false
			}
			key := args[2]
			r.mu.Lock()
			r.arrived = append(r.arrived, key)
			held, refused := r.held[key], r.refused[key]
			r.mu.Unlock()
			if held != nil {
				<-held
			}
			if refused {
				peer.WriteError("OOM command not allowed when used memory > 'maxmemory'.")
			}
			return refused
		})
		f(r)
	})
}

const echoSource = `return {KEYS[1]}`

var echoScript = redis.NewScript(echoSource)

// hold delays the key's scripts in the server until release is called.
func (r *pipelineEnv) hold(key string) (release func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	held := make(chan struct{})
	r.held[key] = held
	return sync.OnceFunc(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.held, key)
		close(held)
	})
}

func (r *pipelineEnv) refuse(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refused[key] = true
}

func (r *pipelineEnv) seen(key string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(slices.DeleteFunc(slices.Clone(r.arrived), func(s string) bool { return s != key }))
}

// echoed is the outcome of echo's script and how long it took.
type echoed struct {
	err  error
	took time.Duration
}

// echo starts a script that returns its key.
func (r *pipelineEnv) echo(ctx context.Context, timeout time.Duration, key string) <-chan echoed {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	done := make(chan echoed, 1)
	begun := time.Now()
	go func() {
		defer cancel()
		reply, err := r.pipeline.run(ctx, echoScript, []string{key})
		if err == nil && (len(reply) != 1 || reply[0] != key) {
			err = fmt.Errorf("%s got the reply %v", key, reply)
		}
		done <- echoed{err, time.Since(begun)}
	}()
	synctest.Wait()
	return done
}

func TestNoScriptWaitsForAScriptThatHangs(t *testing.T) {
	runPipeline(t, func(r *pipelineEnv) {
		release := r.hold("hung")
		hung := r.echo(r.Context(), time.Second, "hung")
		for _, key := range []string{"one", "two"} {
			time.Sleep(time.Second / 10)
			if got := <-r.echo(r.Context(), time.Second, key); got.err != nil || got.took != batchWindow {
				r.Errorf("%s: %+v", key, got)
			}
		}
		release()
		if got := <-hung; got.err != nil {
			r.Error(got.err)
		}
		if got := <-r.echo(r.Context(), time.Second, "after"); got.err != nil || got.took != 0 {
			r.Errorf("with nothing under way: %+v", got)
		}
		if len(r.queues) != 0 {
			r.Errorf("%d lanes are left", len(r.queues))
		}
	})
}

func TestABatchIsSentWhenTheEarlierScriptIsDone(t *testing.T) {
	runPipeline(t, func(r *pipelineEnv) {
		release := r.hold("first")
		first := r.echo(r.Context(), time.Second, "first")
		second := r.echo(r.Context(), time.Second, "second")
		if r.seen("second") != 0 {
			r.Error("it did not wait for others")
		}
		release()
		if got := <-second; got.err != nil || got.took != 0 {
			r.Errorf("%+v", got)
		}
		<-first
	})
}

func TestABatchIsBounded(t *testing.T) {
	runPipeline(t, func(r *pipelineEnv) {
		sent := new(trips)
		r.client.AddHook(sent)
		release := r.hold("first")
		all := []<-chan echoed{r.echo(r.Context(), time.Second, "first")}
		for i := range maxBatch + 1 {
			all = append(all, r.echo(r.Context(), time.Second, fmt.Sprint(i)))
		}
		if n := sent.batched.Load(); n != maxBatch {
			r.Errorf("%d were sent at once", n)
		}
		release()
		for _, done := range all {
			if got := <-done; got.err != nil {
				r.Error(got.err)
			}
		}
	})
}

// together sends scripts as one batch: they wait while another is in flight.
func (r *pipelineEnv) together(timeouts map[string]time.Duration) map[string]<-chan echoed {
	release := r.hold("first")
	first := r.echo(r.Context(), time.Minute, "first")
	done := map[string]<-chan echoed{}
	for _, key := range slices.Sorted(maps.Keys(timeouts)) {
		done[key] = r.echo(r.Context(), timeouts[key], key)
	}
	release()
	<-first
	synctest.Wait()
	return done
}

func TestAnErrorFailsOneScriptOnly(t *testing.T) {
	runPipeline(t, func(r *pipelineEnv) {
		r.refuse("b")
		done := r.together(map[string]time.Duration{"a": time.Second, "b": time.Second, "c": time.Second})
		for key, done := range done {
			if got := <-done; (got.err == nil) == (key == "b") || key == "b" && !strings.Contains(got.err.Error(), "OOM") {
				r.Errorf("%s: %v", key, got.err)
			}
		}
		if a, b, c := r.seen("a"), r.seen("b"), r.seen("c"); a != 1 || b != 2 || c != 1 {
			r.Errorf("sent %d, %d and %d times", a, b, c)
		}
	})
}

func TestATimeoutFailsOneScriptOnly(t *testing.T) {
	runPipeline(t, func(r *pipelineEnv) {
		release := r.hold("b")
		done := r.together(map[string]time.Duration{"a": 100 * time.Millisecond, "b": 2 * time.Second, "c": time.Second})
		if got := <-done["a"]; !errors.Is(got.err, context.DeadlineExceeded) || got.took != 100*time.Millisecond {
			r.Errorf("a: %+v", got)
		}
		release()
		for _, key := range []string{"b", "c"} {
			if got := <-done[key]; got.err != nil {
				r.Errorf("%s: %v", key, got.err)
			}
		}
	})
}

func TestABatchHasTheLatestDeadlineOfItsScripts(t *testing.T) {
	runPipeline(t, func(r *pipelineEnv) {
		defer r.hold("b")()
		done := r.together(map[string]time.Duration{"a": 100 * time.Millisecond, "b": time.Second})
		if got := <-done["b"]; got.err == nil || got.took != time.Second {
			r.Errorf("%+v", got)
		}
		r.close()
		if len(r.queues) != 0 {
			r.Error("the batch has not ended")
		}
	})
}

func TestAScriptThatTimedOutInTheQueueIsNotSent(t *testing.T) {
	runPipeline(t, func(r *pipelineEnv) {
		release := r.hold("first")
		first := r.echo(r.Context(), time.Second, "first")
		ctx, cancel := context.WithCancel(r.Context())
		a, b := r.echo(ctx, time.Second, "a"), r.echo(r.Context(), time.Second, "b")
		cancel()
		if got := <-a; !errors.Is(got.err, context.Canceled) {
			r.Errorf("a: %+v", got)
		}
		release()
		if got := <-b; got.err != nil {
			r.Error(got.err)
		}
		<-first
		if r.seen("a") != 0 {
			r.Error("it was sent")
		}
	})
}

func TestALostConnectionFailsTheWholeBatch(t *testing.T) {
	runPipeline(t, func(r *pipelineEnv) {
		release := r.hold("b")
		done := r.together(map[string]time.Duration{"b": time.Second, "c": time.Second})
		r.link.Cut()
		release()
		for key, done := range done {
			if got := <-done; got.err == nil {
				r.Errorf("%s: no error", key)
			}
		}
	})
}

func TestScriptsUnknownToRedisAreSentInFull(t *testing.T) {
	runPipeline(t, func(r *pipelineEnv) {
		release := r.hold("a")
		done := r.together(map[string]time.Duration{"a": time.Second, "b": time.Second})
		if err := r.client.ScriptFlush(r.Context()).Err(); err != nil {
			r.Fatal(err)
		}
		release()
		for key, done := range done {
			if got := <-done; got.err != nil {
				r.Errorf("%s: %v", key, got.err)
			}
		}
	})
}
