package script

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/internal/redisnode"
)

const (
	// batchWindow is the longest time that a script waits for others to the same node.
	batchWindow = 2 * time.Millisecond
	// maxBatch bounds the scripts in a batch: Redis must run all of them within the client's
	// ReadTimeout.
	maxBatch = 128
)

// Batcher runs the scripts of all SDK keys of a leader, batched as the package documentation
// describes. A single SDK key never waits. It is safe for concurrent use.
type Batcher struct {
	client redis.UniversalClient
	guard  func() // deferred by each goroutine

	ctx     context.Context // canceled by Close: ends batches that no caller waits for
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu     sync.Mutex
	queues map[*redis.Client]*nodeQueue // of the nodes with something in flight
}

// nodeQueue is the queue to one node. A node that hangs delays its own SDK keys only.
type nodeQueue struct {
	node     *redis.Client
	inFlight int
	next     *batch // accepts further calls; nil: no call waits
}

// NewBatcher returns a Batcher for the client. Each of its goroutines defers guard, which may
// recover a panic.
func NewBatcher(client redis.UniversalClient, guard func()) *Batcher {
	b := &Batcher{client: client, guard: guard, queues: map[*redis.Client]*nodeQueue{}}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	return b
}

// Close waits for everything in flight. No script may be run during or after Close.
func (b *Batcher) Close() {
	b.cancel()
	b.running.Wait()
}

// run runs a script whose keys are in one slot. ctx must have a deadline. When ctx is done,
// run returns; a script that was already sent may still take effect.
func (b *Batcher) run(ctx context.Context, script *redis.Script, keys []string, args ...any) ([]any, error) {
	node, err := redisnode.Primary(ctx, b.client, keys[0])
	if err != nil {
		return nil, err
	}
	c := &call{ctx: ctx, script: script, keys: keys, args: args}
	q, joined := b.join(node, c)
	if joined == nil {
		defer b.done(q)
		return script.Run(ctx, b.client, keys, args...).Slice()
	}
	select {
	case <-joined.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if c.refused() {
		// The node may not know the script, or the slot has moved. Any other error returns again.
		return script.Run(ctx, b.client, keys, args...).Slice()
	}
	return c.cmd.Slice()
}

// join adds the call to a batch and returns the batch. If the batch is nil, the caller sends
// the call itself and then calls done.
func (b *Batcher) join(node *redis.Client, c *call) (*nodeQueue, *batch) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q := b.queues[node]
	if q == nil {
		q = &nodeQueue{node: node, inFlight: 1}
		b.queues[node] = q
		return q, nil
	}
	next := q.next
	if next == nil {
		next = &batch{closed: make(chan struct{}), done: make(chan struct{})}
		q.next = next
		b.running.Go(func() {
			defer b.guard()
			b.sendBatch(q, next)
		})
	}
	next.calls = append(next.calls, c)
	if len(next.calls) == maxBatch {
		q.closeBatch()
	}
	return q, next
}

// sendBatch sends the batch once it is closed, and after batchWindow at the latest.
func (b *Batcher) sendBatch(q *nodeQueue, next *batch) {
	timer := time.NewTimer(batchWindow)
	defer timer.Stop()
	select {
	case <-next.closed:
	case <-timer.C:
		b.mu.Lock()
		if q.next == next {
			q.closeBatch()
		}
		b.mu.Unlock()
	}
	next.send(b.ctx, q.node)
	b.done(q)
}

// done records the end of a round trip and dispatches the next batch.
func (b *Batcher) done(q *nodeQueue) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q.inFlight--
	switch {
	case q.next != nil:
		q.closeBatch()
	case q.inFlight == 0:
		delete(b.queues, q.node)
	}
}

// closeBatch closes the batch to further calls. The caller holds the Batcher's lock.
func (q *nodeQueue) closeBatch() {
	close(q.next.closed)
	q.next = nil
	q.inFlight++
}

// call is a script that waits to be sent with a batch.
type call struct {
	ctx    context.Context
	script *redis.Script
	keys   []string
	args   []any
	cmd    *redis.Cmd // valid once the batch is done
}

// refused reports whether Redis answered with an error.
func (c *call) refused() bool {
	_, refused := errors.AsType[redis.Error](c.cmd.Err())
	return refused
}

// batch holds the calls that are sent to a node together.
type batch struct {
	calls  []*call
	closed chan struct{} // closed when no more calls can join
	done   chan struct{} // closed when each call has its outcome
}

// send runs the calls whose context is not done, until the latest of their deadlines.
func (b *batch) send(ctx context.Context, node *redis.Client) {
	defer close(b.done)
	var latest time.Time
	pipe := node.Pipeline()
	for _, c := range b.calls {
		if err := c.ctx.Err(); err != nil {
			c.cmd = redis.NewCmd(ctx)
			c.cmd.SetErr(err)
			continue
		}
		c.cmd = c.script.EvalSha(ctx, pipe, c.keys, c.args...)
		if deadline, ok := c.ctx.Deadline(); ok && deadline.After(latest) {
			latest = deadline
		}
	}
	if pipe.Len() == 0 {
		return
	}
	ctx, cancel := context.WithDeadline(ctx, latest)
	defer cancel()
	_, err := pipe.Exec(ctx)
	for _, c := range b.calls {
		// If Redis refuses the connection, the commands have neither a value nor an error.
		if c.cmd.Err() == nil && c.cmd.Val() == nil {
			c.cmd.SetErr(err)
		}
	}
}
