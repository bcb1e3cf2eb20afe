package follower

import (
	"runtime"
	"sync"

	"github.com/catbridge/catbridge/evaluate"
)

// Hooks are told what happens (S12). They may call any method of the client, Close too.
// One that panics is recovered and logged (S52). After [Client.Close] none is called.
//
// OnFlagEvaluated is called by the goroutine that evaluates. The others are called one
// after the other, in the order of events, by a goroutine of the client's own, so that a
// slow one delays only other hooks; what it is too slow for is dropped, the oldest first,
// and counted in [Counters].
type Hooks struct {
	// OnClientReady is called once, with what there is to evaluate, when [Client.Ready]
	// is closed (S46).
	OnClientReady func(state CacheState)

	// OnConfigChanged is called when the client gets its first config, and for each
	// newer content, but not when the CDN merely confirms it (S48). The config may be
	// evaluated and kept; it is the one from Redis or the CDN, without flag overrides.
	OnConfigChanged func(config *evaluate.Config)

	// OnFlagEvaluated is called for every evaluation, those that give the default and
	// each one of a GetAll… method included, before its value is returned (S49). The
	// details may be kept, but not changed. Evaluations that the hook itself makes, in
	// the goroutine that calls it, are not reported, or it would never end. Without such a hook an evaluation allocates nothing.
	OnFlagEvaluated func(details *EvaluationDetails)

	// OnError is called for each event of level error, also where LogLevel drops it
	// (S50), with its text and what caused it. err is never nil.
	OnError func(message string, err error)
}

// OnClientReady adds a hook, see [Hooks]. The function it gives removes it, which may be
// called often. A client that is ready already does not call it: see [Client.Ready].
func (c *Client) OnClientReady(hook func(state CacheState)) (remove func()) {
	return addHook(c, "OnClientReady", &c.hooks.ready, hook)
}

// OnConfigChanged adds a hook, see [Hooks]. The function it gives removes it; a call
// that has begun goes on. A config held already is not reported.
func (c *Client) OnConfigChanged(hook func(config *evaluate.Config)) (remove func()) {
	return addHook(c, "OnConfigChanged", &c.hooks.changed, hook)
}

// OnFlagEvaluated adds a hook, see [Hooks]. The function it gives removes it; a call
// that has begun goes on.
func (c *Client) OnFlagEvaluated(hook func(details *EvaluationDetails)) (remove func()) {
	return addHook(c, "OnFlagEvaluated", &c.hooks.evaluated, hook)
}

// OnError adds a hook, see [Hooks]. The function it gives removes it; a call that has
// begun goes on.
func (c *Client) OnError(hook func(message string, err error)) (remove func()) {
	return addHook(c, "OnError", &c.hooks.failed, hook)
}

func addHook[F any](c *Client, method string, list *hookList[F], hook F) (remove func()) {
	if c.isClosed() {
		c.logClosed(method)
		return func() {}
	}
	return list.add(hook)
}

// addAll adds the hooks that there are at creation.
func (h *hookRunner) addAll(hooks *Hooks) {
	if hooks == nil {
		return
	}
	if hooks.OnClientReady != nil {
		h.ready.add(hooks.OnClientReady)
	}
	if hooks.OnConfigChanged != nil {
		h.changed.add(hooks.OnConfigChanged)
	}
	if hooks.OnFlagEvaluated != nil {
		h.evaluated.add(hooks.OnFlagEvaluated)
	}
	if hooks.OnError != nil {
		h.failed.add(hooks.OnError)
	}
}

// clientReady has the hooks told. It does not block.
func (h *hookRunner) clientReady(state CacheState) {
	for _, hook := range h.ready.all() {
		h.enqueue(readyCall, func() { (*hook)(state) })
	}
}

// configChanged has the hooks told. It does not block.
func (h *hookRunner) configChanged(config *evaluate.Config) {
	if len(h.changed.all()) == 0 {
		return
	}
	h.enqueue(changedCall, func() {
		for _, hook := range h.changed.all() {
			h.call(changedCall, func() { (*hook)(config) })
		}
	})
}

// Listening implements the log's listener.
func (h *hookRunner) Listening() bool { return len(h.failed.all()) > 0 }

// Failed implements the log's listener. It does not block.
func (h *hookRunner) Failed(text string, err error) {
	h.enqueue(failedCall, func() {
		for _, hook := range h.failed.all() {
			h.call(failedCall, func() { (*hook)(text, err) })
		}
	})
}

// wantsEvaluations tells whether any hook is to be told of evaluations.
func (h *hookRunner) wantsEvaluations() bool { return h != nil && len(h.evaluated.all()) > 0 }

// flagEvaluated tells the hooks at once, unless it is one of them that evaluates: it
// would be told of what it did because it was told.
//
//go:noinline
func (h *hookRunner) flagEvaluated(details *EvaluationDetails) {
	if isNested() {
		return
	}
	for _, hook := range h.evaluated.all() {
		h.call(evaluatedCall, func() { (*hook)(details) })
	}
}

// callers is room for a stack, which is deep only where a hook is called.
var callers = sync.Pool{New: func() any { return new([256]uintptr) }}

// maxCode is more than the code of flagEvaluated takes, in bytes.
const maxCode = 1 << 16

// isNested tells whether flagEvaluated, which calls it, is on the stack a second time.
//
//go:noinline
func isNested() bool {
	stack := callers.Get().(*[256]uintptr)
	defer callers.Put(stack)
	n := runtime.Callers(2, stack[:]) // the first is flagEvaluated
	if n == 0 {
		return false
	}
	self := runtime.FuncForPC(stack[0] - 1).Entry()
	for _, pc := range stack[1:n] {
		if pc < self || pc > self+maxCode {
			continue // looking it up takes long
		}
		if f := runtime.FuncForPC(pc - 1); f != nil && f.Entry() == self {
			return true
		}
	}
	return false
}
