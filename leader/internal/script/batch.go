package leader

import (
	"context"
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

// pipeline runs the scripts of all SDK keys of a leader, batched as doc.go describes. A single
// SDK key never waits. The methods are safe for concurrent use.
type pipeline struct {
	client redis.UniversalClient
	crash  *crash // nil: panics are not recovered

	ctx     context.Context // canceled by close: ends batches that no caller waits for
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

func newPipeline(client redis.UniversalClient) *pipeline {
	p := &pipeline{client: client, queues: map[*redis.Client]*nodeQueue{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// close waits for everything in flight. It is called after the last call of run.
func (p *pipeline) close() {
	p.cancel()
	p.running.Wait()
}

// run runs a script whose keys are in one slot. ctx must have a deadline. When ctx is done,
// run returns; a script that was already sent may still take effect.
func (p *pipeline) run(ctx context.Context, script *redis.Script, keys []string, args ...any) ([]any, error) {
	node, err := redisnode.Primary(ctx, p.client, keys[0])
	if err != nil {
		return nil, err
	}
	c := &call{ctx: ctx, script: script, keys: keys, args: args}
	l, b := p.join(node, c)
	if b == nil {
		defer p.done(l)
		return script.Run(ctx, p.client, keys, args...).Slice()
	}
	select {
	case <-b.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if c.refused() {
		// The node may not know the script, or the slot has moved. Any other error returns again.
		return script.Run(ctx, p.client, keys, args...).Slice()
	}
	return c.cmd.Slice()
}

// join adds the call to a batch and returns the batch. If the batch is nil, the caller sends
// the call itself and then calls done.
func (p *pipeline) join(node *redis.Client, c *call) (*nodeQueue, *batch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.queues[node]
	if l == nil {
		l = &nodeQueue{node: node, inFlight: 1}
		p.queues[node] = l
		return l, nil
	}
	b := l.next
	if b == nil {
		b = &batch{closed: make(chan struct{}), done: make(chan struct{})}
		l.next = b
		p.running.Go(func() {
			defer p.crash.guard()
			p.sendBatch(l, b)
		})
	}
	b.calls = append(b.calls, c)
	if len(b.calls) == maxBatch {
		l.closeBatch()
	}
	return l, b
}

// sendBatch sends the batch once it is closed, and after batchWindow at the latest.
func (p *pipeline) sendBatch(l *nodeQueue, b *batch) {
	timer := time.NewTimer(batchWindow)
	defer timer.Stop()
	select {
	case <-b.closed:
	case <-timer.C:
		p.mu.Lock()
		if l.next == b {
			l.closeBatch()
		}
		p.mu.Unlock()
	}
	b.send(p.ctx, l.node)
	p.done(l)
}

// done records the end of a round trip and dispatches the next batch.
func (p *pipeline) done(l *nodeQueue) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l.inFlight--
	switch {
	case l.next != nil:
		l.closeBatch()
	case l.inFlight == 0:
		delete(p.queues, l.node)
	}
}

// closeBatch closes the batch to further calls. The caller holds the pipeline's lock.
func (l *nodeQueue) closeBatch() {
	close(l.next.closed)
	l.next = nil
	l.inFlight++
}

// align rounds at down to a tick common to the loops of all SDK keys.
func (l *Leader) align(at time.Time) time.Time {
	every := min(l.cfg.Timing.RenewInterval, l.cfg.Timing.RetryPeriod) / 100
	return at.Add(-(at.Sub(l.created) % every))
}
