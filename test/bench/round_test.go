package bench_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// round is one change on its way to several receivers.
type round struct {
	version int64
	start   time.Time
	took    []atomic.Int64 // ns; 0: not arrived
	left    atomic.Int64
	done    chan struct{}
}

func newRound(version int64, receivers int) *round {
	r := &round{version: version, took: make([]atomic.Int64, receivers), done: make(chan struct{})}
	r.left.Store(int64(receivers))
	r.start = time.Now()
	return r
}

// arrived records that a receiver evaluates that version.
func (r *round) arrived(receiver int, version int64) {
	if r == nil || version != r.version || !r.took[receiver].CompareAndSwap(0, int64(time.Since(r.start))) {
		return
	}
	if r.left.Add(-1) == 0 {
		close(r.done)
	}
}

// wait waits for all receivers and returns their times.
func (r *round) wait(t testing.TB) []time.Duration {
	t.Helper()
	select {
	case <-r.done:
	case <-t.Context().Done():
		t.Fatalf("%d of %d receivers have not got version %d: %v", r.left.Load(), len(r.took), r.version, context.Cause(t.Context()))
	}
	times := make([]time.Duration, len(r.took))
	for i := range r.took {
		times[i] = time.Duration(r.took[i].Load())
	}
	return times
}

// once calls a function once for each version, for all concurrent callers.
type once[T any] struct {
	mu      sync.Mutex
	version int64
	get     func() T
}

func (o *once[T]) do(version int64, make func() T) T {
	o.mu.Lock()
	if o.get == nil || o.version != version {
		o.version, o.get = version, sync.OnceValue(make)
	}
	get := o.get
	o.mu.Unlock()
	return get()
}
