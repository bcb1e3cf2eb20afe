package follower

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

const testSDKKey = "configcat-sdk-1/aaaaaaaaaaaaaaaaaaaaaa/bbbbbbbbbbbbbbbbbbbbbb"

// inBubble runs a test in virtual time with a Redis inside the bubble. A bubble ends only when
// all its goroutines have ended, so that a leaked goroutine fails the test.
func inBubble(t *testing.T, test func(t *testing.T, n *network)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		test(t, newNetwork(t))
	})
}

// network is a Redis server and the link between it and the followers.
type network struct {
	*miniredis.Miniredis
	server *redistest.VirtualServer
	link   *redistest.Link
}

func newNetwork(t *testing.T) *network {
	t.Helper()
	server := redistest.Virtual(t)
	conn, err := server.Mini().Dial() // starts the server
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	return &network{Miniredis: server.Mini(), server: server, link: new(redistest.Link)}
}

// writer returns a simulated leader, which faults of the link do not affect. It has committed a
// config of each version.
func (n *network) writer(t *testing.T, versions ...int) *writer {
	t.Helper()
	w := newWriter(t, n.server.Client(t, nil))
	for _, version := range versions {
		w.commit(configJSON(version))
	}
	return w
}

// client returns a Redis client that connects through the link.
func (n *network) client(t *testing.T) *redis.Client {
	t.Helper()
	return n.server.Client(t, n.link)
}

// start returns a follower that connects through the link. It is closed when the test ends.
func (n *network) start(t *testing.T, change ...func(*Config)) *Client {
	t.Helper()
	cfg := Config{SDKKey: testSDKKey, Redis: n.client(t), Logger: testLogger(t), LogLevel: LogLevelDebug}
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

// ready is start, and waits until the follower is ready.
func (n *network) ready(t *testing.T, change ...func(*Config)) *Client {
	t.Helper()
	c := n.start(t, change...)
	<-c.Ready()
	return c
}

// intercept sets a hook that sees each command before Redis does. If hook returns true, Redis
// does not run the command.
func (n *network) intercept(hook func(peer *server.Peer, cmd string, args ...string) bool) {
	n.Server().SetPreHook(hook)
}

// hold keeps Redis from replying until release is called.
func (n *network) hold() (release func()) {
	held := make(chan struct{})
	n.intercept(func(*server.Peer, string, ...string) bool {
		<-held
		return false
	})
	return func() { close(held) }
}

func testLogger(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// confirmedAgo returns how long ago the CDN confirmed the content in force, as far as it is known.
func confirmedAgo(s Stats) time.Duration { return time.Since(s.LastConfirmed) }
