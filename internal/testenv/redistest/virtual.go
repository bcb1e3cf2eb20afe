package redistest

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// epoch is the start of virtual time for the bridge: a bubble begins in the year 2000, when
// Unix milliseconds had 12 digits, and a rev has 13.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// servers counts the virtual servers of the process.
var servers atomic.Uint32

// VirtualServer is a Redis in a testing/synctest bubble. Keys expire by the bubble's clock.
type VirtualServer struct {
	mini *miniredis.Miniredis
	addr string

	mu     sync.Mutex
	closed bool
}

var _ Server = (*VirtualServer)(nil)

// Virtual starts a Redis in the test's bubble, after it advances the bubble's clock to
// 2026. It ends with the test.
func Virtual(t testing.TB) *VirtualServer {
	t.Helper()
	return VirtualAt(t, epoch)
}

// VirtualAt is Virtual with another start time.
func VirtualAt(t testing.TB, start time.Time) *VirtualServer {
	t.Helper()
	time.Sleep(time.Until(start))
	mini := miniredis.NewMiniRedis()
	mini.ClockTTL(true)
	// A unique IP address: a name would be looked up outside of the bubble, and followers
	// of one process share state if they connect to the same address.
	n := servers.Add(1)
	s := &VirtualServer{mini: mini, addr: fmt.Sprintf("127.%d.%d.%d:6379", n>>16&0xff, n>>8&0xff, n&0xff)}
	t.Cleanup(s.close)
	return s
}

func (s *VirtualServer) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.mini.Close()
}

// dial refuses connections while the server closes, which miniredis does not support.
func (s *VirtualServer) dial(context.Context, string, string) (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, net.ErrClosed
	}
	return s.mini.Dial()
}

// Mini returns the server itself, for inspection and to make commands fail.
func (s *VirtualServer) Mini() *miniredis.Miniredis { return s.mini }

// Client implements [Server].
func (s *VirtualServer) Client(t testing.TB, link *Link) *redis.Client {
	t.Helper()
	if link == nil {
		link = new(Link) // has buffers like a kernel's, without which a pipeline of commands blocks
	}
	return newClient(t, s.addr, User{}, s.dial, link)
}
