package follower

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/internal/eventlog"
)

// hookQueue and errorQueue limit how many calls of one kind may wait for slow hooks. Beyond
// that the oldest is dropped. hookQueue is small because changes keep configs in memory.
const (
	hookQueue  = 64
	errorQueue = 1024
)

type hookKind int

const (
	readyCall hookKind = iota
	changedCall
	evaluatedCall
	failedCall
	hookKinds
)

const hookSlowText = "Hooks are too slow: some calls were dropped."

var hookNames = [hookKinds]string{"OnClientReady", "OnConfigChanged", "OnFlagEvaluated", "OnError"}

// hookList is a list of the hooks of one kind, read without a lock.
type hookList[F any] struct {
	mu   sync.Mutex
	list atomic.Pointer[[]*F]
}

// all returns the current hooks. The slice must not be changed.
func (l *hookList[F]) all() []*F {
	list := l.list.Load()
	if list == nil {
		return nil
	}
	return *list
}

// add returns the function that removes the hook.
func (l *hookList[F]) add(hook F) (remove func()) {
	entry := &hook
	l.change(func(list []*F) []*F { return append(list, entry) })
	return func() {
		l.change(func(list []*F) []*F { return slices.DeleteFunc(list, func(e *F) bool { return e == entry }) })
	}
}

func (l *hookList[F]) change(f func([]*F) []*F) {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := f(slices.Clone(l.all()))
	l.list.Store(&list)
}

// hookRunner calls the hooks of one client. OnFlagEvaluated hooks have their own worker; the
// goroutine for all others exists only while calls are queued.
type hookRunner struct {
	log eventlog.Log // does not call OnError hooks

	ready     hookList[func(CacheState)]
	changed   hookList[func(*evaluate.Config)]
	evaluated evaluationHooks
	failed    hookList[func(string, error)]
	panics    atomic.Uint64

	mu      sync.Mutex
	queue   []hookCall
	waiting [hookKinds]int
	slow    [hookKinds]bool // calls were dropped, which was logged, and some have waited ever since
	now     hookKind        // the kind of rest
	rest    []func()        // the hooks of the last call that are still to be called
	calling bool
	closed  bool
	done    chan struct{} // closed when the goroutine ends; nil: it does not run
	dropped uint64
}

// hookCall is a queued call. hooks returns the hooks to call at that time.
type hookCall struct {
	kind  hookKind
	hooks func() []func()
}

func bind[F any](hooks []*F, call func(F)) []func() {
	calls := make([]func(), len(hooks))
	for i, hook := range hooks {
		calls[i] = func() { call(*hook) }
	}
	return calls
}

// startHooks returns the hook runner of a client. The caller passes it to log.For, so that
// errors call OnError hooks.
func startHooks(initial *Hooks, log eventlog.Log) *hookRunner {
	h := &hookRunner{log: log}
	h.evaluated.runner = h
	h.addAll(initial)
	return h
}

// enqueue does not block.
func (h *hookRunner) enqueue(kind hookKind, hooks func() []func()) {
	if h.add(hookCall{kind, hooks}) {
		h.log.Warn(eventid.HookSlow, hookSlowText, slog.String("hook", hookNames[kind]))
	}
}

// add queues a call. slow reports whether it dropped an older one, and is true only once until
// no call of this kind waits.
func (h *hookRunner) add(call hookCall) (slow bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	most := hookQueue
	if call.kind == failedCall {
		most = errorQueue
	}
	if h.waiting[call.kind] == most {
		oldest := slices.IndexFunc(h.queue, func(c hookCall) bool { return c.kind == call.kind })
		h.queue = slices.Delete(h.queue, oldest, oldest+1)
		h.waiting[call.kind]--
		h.dropped++
		slow, h.slow[call.kind] = !h.slow[call.kind], true
	}
	h.queue = append(h.queue, call)
	h.waiting[call.kind]++
	if h.done == nil {
		h.done = make(chan struct{})
		goWhile(h.next, h.done)
	}
	return slow
}

func (h *hookRunner) next() bool {
	kind, hook := h.take()
	if hook == nil {
		return false
	}
	h.call(kind, hook)
	return true
}

// take returns the next hook to call; nil: there is none, and the goroutine ends.
func (h *hookRunner) take() (kind hookKind, hook func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calling = false
	for len(h.rest) == 0 {
		if len(h.queue) == 0 {
			h.done = nil
			return 0, nil
		}
		call := h.queue[0]
		h.queue = slices.Delete(h.queue, 0, 1)
		if h.waiting[call.kind]--; h.waiting[call.kind] == 0 {
			h.slow[call.kind] = false
		}
		h.now, h.rest = call.kind, call.hooks()
	}
	hook = h.rest[0]
	h.rest = h.rest[1:]
	h.calling = true
	return h.now, hook
}

// goWhile calls step in a goroutine until it returns false, and then closes done. If a hook
// ends the goroutine (runtime.Goexit, t.FailNow), goWhile continues in another one.
func goWhile(step func() bool, done chan struct{}) {
	go func() {
		ended := false
		defer func() {
			if ended {
				close(done)
			} else {
				goWhile(step, done)
			}
		}()
		for step() {
		}
		ended = true
	}()
}

// call recovers the panic of a hook.
func (h *hookRunner) call(kind hookKind, hook func()) {
	returned := false
	defer func() {
		if r := recover(); r != nil {
			h.onPanic(kind, "A hook panicked.", r)
		} else if !returned {
			h.onPanic(kind, "A hook ended its goroutine.", errGoexit)
		}
	}()
	hook()
	returned = true
}

var errGoexit = errors.New("runtime.Goexit")

// onPanic logs that a hook did not return. The event calls OnError hooks, unless the hook is
// one of them.
func (h *hookRunner) onPanic(kind hookKind, text string, r any) {
	h.panics.Add(1)
	err, ok := r.(error)
	if !ok {
		err = fmt.Errorf("panic: %v", r)
	}
	log := h.log
	if kind != failedCall {
		log = log.For(h)
	}
	log.Error(eventid.HookPanic, text, slog.String("hook", hookNames[kind]), slog.String("panic", fmt.Sprint(r)), eventlog.Err(err))
}

// close waits until the queued evaluations are reported, but at most drainTime, and drops all
// other calls. It waits for their goroutine, unless that is running a hook: the hook may be the
// caller of Close.
func (h *hookRunner) close() {
	h.evaluated.close()
	h.mu.Lock()
	h.closed = true
	h.queue, h.rest = nil, nil
	calling, done := h.calling, h.done
	h.mu.Unlock()
	h.failed.list.Store(nil)
	if !calling && done != nil {
		<-done
	}
}

func (h *hookRunner) droppedCalls() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.dropped
}
