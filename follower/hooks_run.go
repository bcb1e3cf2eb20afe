package follower

import (
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

// hookRunner calls the hooks of one client, in a goroutine that is there while there is
// something to call.
type hookRunner struct {
	log eventlog.Log // hears nothing of what the hooks are told

	ready     hookList[func(CacheState)]
	changed   hookList[func(*evaluate.Config)]
	evaluated hookList[func(*EvaluationDetails)]
	failed    hookList[func(string, error)]

	mu      sync.Mutex
	queue   []hookCall
	waiting [hookKinds]int
	calling bool
	closed  bool
	done    chan struct{} // of the goroutine; nil: there is none
	dropped int64
	panics  int64
}

type hookCall struct {
	kind hookKind
	run  func()
}

// startHooks gives the hooks of a client, which are told of errors in log, too: see For.
func startHooks(initial *Hooks, log eventlog.Log) *hookRunner {
	h := &hookRunner{log: log}
	h.addAll(initial)
	return h
}

// enqueue has a call made after those that wait.
func (h *hookRunner) enqueue(kind hookKind, run func()) {
	if h.add(hookCall{kind, run}) {
		h.log.Warn(eventHookSlow, "Hooks are too slow: they are not told of everything.", slog.String("hook", hookNames[kind]))
	}
}

// add tells whether an older call had to be dropped for this one.
func (h *hookRunner) add(call hookCall) (dropped bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	most := hookQueue
	if call.kind == failedCall {
		most = errorQueue
	}
	if dropped = h.waiting[call.kind] == most; dropped {
		oldest := slices.IndexFunc(h.queue, func(c hookCall) bool { return c.kind == call.kind })
		h.queue = slices.Delete(h.queue, oldest, oldest+1)
		h.waiting[call.kind]--
		h.dropped++
	}
	h.queue = append(h.queue, call)
	h.waiting[call.kind]++
	if h.done == nil {
		h.done = make(chan struct{})
		go h.run(h.done)
	}
	return dropped
}

func (h *hookRunner) run(done chan struct{}) {
	defer close(done)
	for call, some := h.next(); some; call, some = h.next() {
		h.call(call.kind, call.run)
	}
}

// next takes what is to be called now; if there is nothing, the goroutine ends.
func (h *hookRunner) next() (call hookCall, some bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calling = false
	if h.closed || len(h.queue) == 0 {
		h.done = nil
		return hookCall{}, false
	}
	call = h.queue[0]
	h.queue = slices.Delete(h.queue, 0, 1)
	h.waiting[call.kind]--
	h.calling = true
	return call, true
}

// call calls a hook, and recovers it (S52).
func (h *hookRunner) call(kind hookKind, run func()) {
	if h.isClosed() {
		return
	}
	defer func() {
		if r := recover(); r != nil {
			h.onPanic(kind, r)
		}
	}()
	run()
}

// onPanic reports a panic, but not that of an OnError hook to itself.
func (h *hookRunner) onPanic(kind hookKind, r any) {
	h.mu.Lock()
	h.panics++
	h.mu.Unlock()
	err, ok := r.(error)
	if !ok {
		err = fmt.Errorf("panic: %v", r)
	}
	log := h.log
	if kind != failedCall {
		log = log.For(h)
	}
	log.Error(eventHookPanic, "A hook panicked.", slog.String("hook", hookNames[kind]), slog.String("panic", fmt.Sprint(r)), eventlog.Err(err))
}

func (h *hookRunner) isClosed() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.closed
}

// close drops the hooks. It waits for the goroutine, unless a hook is being called:
// it may be the one that closes the client.
func (h *hookRunner) close() {
	h.mu.Lock()
	h.closed = true
	h.queue = nil
	calling, done := h.calling, h.done
	h.mu.Unlock()
	h.evaluated.list.Store(nil)
	h.failed.list.Store(nil)
	if !calling && done != nil {
		<-done
	}
}

func (h *hookRunner) counts() (dropped, panics int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.dropped, h.panics
}
