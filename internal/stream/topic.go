package stream

import "sync/atomic"

// Topic is a value that changes. The zero value has no value yet. It is safe for concurrent use.
type Topic[T any] struct {
	state atomic.Pointer[state[T]]
}

type state[T any] struct {
	value    T
	replaced chan struct{}
}

// Set replaces the value and wakes everyone who waits. It does not wait for them.
func (t *Topic[T]) Set(value T) {
	t.current() // so that there is a channel to close
	old := t.state.Swap(&state[T]{value, make(chan struct{})})
	close(old.replaced)
}

// Current returns the value, and a channel that is closed when it is replaced.
func (t *Topic[T]) Current() (value T, replaced <-chan struct{}) {
	s := t.current()
	return s.value, s.replaced
}

func (t *Topic[T]) current() *state[T] {
	for {
		if s := t.state.Load(); s != nil {
			return s
		}
		t.state.CompareAndSwap(nil, &state[T]{replaced: make(chan struct{})})
	}
}
