package follower

import "github.com/catbridge/catbridge/evaluate"

// Hooks are functions that a client calls when something happens (S12). They may call any
// method of the client, including Close. A hook that panics or ends its goroutine
// (runtime.Goexit, t.FailNow) is logged and counted (S52). After [Client.Close] no hook is
// called.
//
// A slow hook delays only other hooks: one goroutine of the client calls the OnFlagEvaluated
// hooks one at a time, in the order of events, another one all other hooks. If hooks are too
// slow, calls are dropped, counted in [Counters] and logged as event 6014.
type Hooks struct {
	// OnClientReady is called once, with the cache state, when [Client.Ready] is closed (S46).
	OnClientReady func(state CacheState)

	// OnConfigChanged is called for the client's first config and for each change of its
	// content, but not when the CDN only confirms it (S48). The hook may evaluate and keep the
	// config, which excludes flag overrides.
	OnConfigChanged func(config *evaluate.Config)

	// OnFlagEvaluated is called soon after every evaluation (S49), including evaluations that
	// return the default and each setting of a GetAll… method. Up to 4,096 evaluations wait for
	// slow hooks; further ones are dropped. Close waits for them for at most 1 s, and for the
	// whole second if such a hook calls it.
	//
	// The hook may keep the details, but must not change them: all hooks receive the same. Their
	// User is the object that was passed to the evaluation. It must not change until the hook
	// has finished with it.
	//
	// A hook may evaluate flags. Evaluations with the client are reported, too, so a hook that
	// makes one in each call is called forever. Evaluations with Snapshot(user).Config() are
	// not reported.
	//
	// Without such a hook evaluations do not allocate.
	OnFlagEvaluated func(details *EvaluationDetails)

	// OnError is called for each event of level error, even if LogLevel drops it, with its
	// message and its cause (S50). err is never nil.
	OnError func(message string, err error)
}

// OnClientReady adds a hook, see [Hooks]. The returned function removes it and is idempotent.
// A client that is already ready does not call the hook: see [Client.Ready].
func (c *Client) OnClientReady(hook func(state CacheState)) (remove func()) {
	return addHook(c, "OnClientReady", &c.hooks.ready, hook)
}

// OnConfigChanged adds a hook, see [Hooks]. The returned function removes it, but does not
// interrupt a running call. The hook is not called for the config that is already in force.
func (c *Client) OnConfigChanged(hook func(config *evaluate.Config)) (remove func()) {
	return addHook(c, "OnConfigChanged", &c.hooks.changed, hook)
}

// OnFlagEvaluated adds a hook, see [Hooks]. The returned function removes it, but does not
// interrupt a running call.
func (c *Client) OnFlagEvaluated(hook func(details *EvaluationDetails)) (remove func()) {
	return addHook(c, "OnFlagEvaluated", &c.hooks.evaluated.hookList, hook)
}

// OnError adds a hook, see [Hooks]. The returned function removes it, but does not interrupt a
// running call.
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

func (h *hookRunner) clientReady(state CacheState) {
	calls := bind(h.ready.all(), func(hook func(CacheState)) { hook(state) })
	if len(calls) > 0 {
		h.enqueue(readyCall, func() []func() { return calls })
	}
}

func (h *hookRunner) configChanged(config *evaluate.Config) {
	if len(h.changed.all()) == 0 {
		return
	}
	h.enqueue(changedCall, func() []func() {
		return bind(h.changed.all(), func(hook func(*evaluate.Config)) { hook(config) })
	})
}

// Listening implements the listener of eventlog, as Failed does.
func (h *hookRunner) Listening() bool { return len(h.failed.all()) > 0 }

// Failed does not block.
func (h *hookRunner) Failed(text string, err error) {
	h.enqueue(failedCall, func() []func() {
		return bind(h.failed.all(), func(hook func(string, error)) { hook(text, err) })
	})
}

func (h *hookRunner) wantsEvaluations() bool { return h != nil && h.evaluated.wanted() }
