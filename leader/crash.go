package leader

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
)

// errCrashed ends the terms of a leader one of whose goroutines panicked.
var errCrashed = errors.New("a goroutine panicked")

// crash keeps the first panic of a leader's goroutines. It ends the run, so that the locks
// of all SDK keys are released, and then goes on from Run. Panics in goroutines that
// libraries start are beyond it: those end the process, and the locks expire.
type crash struct {
	end context.CancelCauseFunc // ends the run

	mu   sync.Mutex
	text string // of the panic, with its stack; empty: there was none
}

// guard is to be deferred by each goroutine. Without a crash to note it in, a panic goes on.
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

// again panics if a goroutine did.
func (c *crash) again() {
	c.mu.Lock()
	text := c.text
	c.mu.Unlock()
	if text != "" {
		panic(text)
	}
}
