package follower

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
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
		w := n.writer(t)
		w.commit(configJSON(1))
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
				if s := c.Stats(); s.State != Live {
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

func TestConnectLimiter(t *testing.T) {
	const slow = time.Second
	acquire := func(t *testing.T, limiter *connectLimiter, n int) (releases []func()) {
		t.Helper()
		for range n {
			end, err := limiter.acquire(t.Context(), slow)
			if err != nil {
				t.Fatal(err)
			}
			releases = append(releases, end)
		}
		return releases
	}
	releaseAll := func(releases []func()) {
		for _, end := range releases {
			end()
			end()
		}
	}
	waits := func(t *testing.T, limiter *connectLimiter) (free func()) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			end, err := limiter.acquire(ctx, slow)
			if err == nil {
				end()
			}
			done <- err
		}()
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("no wait: %v", err)
		default:
		}
		return func() {
			cancel()
			<-done
		}
	}
	synctest.Test(t, func(t *testing.T) {
		limiter := newConnectLimiter()
		releases := acquire(t, limiter, initialSlots)
		giveUp := waits(t, limiter)
		giveUp()
		if limiter.waiting.Len() != 0 || limiter.inUse != initialSlots {
			t.Errorf("%d wait and %d are taken after one gave up", limiter.waiting.Len(), limiter.inUse)
		}
		// A caller waits while connections are made quickly: the limit may rise.
		giveUp = waits(t, limiter)
		releaseAll(releases)
		giveUp()
		if limiter.limit != initialSlots+1 {
			t.Errorf("%d at once after quick ones", limiter.limit)
		}
		// Connections that are slow at the same time count once.
		for want := limiter.limit / 2; want > minSlots; want /= 2 {
			releases = acquire(t, limiter, limiter.limit)
			time.Sleep(2 * slow)
			releaseAll(releases)
			if limiter.limit != want {
				t.Fatalf("%d at once after slow ones, want %d", limiter.limit, want)
			}
		}
		for range 5 {
			releases = acquire(t, limiter, limiter.limit)
			time.Sleep(2 * slow)
			releaseAll(releases)
		}
		if limiter.limit != minSlots || limiter.inUse != 0 {
			t.Errorf("%d at once, %d taken", limiter.limit, limiter.inUse)
		}
		for range 3 * maxSlots {
			releases = acquire(t, limiter, limiter.limit)
			giveUp = waits(t, limiter)
			releaseAll(releases)
			giveUp()
		}
		if limiter.limit != maxSlots || limiter.inUse != 0 {
			t.Errorf("%d at once, %d taken", limiter.limit, limiter.inUse)
		}
	})
}

// A follower without a connection does not attempt a read over another one: with thousands of
// clients waiting for a busy server, reads would double the server's work.
func TestFewReadsAreTriedWithoutAConnection(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t)
		w.commit(configJSON(1))
		c := n.start(t)
		<-c.Ready()
		n.link.Down()
		time.Sleep(time.Second)
		before := c.Stats()
		time.Sleep(10 * time.Minute)
		after := c.Stats()
		tries, reads := after.FailedReads-before.FailedReads, after.HeadReads-before.HeadReads
		// Every third attempt reads, and so do the reads of each minute.
		if tries < 60 || reads > tries/connectTries+20 {
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
		w := n.writer(t)
		w.commit(configJSON(1))
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
		c := n.start(t, func(cfg *Config) { cfg.Redis = limited })
		<-c.Ready()
		wantState(t, c, Live)
		_ = (*first.Load()).Close() // the connection of the subscription
		time.Sleep(time.Minute)
		wantState(t, c, Polling)
		for v := range 20 {
			w.commit(configJSON(2 + v))
			time.Sleep(6 * time.Second)
			wantVersion(t, c, 2+v)
			wantState(t, c, Polling)
		}
		most.Store(1 << 40)
		time.Sleep(DefaultTimings().Resubscribe * 3 / 2)
		wantState(t, c, Live)
	})
}

func TestThePauseIsAsLongAsTheFailedWait(t *testing.T) {
	b := backoff{low: time.Second, high: 8 * time.Second}
	for i, step := range []struct{ least, span time.Duration }{
		{0, 1}, {0, 2}, {3, 4}, {6, 8}, {100, 8}, {0, 8},
	} {
		pause := b.next(step.least * time.Second)
		if b.span != step.span*time.Second || pause > b.span {
			t.Errorf("step %d: %v of %v, want a span of %d s", i, pause, b.span, step.span)
		}
	}
	b.reset()
	if b.next(5 * time.Second); b.span != 5*time.Second {
		t.Errorf("a span of %v at first", b.span)
	}
}
