package follower

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/eventlog"
)

// How many calls of a kind may wait for slow hooks. Beyond that the oldest is dropped.
// Changes hold configs, which are large.
const (
	hookQueue  = 64
	errorQueue = 1024
)

// hookKind is what a hook is told of.
type hookKind int

const (
	readyCall hookKind = iota
	changedCall
	evaluatedCall
	failedCall
	hookKinds
)

const hookSlowText = "Hooks are too slow: they are not told of everything."

var hookNames = [hookKinds]string{"OnClientReady", "OnConfigChanged", "OnFlagEvaluated", "OnError"}

// hookList is the hooks of one kind, read without a lock. The zero value is an empty one.
type hookList[F any] struct {
	mu   sync.Mutex
	list atomic.Pointer[[]*F]
}

// all is the hooks at this moment; the slice is never changed.
func (l *hookList[F]) all() []*F {
	list := l.list.Load()
	if list == nil {
		return nil
	}
	return *list
}

// add adds a hook and gives the function that removes it.
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

// hookRunner calls the hooks of one client: those of evaluations by a worker of their own, the
// others in a goroutine that is there while there is something to call.
type hookRunner struct {
	log eventlog.Log // hears nothing of what the hooks are told

	ready     hookList[func(CacheState)]
	changed   hookList[func(*evaluate.Config)]
	evaluated evaluationHooks
	failed    hookList[func(string, error)]
	panics    atomic.Int64

	mu      sync.Mutex
	queue   []hookCall
	waiting [hookKinds]int
	slow    [hookKinds]bool // calls were dropped, which was logged, and have waited ever since
	now     hookKind        // of rest
	rest    []func()        // hooks that are still to be called, of the call that was taken last
	calling bool
	closed  bool
	done    chan struct{} // of the goroutine; nil: there is none
	dropped int64
}

// hookCall is something that hooks are to be told of. hooks gives those that there are when it
// is their turn.
type hookCall struct {
	kind  hookKind
	hooks func() []func()
}

// bind gives calls of hooks.
func bind[F any](hooks []*F, call func(F)) []func() {
	calls := make([]func(), len(hooks))
	for i, hook := range hooks {
		calls[i] = func() { call(*hook) }
	}
	return calls
}

// startHooks gives the hooks of a client, which are told of errors in log, too: see For.
func startHooks(initial *Hooks, log eventlog.Log) *hookRunner {
	h := &hookRunner{log: log}
	h.evaluated.runner = h
	h.addAll(initial)
	return h
}

// enqueue has hooks called after those that wait.
func (h *hookRunner) enqueue(kind hookKind, hooks func() []func()) {
	if h.add(hookCall{kind, hooks}) {
		h.log.Warn(eventHookSlow, hookSlowText, slog.String("hook", hookNames[kind]))
	}
}

// add reports whether an older call had to be dropped for this one, as the first since all
// of its kind had been made.
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

// next calls the next hook; if there is none, it reports that the goroutine is to end.
func (h *hookRunner) next() bool {
	kind, hook := h.take()
	if hook == nil {
		return false
	}
	h.call(kind, hook)
	return true
}

// take gives the hook that is to be called now; nil: there is none, and the goroutine ends.
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

// goWhile calls step in a goroutine while it reports true, and closes done in the end. A hook
// may end the goroutine (runtime.Goexit, t.FailNow): then another one goes on.
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

// call calls a hook, and recovers it (S52).
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

// onPanic reports a hook that did not return, but not an OnError hook to itself.
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
	log.Error(eventHookPanic, text, slog.String("hook", hookNames[kind]), slog.String("panic", fmt.Sprint(r)), eventlog.Err(err))
}

// close drops the hooks, after evaluations that wait have been reported, as far as there is time.
// It waits for the goroutine of the others, unless a hook is being called: it may be the one that
// closes the client.
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

func (h *hookRunner) droppedCalls() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.dropped
}
