package follower

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const testSDKKey = "configcat-sdk-1/aaaaaaaaaaaaaaaaaaaaaa/bbbbbbbbbbbbbbbbbbbbbb"

// inBubble runs a test in virtual time that begins in 2026, when Unix
// milliseconds have 13 digits.
func inBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
		test(t)
	})
}

// network is a miniredis within a bubble and the connections to it, which a test can break.
type network struct {
	*miniredis.Miniredis

	dialer func() (*breakable, error)

	mu    sync.Mutex
	conns []*breakable
	down  bool
	dials int
}

func newNetwork(t *testing.T) *network {
	t.Helper()
	n := &network{Miniredis: miniredis.NewMiniRedis()}
	n.ClockTTL(true)
	conn, err := n.Dial() // starts it, without a listener
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	n.dialer = func() (*breakable, error) {
		conn, err := n.Dial()
		return &breakable{Conn: conn}, err
	}
	t.Cleanup(n.Close)
	return n
}

func (n *network) dial(context.Context, string, string) (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dials++
	if n.down {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	}
	conn, err := n.dialer()
	if err != nil {
		return nil, err
	}
	n.conns = append(n.conns, conn)
	return conn, nil
}

// cut closes all connections, and refuses new ones until it is told otherwise.
func (n *network) cut(down bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.down = down
	for _, conn := range n.conns {
		conn.reset.Store(true)
		_ = conn.Conn.Close()
	}
	n.conns = nil
}

// freeze makes all connections swallow what is sent, as a network does that drops packets.
func (n *network) freeze() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, conn := range n.conns {
		conn.frozen.Store(true)
	}
}

func (n *network) dialled() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.dials
}

// intercept handles a command before Redis does; true: it is done.
func (n *network) intercept(hook func(peer *server.Peer, cmd string, args ...string) bool) {
	n.Server().SetPreHook(hook)
}

func (n *network) client(t *testing.T) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{
		Addr: "127.0.0.1:6379", Dialer: n.dial, PoolSize: 64, ContextTimeoutEnabled: true,
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// start gives a client of the network that is closed at the end.
func (n *network) start(t *testing.T, change ...func(*Config)) *Client {
	t.Helper()
	cfg := Config{SDKKey: testSDKKey, Redis: n.client(t), Logger: testLogger(t)}
	for _, f := range change {
		f(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func testLogger(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// breakable is a connection that can be made to swallow what is sent in both directions.
type breakable struct {
	net.Conn
	frozen  atomic.Bool
	reset   atomic.Bool    // by the peer: that is what is reported
	onWrite func(p []byte) // nil: nothing
}

func (b *breakable) Write(p []byte) (int, error) {
	if b.frozen.Load() {
		return len(p), nil
	}
	if b.onWrite != nil {
		b.onWrite(p)
	}
	n, err := b.Conn.Write(p)
	return n, b.cause(err)
}

func (b *breakable) Read(p []byte) (int, error) {
	for {
		n, err := b.Conn.Read(p)
		if err != nil || !b.frozen.Load() {
			return n, b.cause(err)
		}
	}
}

func (b *breakable) SetDeadline(t time.Time) error      { return b.unless(b.Conn.SetDeadline(t)) }
func (b *breakable) SetReadDeadline(t time.Time) error  { return b.unless(b.Conn.SetReadDeadline(t)) }
func (b *breakable) SetWriteDeadline(t time.Time) error { return b.unless(b.Conn.SetWriteDeadline(t)) }

// unless drops the error of a deadline on a pipe that the peer has closed, since
// sockets give none.
func (b *breakable) unless(err error) error {
	if b.reset.Load() {
		return nil
	}
	return err
}

func (b *breakable) cause(err error) error {
	if err != nil && b.reset.Load() {
		return io.EOF
	}
	return err
}
