// Package subscription maintains one Redis pub/sub subscription on a connection
// of its own, and detects when that connection is dead.
//
// It replaces go-redis's PubSub.Channel, whose health check ignores the answer, and the
// reconnection of its PubSub, which does not pause. A subscription dials once. When its
// connection ends, the caller decides when to open the next one: a thousand followers
// do not reconnect at the same instant (F13).
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
	// ErrSilent ends a subscription that received nothing, not even the answer to a PING, for
	// Options.Dead.
	ErrSilent = errors.New("subscription: connection is silent")
	// ErrNoAck is returned if Redis does not acknowledge the subscription in time.
	ErrNoAck = errors.New("subscription: no acknowledgement")
	// ErrClosed ends a subscription that its owner closed.
	ErrClosed = errors.New("subscription: closed")
)

// RefusedError is returned if Redis answers SUBSCRIBE with an error, for instance because the
// user has no permission on the channel. Retrying at once does not help.
type RefusedError struct{ Err error }

func (e *RefusedError) Error() string { return "subscription: refused: " + e.Err.Error() }
func (e *RefusedError) Unwrap() error { return e.Err }

// UnreachableError is returned if there was no connection to Redis, or the TLS handshake failed:
// no command was sent.
type UnreachableError struct{ Err error }

func (e *UnreachableError) Error() string { return "subscription: connect: " + e.Err.Error() }
func (e *UnreachableError) Unwrap() error { return e.Err }

// Options configures a subscription. All durations must be positive.
type Options struct {
	Channels []string      // at least one
	Idle     time.Duration // nothing received for this long: send a PING
	Dead     time.Duration // nothing received for this long: the connection is dead; greater than Idle
	Ack      time.Duration // bounds each of connecting, logging in and the acknowledgement
}

// Message is a message published on one of the channels.
type Message struct {
	Channel string
	Payload string
}

// Subscription is an open subscription. Receive is not safe for concurrent use; the other methods
// are.
type Subscription struct {
	client *redis.Client
	dial   *dialOnce
	pubsub *redis.PubSub
	opts   Options

	cancel context.CancelFunc
	ctx    context.Context

	start  time.Time
	alive  atomic.Int64 // time from start to the last received reply
	early  []Message    // received before the last acknowledgement
	closed sync.Once
	cause  atomic.Pointer[error]
	done   chan struct{}
	watch  sync.WaitGroup
}

// Open connects and subscribes, and returns once every channel is acknowledged. In a cluster it
// uses a random node, since every node delivers every message. It returns a [*RefusedError] if
// Redis refuses the subscription, and an [*UnreachableError] if there was no connection.
// Cancelling ctx after Open has returned has no effect: use Close.
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
	// Closing the connection ends the wait: a deadline that passes in the middle of a reply would
	// leave the parser in an undefined state.
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

// Receive waits for the next message. Any error ends the subscription: [ErrSilent], [ErrClosed],
// or the connection's error. The caller must call it again without delay, since only received
// replies keep the subscription alive.
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
	// go-redis does not check the shape of a reply.
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
	s.alive.Store(int64(time.Since(s.start)))
	return reply, nil
}

// Quiet returns the time since the last received reply, including PONGs.
func (s *Subscription) Quiet() time.Duration {
	return time.Since(s.start) - time.Duration(s.alive.Load())
}

// watchdog sends PINGs on an idle connection, and ends a dead one.
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
			_ = s.pubsub.Ping(ctx) // a failed PING has no reply
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

// Close ends the subscription and waits for its goroutines. A blocked Receive returns
// [ErrClosed]. Close is idempotent.
func (s *Subscription) Close() {
	s.end(ErrClosed)
	s.watch.Wait()
}
