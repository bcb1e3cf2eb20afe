package subscription_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/catbridge/catbridge/internal/subscription"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var options = subscription.Options{
	Channels: []string{"a", "b"}, Idle: 5 * time.Second, Dead: 10 * time.Second, Ack: 2 * time.Second,
}

// bubble runs a test in virtual time.
func bubble(t *testing.T, test func(t *testing.T, server *redistest.VirtualServer, link *redistest.Link)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, redistest.Virtual(t), new(redistest.Link)) })
}

func open(t *testing.T, client redis.UniversalClient) *subscription.Subscription {
	t.Helper()
	s, err := subscription.Open(t.Context(), client, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func messagesInOrder(t *testing.T, server redistest.Server) {
	s := open(t, server.Client(t, new(redistest.Link)))
	publisher := server.Client(t, nil)
	want := []subscription.Message{{Channel: "a", Payload: "1"}, {Channel: "b", Payload: "2"}, {Channel: "a", Payload: "3"}}
	for _, m := range want {
		if err := publisher.Publish(t.Context(), m.Channel, m.Payload).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range want {
		if got, err := s.Receive(); err != nil || got != m {
			t.Fatalf("got %v, %v; want %v", got, err, m)
		}
	}
}

func TestMessagesOfEveryChannelArriveInOrder(t *testing.T) {
	t.Run("virtual", func(t *testing.T) {
		bubble(t, func(t *testing.T, server *redistest.VirtualServer, _ *redistest.Link) { messagesInOrder(t, server) })
	})
	t.Run("real", func(t *testing.T) { messagesInOrder(t, redistest.Start(t)) })
}

func TestIdleConnectionThatAnswersStaysOpen(t *testing.T) {
	bubble(t, func(t *testing.T, server *redistest.VirtualServer, _ *redistest.Link) {
		s := open(t, server.Client(t, nil))
		time.AfterFunc(10*time.Minute, func() { server.Mini().Publish("a", "late") })
		if got, err := s.Receive(); err != nil || got.Payload != "late" {
			t.Fatalf("got %v, %v", got, err)
		}
	})
}

func TestSilentConnectionEndsWithinDead(t *testing.T) {
	bubble(t, func(t *testing.T, server *redistest.VirtualServer, link *redistest.Link) {
		s := open(t, server.Client(t, link))
		start := time.Now()
		link.Freeze()
		if _, err := s.Receive(); !errors.Is(err, subscription.ErrSilent) {
			t.Fatalf("got %v, want ErrSilent", err)
		}
		if took := time.Since(start); took > options.Dead {
			t.Errorf("noticed after %v of virtual time", took)
		}
	})
}

// A thousand followers that lose their connections must not reconnect at the same instant, as
// go-redis would (F13).
func TestLostConnectionIsNotDialledAgain(t *testing.T) {
	bubble(t, func(t *testing.T, server *redistest.VirtualServer, link *redistest.Link) {
		s := open(t, server.Client(t, link))
		before := link.Dialed()
		link.Cut()
		if _, err := s.Receive(); err == nil {
			t.Fatal("no error from a connection that was cut")
		}
		synctest.Wait()
		if again := link.Dialed() - before; again != 0 {
			t.Errorf("%d connections were dialled after the cut", again)
		}
	})
}

func TestMissingAcknowledgementEndsOpen(t *testing.T) {
	bubble(t, func(t *testing.T, server *redistest.VirtualServer, link *redistest.Link) {
		link.Drop(func(frame []byte) bool { return bytes.Contains(frame, []byte("subscribe")) })
		_, err := subscription.Open(t.Context(), server.Client(t, link), options)
		if !errors.Is(err, subscription.ErrNoAck) {
			t.Fatalf("got %v, want ErrNoAck", err)
		}
	})
}

func TestRefusalIsARefusedError(t *testing.T) {
	server := redistest.Start(t)
	admin := server.Client(t, nil)
	if err := admin.Do(t.Context(), "ACL", "SETUSER", "default", "resetchannels", "&a").Err(); err != nil {
		t.Fatal(err)
	}
	_, err := subscription.Open(t.Context(), server.Client(t, nil), options)
	if refused, ok := errors.AsType[*subscription.RefusedError](err); !ok || !strings.Contains(refused.Error(), "NOPERM") {
		t.Fatalf("got %v, want a RefusedError", err)
	}
}

func TestCloseWakesReceiveAndIsIdempotent(t *testing.T) {
	bubble(t, func(t *testing.T, server *redistest.VirtualServer, _ *redistest.Link) {
		s := open(t, server.Client(t, nil))
		time.AfterFunc(time.Second, s.Close)
		if _, err := s.Receive(); !errors.Is(err, subscription.ErrClosed) {
			t.Fatalf("got %v, want ErrClosed", err)
		}
		s.Close()
	})
}

func TestOpenEndsWithItsContext(t *testing.T) {
	bubble(t, func(t *testing.T, server *redistest.VirtualServer, link *redistest.Link) {
		link.Freeze()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := subscription.Open(ctx, server.Client(t, link), options); err == nil {
			t.Fatal("opened although its context had ended")
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("ended %v after its context", took-time.Second)
		}
	})
}

// Open ends, whatever go-redis waits for.
func TestOpenEndsWhenItsContextIsCancelled(t *testing.T) {
	bubble(t, func(t *testing.T, server *redistest.VirtualServer, link *redistest.Link) {
		link.Drop(func([]byte) bool { return true })
		patient := *server.Client(t, link).Options()
		patient.ReadTimeout, patient.ContextTimeoutEnabled = -1, false
		client := redis.NewClient(&patient)
		t.Cleanup(func() { _ = client.Close() })
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		if _, err := subscription.Open(ctx, client, options); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v, want that it was cancelled", err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("ended %v after its context", took-time.Second)
		}
	})
}

// dialledBy returns a client that connects with dial.
func dialledBy(t *testing.T, server *redistest.VirtualServer, dial func(ctx context.Context, through dialer) (net.Conn, error)) *redis.Client {
	t.Helper()
	opts := *server.Client(t, nil).Options()
	through := opts.Dialer
	opts.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
		return dial(ctx, func(ctx context.Context) (net.Conn, error) { return through(ctx, network, addr) })
	}
	client := redis.NewClient(&opts)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

type dialer func(ctx context.Context) (net.Conn, error)

// go-redis's own dialer ignores its context during the TLS handshake. A late connection has cost
// both ends as much as any other.
func TestLateConnectionIsUsed(t *testing.T) {
	bubble(t, func(t *testing.T, server *redistest.VirtualServer, _ *redistest.Link) {
		open(t, dialledBy(t, server, func(ctx context.Context, through dialer) (net.Conn, error) {
			time.Sleep(2 * options.Ack)
			return through(context.WithoutCancel(ctx))
		}))
	})
}

// Only a caller that never reached Redis may conclude that it is unavailable.
func TestMissingConnectionIsAnUnreachableError(t *testing.T) {
	bubble(t, func(t *testing.T, server *redistest.VirtualServer, link *redistest.Link) {
		refused := dialledBy(t, server, func(context.Context, dialer) (net.Conn, error) { return nil, io.EOF })
		_, err := subscription.Open(t.Context(), refused, options)
		if _, unreachable := errors.AsType[*subscription.UnreachableError](err); !unreachable || !errors.Is(err, io.EOF) {
			t.Errorf("no connection: %v", err)
		}
		start := time.Now()
		never := dialledBy(t, server, func(ctx context.Context, _ dialer) (net.Conn, error) {
			<-ctx.Done()
			return nil, context.Cause(ctx)
		})
		_, err = subscription.Open(t.Context(), never, options)
		if _, unreachable := errors.AsType[*subscription.UnreachableError](err); !unreachable || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("no answer: %v", err)
		}
		if took := time.Since(start); took != options.Ack {
			t.Errorf("no answer for %v, want %v", took, options.Ack)
		}
		link.Drop(func([]byte) bool { return true })
		_, err = subscription.Open(t.Context(), server.Client(t, link), options)
		if _, unreachable := errors.AsType[*subscription.UnreachableError](err); unreachable || err == nil {
			t.Errorf("connected, and no answer: %v", err)
		}
	})
}

func TestUnknownKindOfClientIsRejected(t *testing.T) {
	ring := redis.NewRing(&redis.RingOptions{})
	t.Cleanup(func() { _ = ring.Close() })
	if _, err := subscription.Open(t.Context(), ring, options); err == nil || !strings.Contains(err.Error(), "*redis.Ring") {
		t.Fatalf("got %v", err)
	}
}
