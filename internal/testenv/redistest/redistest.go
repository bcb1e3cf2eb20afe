// Package redistest gives each test its own Redis: a real redis-server process ([Start]),
// or one in the memory of a testing/synctest bubble, in virtual time ([Virtual]). Both are
// a [Server], so that one scenario runs on both. [StartSentinel] and [StartCluster] start
// Sentinels and a cluster; a [Guard] makes any of them ask for certificates and passwords.
// A [Link], which each client may have, makes the faults of the network.
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

// Server is a Redis of one test.
type Server interface {
	// Client returns a new client with its own pool, closed at the end of the test. All its
	// connections, also those of a copy of its options, go through link; nil: they are
	// direct.
	Client(t testing.TB, link *Link) *redis.Client
}

func init() {
	logging.Disable() // go-redis would print each connection that a fault ends
}

type dialer = func(ctx context.Context, network, addr string) (net.Conn, error)

// newClient returns a client with the options that the bridge requires: no command outlives
// its context, and the client does not retry.
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
			link.Cut() // data on the way would stay in a frozen link forever
		}
	})
}

const dialTimeout = 5 * time.Second
