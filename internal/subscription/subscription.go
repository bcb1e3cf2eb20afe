// Package subscription holds one Redis pub/sub subscription on one connection
// of its own, and notices when that connection is dead.
//
// It stands in for go-redis's PubSub.Channel, whose health check does not look at
// the answer, and for the reconnecting of its PubSub, which knows no pause: here a
// connection is dialled once, and when it ends the caller decides when to open the
// next, so that a thousand followers do not come back in the same instant (F13).
package subscription

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

var (
	// ErrSilent ends a subscription on which nothing, not even the answer to a PING,
	// was heard for Options.Dead.
	ErrSilent = errors.New("subscription: connection is silent")
	// ErrNoAck says that Redis did not acknowledge the subscription in time.
	ErrNoAck = errors.New("subscription: no acknowledgement")
	// ErrClosed ends a subscription that its owner closed.
	ErrClosed = errors.New("subscription: closed")
)

// RefusedError says that Redis answered SUBSCRIBE with an error, for want of a
// right to the channel for instance. Trying again at once will not help.
type RefusedError struct{ Err error }

func (e *RefusedError) Error() string { return "subscription: refused: " + e.Err.Error() }
func (e *RefusedError) Unwrap() error { return e.Err }

// UnreachableError says that there was no connection to Redis, encrypted where it is to be:
// nothing was asked of it.
type UnreachableError struct{ Err error }

func (e *UnreachableError) Error() string { return "subscription: connect: " + e.Err.Error() }
func (e *UnreachableError) Unwrap() error { return e.Err }

// Options says what to subscribe to and when to give up. All durations must be positive.
type Options struct {
	Channels []string      // at least one
	Idle     time.Duration // nothing heard for this long: send a PING
	Dead     time.Duration // nothing heard for this long: the connection is over; greater than Idle
	Ack      time.Duration // connecting, logging in and the acknowledgement take at most this long, each
}

// Message is what was published on one of the channels.
type Message struct {
	Channel string
	Payload string
}

// Subscription is one open subscription. Receive is for one goroutine; the other
// methods are safe for concurrent use.
type Subscription struct {
	client *redis.Client
	dial   *dialOnce
	pubsub *redis.PubSub
	opts   Options

	cancel context.CancelFunc
	ctx    context.Context

	start  time.Time
	heard  atomic.Int64 // time since start of the last sign of life
	early  []Message    // received before the last acknowledgement
	closed sync.Once
	cause  atomic.Pointer[error]
	done   chan struct{}
	watch  sync.WaitGroup
}

// Open connects, subscribes, and returns once every channel was acknowledged. With
// a cluster it takes a node at random, since every node delivers every message.
// The errors of a refusal are [*RefusedError], those of a connection that there was not are
// [*UnreachableError]. Cancelling ctx after Open has
// returned changes nothing: use Close.
func Open(ctx context.Context, client redis.UniversalClient, opts Options) (*Subscription, error) {
	own, dial, err := dedicated(ctx, client, opts.Ack)
	if err != nil {
		return nil, err
	}
	s := &Subscription{client: own, dial: dial, opts: opts, start: time.Now(), done: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if err := s.subscribe(ctx); err != nil {
		s.end(err)
		s.Close()
		return nil, err
	}
	s.watch.Go(s.watchdog)
	return s, nil
}

func (s *Subscription) subscribe(ctx context.Context) error {
	s.pubsub = s.client.Subscribe(s.ctx)
	if err := s.connect(ctx); err != nil {
		return err
	}
	// The wait is ended by closing the connection: a deadline that passes in the
	// middle of a reply would leave the parser lost.
	patience := time.AfterFunc(s.opts.Ack, func() { s.end(ErrNoAck) })
	defer patience.Stop()
	defer context.AfterFunc(ctx, func() { s.end(context.Cause(ctx)) })()
	for missing := len(s.opts.Channels); missing > 0; {
		reply, err := s.receive()
		if err != nil {
			if refused, ok := errors.AsType[redis.Error](err); ok {
				return &RefusedError{Err: refused}
			}
			return err
		}
		switch reply := reply.(type) {
		case *redis.Subscription:
			missing--
		case *redis.Message:
			s.early = append(s.early, Message{reply.Channel, reply.Payload})
		}
	}
	return nil
}

// connect connects and sends SUBSCRIBE.
func (s *Subscription) connect(ctx context.Context) error {
	defer context.AfterFunc(ctx, s.dial.cut)()
	switch err := s.pubsub.Subscribe(ctx, s.opts.Channels...); {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case s.dial.conn.Load() == nil:
		return &UnreachableError{Err: err}
	default:
		return fmt.Errorf("subscription: connect: %w", err)
	}
}

// Receive waits for the next message. Any error means that the subscription is
// over: [ErrSilent], [ErrClosed], or what the connection said. It must be called
// again without delay, since only what it reads counts as a sign of life.
func (s *Subscription) Receive() (Message, error) {
	if len(s.early) > 0 {
		message := s.early[0]
		s.early = s.early[1:]
		return message, nil
	}
	for {
		reply, err := s.receive()
		if err != nil {
			return Message{}, err
		}
		if message, ok := reply.(*redis.Message); ok {
			return Message{message.Channel, message.Payload}, nil
		}
	}
}

func (s *Subscription) receive() (reply any, err error) {
	// go-redis takes the shape of a reply for granted.
	defer func() {
		if r := recover(); r != nil {
			reply, err = nil, fmt.Errorf("subscription: malformed reply: %v", r)
		}
	}()
	reply, err = s.pubsub.Receive(s.ctx)
	if err != nil {
		if cause := s.cause.Load(); cause != nil {
			return nil, *cause
		}
		return nil, fmt.Errorf("subscription: receive: %w", err)
	}
	s.heard.Store(int64(time.Since(s.start)))
	return reply, nil
}

// Quiet returns for how long nothing was heard, PONGs included.
func (s *Subscription) Quiet() time.Duration {
	return time.Since(s.start) - time.Duration(s.heard.Load())
}

// watchdog asks an idle connection for a sign of life, and ends a dead one.
func (s *Subscription) watchdog() {
	timer := time.NewTimer(s.opts.Idle)
	defer timer.Stop()
	for {
		select {
		case <-s.done:
			return
		case <-timer.C:
		}
		quiet := s.Quiet()
		switch {
		case quiet >= s.opts.Dead:
			s.end(ErrSilent)
			return
		case quiet >= s.opts.Idle:
			ctx, cancel := context.WithTimeout(s.ctx, s.opts.Dead-quiet)
			_ = s.pubsub.Ping(ctx) // a failure shows as silence
			cancel()
			timer.Reset(min(s.opts.Idle, max(s.opts.Dead-s.Quiet(), 0)))
		default:
			timer.Reset(s.opts.Idle - quiet)
		}
	}
}

// end closes the connection, which wakes Receive. The first cause is kept.
func (s *Subscription) end(cause error) {
	s.closed.Do(func() {
		s.cause.Store(&cause)
		s.cancel()
		close(s.done)
		if s.pubsub != nil {
			_ = s.pubsub.Close()
		}
		_ = s.client.Close()
	})
}

// Close ends the subscription and waits until nothing of it runs any more, but for
// a Receive of the caller's, which returns [ErrClosed]. It may be called often.
func (s *Subscription) Close() {
	s.end(ErrClosed)
	s.watch.Wait()
}
