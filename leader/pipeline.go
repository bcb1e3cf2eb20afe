package leader

import (
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// batchWindow is how long a script waits at most for what is under way to the same node.
	batchWindow = 2 * time.Millisecond
	// maxBatch bounds what one pipeline asks of Redis, which all must get done within a
	// client's ReadTimeout.
	maxBatch = 128
)

// pipeline runs scripts for all SDK keys of a leader, those that come close together in
// one round trip. A script that finds nothing under way to its node is sent at once and
// by itself. Those that come meanwhile are sent together, as soon as that is back, and at
// the latest after linger. So nobody waits longer than that for anybody else, and a
// single SDK key for nobody.
//
// Each script has an outcome of its own. All methods are safe for concurrent use.
type pipeline struct {
	client redis.UniversalClient
	crash  *crash // nil: panics go on

	ctx     context.Context // ends what nobody waits for any more
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu    sync.Mutex
	lanes map[*redis.Client]*lane // those with something under way
}

// lane leads to a node, since a node that hangs must hold up its own SDK keys only.
type lane struct {
	node     *redis.Client
	underWay int
	next     *batch // that gathers; nil: none does
}

func newPipeline(client redis.UniversalClient) *pipeline {
	p := &pipeline{client: client, lanes: map[*redis.Client]*lane{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// close waits for what is still under way, once nobody calls run any more.
func (p *pipeline) close() {
	p.cancel()
	p.running.Wait()
}

// run runs a script whose keys lie in one slot. It waits no longer than ctx, which must
// have a deadline; a script that was sent by then may take effect all the same.
func (p *pipeline) run(ctx context.Context, script *redis.Script, keys []string, args ...any) ([]any, error) {
	node, err := p.node(ctx, keys[0])
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
		// The script is not known there, its slot has moved, or it would fail again.
		return script.Run(ctx, p.client, keys, args...).Slice()
	}
	return c.cmd.Slice()
}

// node gives the client of the node that has the key.
func (p *pipeline) node(ctx context.Context, key string) (*redis.Client, error) {
	if cluster, ok := p.client.(*redis.ClusterClient); ok {
		return cluster.MasterForKey(ctx, key)
	}
	return p.client.(*redis.Client), nil
}

// join has the call sent with others; no batch: it is to be sent by itself, and then back
// to be called.
func (p *pipeline) join(node *redis.Client, c *call) (*lane, *batch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.lanes[node]
	if l == nil {
		l = &lane{node: node, underWay: 1}
		p.lanes[node] = l
		return l, nil
	}
	b := l.next
	if b == nil {
		b = &batch{gathered: make(chan struct{}), done: make(chan struct{})}
		l.next = b
		p.running.Go(func() {
			defer p.crash.guard()
			p.carry(l, b)
		})
	}
	b.calls = append(b.calls, c)
	if len(b.calls) == maxBatch {
		l.depart()
	}
	return l, b
}

// carry sends a batch once it is gathered.
func (p *pipeline) carry(l *lane, b *batch) {
	timer := time.NewTimer(batchWindow)
	defer timer.Stop()
	select {
	case <-b.gathered:
	case <-timer.C:
		p.mu.Lock()
		if l.next == b {
			l.depart()
		}
		p.mu.Unlock()
	}
	b.send(p.ctx, l.node)
	p.done(l)
}

// done lets those go that waited for what is done now.
func (p *pipeline) done(l *lane) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l.underWay--
	switch {
	case l.next != nil:
		l.depart()
	case l.underWay == 0:
		delete(p.lanes, l.node)
	}
}

// depart lets nobody join the batch any more. The lock is held.
func (l *lane) depart() {
	close(l.next.gathered)
	l.next = nil
	l.underWay++
}

// beat gives the last moment, not after the one given, at which the loops of all SDK keys
// wake, so that their scripts come close together.
func (l *Leader) beat(at time.Time) time.Time {
	every := min(l.cfg.Timing.RenewInterval, l.cfg.Timing.RetryPeriod) / 100
	return at.Add(-(at.Sub(l.born) % every))
}
