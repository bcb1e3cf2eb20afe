// Package redistest gives tests a Redis of their own: a real redis-server process
// ([Start]), or one in the memory of a testing/synctest bubble, in virtual time
// ([Virtual]). Both are a [Server], so that one scenario runs on both. Sentinels and a
// cluster are started by [StartSentinel] and [StartCluster]; a [Guard] has any of them
// ask for certificates and passwords. Faults of the network lie in a [Link], which every
// client may have for itself.
package redistest

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Server is a Redis that a test has for itself.
type Server interface {
	// Client returns a new client with a pool of its own, closed at the end of the
	// test. All its connections, those that are dialled from a copy of its options
	// too, go through link; nil: nothing stands between.
	Client(t testing.TB, link *Link) *redis.Client
}

func init() {
	logging.Disable() // go-redis would print each connection that a fault ends
}

type dialer = func(ctx context.Context, network, addr string) (net.Conn, error)

// newClient has the options that the bridge asks for: no command outlives its
// context, and none is repeated behind the caller's back.
func newClient(t testing.TB, addr string, user User, dial dialer, link *Link) *redis.Client {
	t.Helper()
	if link != nil {
		dial = link.through(dial)
	}
	client := redis.NewClient(&redis.Options{
		Addr:                     addr,
		Username:                 user.Name,
		Password:                 user.Password,
		Dialer:                   dial,
		DialerRetries:            1,
		MaxRetries:               -1,
		ContextTimeoutEnabled:    true,
		PoolSize:                 64,
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	closeWithTest(t, client, link)
	return client
}

func closeWithTest(t testing.TB, client io.Closer, link *Link) {
	t.Cleanup(func() {
		_ = client.Close()
		if link != nil {
			link.Cut() // a frozen link would keep what is under way for good
		}
	})
}

const dialTimeout = 5 * time.Second
