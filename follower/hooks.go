package follower

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/eventlog"
)

// hookQueue is how many changes may wait for slow hooks. Beyond it the oldest is dropped.
const hookQueue = 64

// Hooks are told what happens. They are called one after the other, in the order of
// events, by a goroutine of the client's own, so that a slow one delays only other
// hooks. They may call any method of the client, Close too. One that panics is
// recovered and logged (S52).
type Hooks struct {
	// OnConfigChanged is called when the client gets its first config, and for each
	// newer content, but not when the CDN merely confirms it (S48). The config may be
	// evaluated and kept.
	OnConfigChanged func(config *evaluate.Config)
}

// hookRunner calls the hooks of one client.
type hookRunner struct {
	log  eventlog.Log
	wake chan struct{}
	done chan struct{}

	mu      sync.Mutex
	changed []*func(*evaluate.Config)
	queue   []*evaluate.Config
	calling bool
	closed  bool
	dropped int64
	panics  int64
}

func startHooks(initial *Hooks, log eventlog.Log) *hookRunner {
	h := &hookRunner{log: log, wake: make(chan struct{}, 1), done: make(chan struct{})}
	if initial != nil && initial.OnConfigChanged != nil {
		h.add(initial.OnConfigChanged)
	}
	go h.run()
	return h
}

// add registers a hook and gives the function that removes it.
func (h *hookRunner) add(hook func(*evaluate.Config)) (remove func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return func() {}
	}
	entry := &hook
	h.changed = append(h.changed, entry)
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		// A copy, since a call may be going over the old one.
		h.changed = slices.DeleteFunc(slices.Clone(h.changed), func(e *func(*evaluate.Config)) bool { return e == entry })
	}
}

// configChanged has the hooks told. It does not block.
func (h *hookRunner) configChanged(config *evaluate.Config) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || len(h.changed) == 0 {
		return
	}
	if len(h.queue) == hookQueue {
		h.queue = slices.Delete(h.queue, 0, 1)
		h.dropped++
		h.log.Warn(eventHookSlow, "Hooks are too slow: they are not told of every change.")
	}
	h.queue = append(h.queue, config)
	h.signal()
}

func (h *hookRunner) signal() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

func (h *hookRunner) run() {
	defer close(h.done)
	for range h.wake {
		for {
			config, hooks, closed := h.next()
			if closed {
				return
			}
			if config == nil {
				break
			}
			for _, hook := range hooks {
				h.call(*hook, config)
			}
		}
	}
}

// next takes what is to be called now; a nil config: nothing.
func (h *hookRunner) next() (config *evaluate.Config, hooks []*func(*evaluate.Config), closed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calling = false
	if h.closed || len(h.queue) == 0 {
		return nil, nil, h.closed
	}
	config = h.queue[0]
	h.queue = slices.Delete(h.queue, 0, 1)
	h.calling = true
	return config, h.changed, false
}

func (h *hookRunner) call(hook func(*evaluate.Config), config *evaluate.Config) {
	if h.isClosed() {
		return
	}
	defer func() {
		if r := recover(); r != nil {
			h.mu.Lock()
			h.panics++
			h.mu.Unlock()
			h.log.Error(eventHookPanic, "A hook panicked.", slog.String("hook", "OnConfigChanged"), slog.String("panic", fmt.Sprint(r)))
		}
	}()
	hook(config)
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
	h.changed, h.queue = nil, nil
	calling := h.calling
	h.signal()
	h.mu.Unlock()
	if !calling {
		<-h.done
	}
}

func (h *hookRunner) counts() (dropped, panics int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.dropped, h.panics
}
