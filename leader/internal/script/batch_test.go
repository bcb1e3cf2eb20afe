package script

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2/server"
	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// batchEnv is a Batcher for a Redis in virtual time that can delay or refuse scripts by
// their first key.
type batchEnv struct {
	*testing.T
	*Batcher
	link *redistest.Link

	mu      sync.Mutex
	held    map[string]chan struct{}
	refused map[string]bool
	arrived []string
}

func runBatches(t *testing.T, f func(r *batchEnv)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := redistest.Virtual(t)
		r := &batchEnv{T: t, link: new(redistest.Link), held: map[string]chan struct{}{}, refused: map[string]bool{}}
		r.Batcher = NewBatcher(s.Client(t, r.link), func() {})
		defer r.Close()
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
func (r *batchEnv) hold(key string) (release func()) {
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

func (r *batchEnv) refuse(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refused[key] = true
}

func (r *batchEnv) seen(key string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(slices.DeleteFunc(slices.Clone(r.arrived), func(s string) bool { return s != key }))
}

func (r *batchEnv) seenInAll() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.arrived)
}

// echoed is the outcome of echo's script and how long it took.
type echoed struct {
	err  error
	took time.Duration
}

// echo starts a script that returns its key.
func (r *batchEnv) echo(ctx context.Context, timeout time.Duration, key string) <-chan echoed {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	done := make(chan echoed, 1)
	begun := time.Now()
	go func() {
		defer cancel()
		reply, err := r.run(ctx, echoScript, []string{key})
		if err == nil && (len(reply) != 1 || reply[0] != key) {
			err = fmt.Errorf("%s got the reply %v", key, reply)
		}
		done <- echoed{err, time.Since(begun)}
	}()
	synctest.Wait()
	return done
}

func TestNoScriptWaitsForAScriptThatHangs(t *testing.T) {
	runBatches(t, func(r *batchEnv) {
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
			r.Errorf("%d queues are left", len(r.queues))
		}
	})
}

func TestABatchIsSentWhenTheEarlierScriptIsDone(t *testing.T) {
	runBatches(t, func(r *batchEnv) {
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
	runBatches(t, func(r *batchEnv) {
		release := r.hold("first")
		all := []<-chan echoed{r.echo(r.Context(), time.Second, "first")}
		for i := range maxBatch + 1 {
			all = append(all, r.echo(r.Context(), time.Second, fmt.Sprint(i)))
		}
		if n := r.seenInAll() - 1; n != maxBatch {
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
func (r *batchEnv) together(timeouts map[string]time.Duration) map[string]<-chan echoed {
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
	runBatches(t, func(r *batchEnv) {
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
	runBatches(t, func(r *batchEnv) {
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
	runBatches(t, func(r *batchEnv) {
		defer r.hold("b")()
		done := r.together(map[string]time.Duration{"a": 100 * time.Millisecond, "b": time.Second})
		if got := <-done["b"]; got.err == nil || got.took != time.Second {
			r.Errorf("%+v", got)
		}
		r.Close()
		if len(r.queues) != 0 {
			r.Error("the batch has not ended")
		}
	})
}

func TestAScriptThatTimedOutInTheQueueIsNotSent(t *testing.T) {
	runBatches(t, func(r *batchEnv) {
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
	runBatches(t, func(r *batchEnv) {
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
	runBatches(t, func(r *batchEnv) {
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
