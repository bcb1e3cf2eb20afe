package feed

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/catbridge/catbridge/internal/subscription"
	"github.com/catbridge/catbridge/internal/wire"
)

// MessageQueue is how many messages may wait while the syncer reads from Redis.
// Further ones are dropped: a read of meta returns the same information.
const MessageQueue = 64

type eventKind int

const (
	opened   eventKind = iota // the subscription was acknowledged
	received                  // a message of the bridge arrived
	over                      // the subscription ended or failed
)

// event is what a connection sends to the syncer.
type event struct {
	from    *connection
	kind    eventKind
	message wire.Message
	at      time.Time
	err     error
}

// connection is one attempt to subscribe and the subscription that results. It runs in its
// own goroutine, because a subscription must be read continuously.
type connection struct {
	open   context.Context // ends with the subscription, before over is sent
	cancel context.CancelFunc
	sub    atomic.Pointer[subscription.Subscription]
	done   chan struct{}
	lost   atomic.Bool // messages were dropped
	live   bool        // it was acknowledged; only the syncer uses this field

	releaseSlot func() // frees the slot for another feed; idempotent
}

// dial starts a connection, which first waits for a slot of the connectLimiter. Connecting and
// the acknowledgement may each take ack. The caller must close the connection, even after it
// sent over.
func (f *feed) dial(ctx context.Context, ack time.Duration, events chan<- event) *connection {
	ctx, cancel := context.WithCancel(ctx)
	open, ended := context.WithCancelCause(ctx)
	c := &connection{open: open, cancel: cancel, done: make(chan struct{}), releaseSlot: func() {}}
	go func() {
		defer close(c.done)
		defer cancel()
		err := c.run(ctx, f, ack, events)
		ended(err)
		c.send(ctx, events, event{kind: over, err: err})
	}()
	return c
}

func (c *connection) run(ctx context.Context, f *feed, ack time.Duration, events chan<- event) error {
	release, err := f.connectLimiter.acquire(ctx, f.Timings.Ack/2)
	if err != nil {
		return err
	}
	defer release()
	c.releaseSlot = release // set before opened is sent: then the syncer may call it
	sub, err := subscription.Open(ctx, f.Redis, subscription.Options{
		Channels: []string{f.Keys.Events},
		Idle:     f.Timings.Idle,
		Dead:     f.Timings.Dead,
		Ack:      ack,
	})
	if err != nil {
		return err
	}
	defer sub.Close()
	c.sub.Store(sub)
	if ctx.Err() != nil {
		return ctx.Err() // close ran before c.sub was stored
	}
	c.send(ctx, events, event{kind: opened})
	for {
		raw, err := sub.Receive()
		if err != nil {
			return err
		}
		f.inc(&f.n.Messages)
		message, ok := f.parse(raw.Payload)
		if !ok {
			continue
		}
		select {
		case events <- event{from: c, kind: received, message: message, at: time.Now()}:
		default:
			f.inc(&f.n.Dropped)
			c.lost.Store(true)
		}
	}
}

// send never drops an event.
func (c *connection) send(ctx context.Context, events chan<- event, e event) {
	e.from, e.at = c, time.Now()
	select {
	case events <- e:
	case <-ctx.Done():
	}
}

// quiet returns how long an open connection has received nothing, not even a PONG.
func (c *connection) quiet() time.Duration {
	if sub := c.sub.Load(); sub != nil {
		return sub.Quiet()
	}
	return 0
}

// close waits for the goroutine.
func (c *connection) close() {
	c.cancel()
	if sub := c.sub.Load(); sub != nil {
		sub.Close()
	}
	<-c.done
}
