package follower

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/follower/internal/feed"
)

// busyServer simulates a server with limited CPU time: each connection costs CPU time, and connections
// that are made at the same time share it.
type busyServer struct {
	cost            time.Duration
	making          atomic.Int64
	made, abandoned atomic.Int64
}

func (b *busyServer) slow(dial dialer) dialer {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		defer b.making.Add(-1)
		b.making.Add(1)
		for left := b.cost; left > 0; {
			time.Sleep(b.cost)
			left -= b.cost / time.Duration(b.making.Load())
		}
		if ctx.Err() != nil { // the client gave up meanwhile
			b.abandoned.Add(1)
			return nil, context.Cause(ctx)
		}
		b.made.Add(1)
		return dial(ctx, network, addr)
	}
}

type dialer = func(ctx context.Context, network, addr string) (net.Conn, error)

// client returns a Redis client whose connections have the cost of b.
func (b *busyServer) client(t *testing.T, n *network) *redis.Client {
	t.Helper()
	opts := *n.client(t).Options()
	opts.Dialer = b.slow(opts.Dialer)
	client := redis.NewClient(&opts)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// If all connected at once, each connection would take 4 s, which exceeds every timeout.
func TestConnectionsOfManyFollowersOfAProcessAreLimited(t *testing.T) {
	const followers = 200
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		w.beat()
		b := &busyServer{cost: 20 * time.Millisecond}
		clients := make([]*Client, followers)
		for i := range clients {
			clients[i] = n.start(t, func(c *Config) { c.Redis, c.Logger = b.client(t, n), nil })
		}
		floor := 2 * followers * b.cost // one connection to subscribe and one to read
		for _, when := range []string{"the start", "all connections were cut"} {
			b.made.Store(0)
			time.Sleep(floor + floor/4 + DefaultTimings().BackoffMax)
			for _, c := range clients {
				if s := c.Stats(); s.State != StateLive {
					t.Fatalf("%s: %+v", when, s)
				}
			}
			if made, abandoned := b.made.Load(), b.abandoned.Load(); made > 2*followers+followers/10 || abandoned > 0 {
				t.Errorf("%s: %d connections for %d followers, and %d abandoned", when, made, followers, abandoned)
			}
			n.link.Cut()
		}
		time.Sleep(time.Minute)
	})
}

// A follower without a connection does not attempt a read over another one: with thousands of
// clients waiting for a busy server, reads would double the server's work.
func TestFewReadsAreTriedWithoutAConnection(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		n.writer(t, 1)
		c := n.ready(t)
		n.link.Down()
		time.Sleep(time.Second)
		before := c.Stats()
		time.Sleep(10 * time.Minute)
		after := c.Stats()
		tries, reads := after.FailedReads-before.FailedReads, after.HeadReads-before.HeadReads
		// Every third attempt reads, and so do the reads of each minute.
		if tries < 60 || reads > tries/feed.ConnectTries+20 {
			t.Errorf("%d reads were tried, at %d tries to connect", reads, tries)
		}
		n.link.Up()
		time.Sleep(2 * DefaultTimings().BackoffMax)
	})
}

// No further connection can be made, but Redis can be read over the existing ones. I7: polling
// starts within 6 s.
func TestARefusedFurtherConnectionMeansPolling(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		w.beat()
		var dialled, most atomic.Int64
		most.Store(2)
		opts := *n.client(t).Options()
		dial := opts.Dialer
		var first atomic.Pointer[net.Conn]
		opts.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if dialled.Add(1) > most.Load() {
				return nil, context.DeadlineExceeded
			}
			conn, err := dial(ctx, network, addr)
			first.CompareAndSwap(nil, &conn)
			return conn, err
		}
		limited := redis.NewClient(&opts)
		t.Cleanup(func() { _ = limited.Close() })
		c := n.ready(t, func(cfg *Config) { cfg.Redis = limited })
		wantState(t, c, StateLive)
		_ = (*first.Load()).Close() // the connection of the subscription
		time.Sleep(time.Minute)
		wantState(t, c, StatePolling)
		for v := range 20 {
			w.commit(configJSON(2 + v))
			time.Sleep(6 * time.Second)
			wantVersion(t, c, 2+v)
			wantState(t, c, StatePolling)
		}
		most.Store(1 << 40)
		time.Sleep(DefaultTimings().Resubscribe * 3 / 2)
		wantState(t, c, StateLive)
	})
}
