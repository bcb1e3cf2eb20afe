package follower

import "github.com/catbridge/catbridge/evaluate"

// Hooks are told what happens (S12). They may call any method of the client, Close too.
// One that panics, or that ends its goroutine (runtime.Goexit, t.FailNow), is logged and counted
// (S52). After [Client.Close] none is called.
//
// None is called by the goroutine of an evaluation, so that a slow hook delays only other hooks. Those of
// OnFlagEvaluated are called one after the other, in the order of events, by a goroutine
// of the client's own, and the others by another one. What hooks are too slow for is dropped, counted in
// [Counters] and told by event 6014.
type Hooks struct {
	// OnClientReady is called once, with what there is to evaluate, when [Client.Ready]
	// is closed (S46).
	OnClientReady func(state CacheState)

	// OnConfigChanged is called when the client gets its first config, and for each
	// newer content, but not when the CDN merely confirms it (S48). The config may be
	// evaluated and kept; it is the one from Redis or the CDN, without flag overrides.
	OnConfigChanged func(config *evaluate.Config)

	// OnFlagEvaluated is called for every evaluation, those that give the default and
	// each one of a GetAll… method included, soon after (S49). Up to 4,096 evaluations wait for a slow
	// hook; further ones are dropped until there is room. Close waits for those that wait, but no longer
	// than 1 s; a hook that calls Close itself makes it wait that long.
	//
	// The details may be kept, but not changed; all hooks get the same. Their User is
	// the object that was evaluated for: it must not change until the hook is done with it.
	//
	// A hook may evaluate. What it evaluates by the client is reported, too, so one that does
	// that each time it is called never comes to rest: Snapshot(user).Config() evaluates without a report.
	//
	// Without such a hook an evaluation allocates nothing.
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
	return addHook(c, "OnFlagEvaluated", &c.hooks.evaluated.hookList, hook)
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

// clientReady has the hooks told that there are now. It does not block.
func (h *hookRunner) clientReady(state CacheState) {
	calls := bind(h.ready.all(), func(hook func(CacheState)) { hook(state) })
	if len(calls) > 0 {
		h.enqueue(readyCall, func() []func() { return calls })
	}
}

// configChanged has the hooks told. It does not block.
func (h *hookRunner) configChanged(config *evaluate.Config) {
	if len(h.changed.all()) == 0 {
		return
	}
	h.enqueue(changedCall, func() []func() {
		return bind(h.changed.all(), func(hook func(*evaluate.Config)) { hook(config) })
	})
}

// Listening implements the log's listener.
func (h *hookRunner) Listening() bool { return len(h.failed.all()) > 0 }

// Failed implements the log's listener. It does not block.
func (h *hookRunner) Failed(text string, err error) {
	h.enqueue(failedCall, func() []func() {
		return bind(h.failed.all(), func(hook func(string, error)) { hook(text, err) })
	})
}

// wantsEvaluations reports whether any hook is to be told of evaluations.
func (h *hookRunner) wantsEvaluations() bool { return h != nil && h.evaluated.wanted() }
