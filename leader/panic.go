package leader

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
)

// errCrashed is why terms end after one of the leader's goroutines panicked.
var errCrashed = errors.New("a goroutine panicked")

// crash records the first panic in a leader's goroutines. The panic ends the run, so the
// locks of all SDK keys are released, and then Run panics with it. A panic in a goroutine
// of a library ends the process at once, and the locks expire.
type crash struct {
	end context.CancelCauseFunc // ends the run

	mu   sync.Mutex
	text string // the panic's value and stack; empty: no panic
}

// guard is deferred by each goroutine. If c is nil, it does not recover.
func (c *crash) guard() {
	if c == nil {
		return
	}
	value := recover()
	if value == nil {
		return
	}
	stack := debug.Stack()
	c.mu.Lock()
	if c.text == "" {
		c.text = fmt.Sprintf("leader: panic: %v\n\n%s", value, stack)
	}
	c.mu.Unlock()
	c.end(errCrashed)
}

func (c *crash) repanic() {
	c.mu.Lock()
	text := c.text
	c.mu.Unlock()
	if text != "" {
		panic(text)
	}
}
