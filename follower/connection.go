package follower

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/internal/subscription"
)

// messageQueue is how many messages may wait while the sync goroutine reads from
// Redis. More than this are dropped: what they said, a read of meta says too.
const messageQueue = 64

type eventKind int

const (
	opened   eventKind = iota // the subscription was acknowledged
	received                  // a message of the bridge arrived
	over                      // the subscription ended, or could not be had
)

// event is what a connection tells the sync goroutine.
type event struct {
	from    *connection
	kind    eventKind
	message cachekeys.Message
	at      time.Time
	err     error
}

// connection is one attempt at a subscription, and what comes of it. It runs in a
// goroutine of its own, since a subscription lives only as long as it is read.
type connection struct {
	open   context.Context // ends with the subscription, before anybody is told
	cancel context.CancelFunc
	sub    atomic.Pointer[subscription.Subscription]
	done   chan struct{}
	lost   atomic.Bool // messages were dropped
	live   bool        // of the sync goroutine: it was acknowledged

	releaseSlot func() // lets another feed connect; idempotent
}

// dial starts a connection once it has a slot of the connectLimiter. Connecting and its acknowledgement may take ack, each. It must
// be closed, even after it has told that it is over.
func (f *feed) dial(ctx context.Context, ack time.Duration, events chan<- event) *connection {
	ctx, cancel := context.WithCancel(ctx)
	open, ended := context.WithCancelCause(ctx)
	c := &connection{open: open, cancel: cancel, done: make(chan struct{}), releaseSlot: func() {}}
	go func() {
		defer close(c.done)
		defer cancel()
		err := c.run(ctx, f, ack, events)
		ended(err)
		c.tell(ctx, events, event{kind: over, err: err})
	}()
	return c
}

func (c *connection) run(ctx context.Context, f *feed, ack time.Duration, events chan<- event) error {
	release, err := f.connectLimiter.acquire(ctx, f.timings.Ack/2)
	if err != nil {
		return err
	}
	defer release()
	c.releaseSlot = release // before what tells the sync goroutine that it may call it
	sub, err := subscription.Open(ctx, f.redis, subscription.Options{
		Channels: []string{f.store.keys.Events},
		Idle:     f.timings.Idle,
		Dead:     f.timings.Dead,
		Ack:      ack,
	})
	if err != nil {
		return err
	}
	defer sub.Close()
	c.sub.Store(sub)
	if ctx.Err() != nil {
		return ctx.Err() // close did not see the subscription yet
	}
	c.tell(ctx, events, event{kind: opened})
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

// parse reads a message, and tells whether it is one that followers act on.
func (f *feed) parse(payload string) (cachekeys.Message, bool) {
	message, err := cachekeys.ParseMessage([]byte(payload))
	switch {
	case err != nil:
		f.inc(&f.n.BadMessages)
		f.log.Debug(eventIgnoredMessage, "A message was ignored.", eventlog.Err(err))
		return message, false
	case !message.Known():
		f.inc(&f.n.Unknown)
		return message, false
	case message.Type == cachekeys.Refresh:
		f.inc(&f.n.RefreshAsked)
		return message, false // for leaders
	case message.Rev != 0 && message.Hash == "":
		f.inc(&f.n.BadMessages)
		f.log.Debug(eventIgnoredMessage, "A message was ignored: it names no content.")
		return message, false
	}
	f.countType(message.Type)
	return message, true
}

func (f *feed) countType(kind cachekeys.MessageType) {
	switch kind {
	case cachekeys.Change:
		f.inc(&f.n.Changes)
	case cachekeys.Heartbeat:
		f.inc(&f.n.Heartbeats)
	case cachekeys.Resign:
		f.inc(&f.n.Resignations)
	}
}

// tell delivers an event that must not get lost.
func (c *connection) tell(ctx context.Context, events chan<- event, e event) {
	e.from, e.at = c, time.Now()
	select {
	case events <- e:
	case <-ctx.Done():
	}
}

// quiet is for how long nothing was heard on an open connection, PONGs included.
func (c *connection) quiet() time.Duration {
	if sub := c.sub.Load(); sub != nil {
		return sub.Quiet()
	}
	return 0
}

// close ends the connection and waits for it.
func (c *connection) close() {
	c.cancel()
	if sub := c.sub.Load(); sub != nil {
		sub.Close()
	}
	<-c.done
}
