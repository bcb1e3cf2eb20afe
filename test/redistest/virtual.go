package redistest

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// epoch is where virtual time starts for the bridge: a bubble begins in the year
// 2000, when Unix milliseconds had 12 digits, and a rev has 13.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// VirtualServer is a Redis within a testing/synctest bubble. Keys expire by the
// bubble's clock.
type VirtualServer struct{ mini *miniredis.Miniredis }

var _ Server = (*VirtualServer)(nil)

// Virtual starts a Redis in the bubble that the test runs in, and lets the bubble's
// clock run to 2026 first. It ends with the test.
func Virtual(t testing.TB) *VirtualServer {
	t.Helper()
	time.Sleep(time.Until(epoch))
	mini := miniredis.NewMiniRedis()
	mini.ClockTTL(true)
	t.Cleanup(mini.Close)
	return &VirtualServer{mini}
}

// Mini is the server itself, to look into and to let commands fail.
func (s *VirtualServer) Mini() *miniredis.Miniredis { return s.mini }

// Client implements [Server].
func (s *VirtualServer) Client(t testing.TB, link *Link) *redis.Client {
	t.Helper()
	dial := func(context.Context, string, string) (net.Conn, error) { return s.mini.Dial() }
	// An IP address, since a name would be looked up outside of the bubble.
	return newClient(t, "127.0.0.1:6379", User{}, dial, link)
}
