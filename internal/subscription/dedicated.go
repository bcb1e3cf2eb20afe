package subscription

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/catbridge/catbridge/internal/redisnode"
)

// errDialled prevents go-redis from reconnecting by itself.
var errDialled = errors.New("subscription: one connection only")

// dialOnce dials the only connection of a subscription.
type dialOnce struct {
	dial     func(ctx context.Context, network, addr string) (net.Conn, error)
	patience time.Duration
	dialled  atomic.Bool
	conn     atomic.Pointer[net.Conn] // nil: not connected
}

// connect has its own timeout rather than that of go-redis for preparing a connection: go-redis's
// dialer ignores its context during a TLS handshake, and a late connection must still be used.
func (d *dialOnce) connect(ctx context.Context, network, addr string) (net.Conn, error) {
	if d.dialled.Swap(true) {
		return nil, errDialled
	}
	dialling, cancel := context.WithTimeout(ctx, d.patience)
	defer cancel()
	conn, err := d.dial(dialling, network, addr)
	if err != nil {
		return nil, err
	}
	d.conn.Store(&conn)
	if ctx.Err() != nil {
		d.cut() // cut ran before conn was stored
	}
	return conn, nil
}

// cut closes the connection under go-redis, which may be waiting for an answer on it.
func (d *dialOnce) cut() {
	if conn := d.conn.Load(); conn != nil {
		_ = (*conn).Close()
	}
}

// dedicated returns a client with the options of the given one that dials exactly once. It waits
// for each answer as long as for the connection. It does not connect before its first use.
func dedicated(ctx context.Context, client redis.UniversalClient, patience time.Duration) (*redis.Client, *dialOnce, error) {
	node, err := redisnode.Random(ctx, client)
	if err != nil {
		return nil, nil, fmt.Errorf("subscription: %w", err)
	}
	opts := *node.Options()
	once := &dialOnce{dial: opts.Dialer, patience: patience}
	opts.Dialer = once.connect
	opts.ReadTimeout = patience
	opts.DialerRetries = 1
	// Users with narrow ACLs may not send CLIENT.
	opts.DisableIdentity = true
	opts.ClientName = ""
	opts.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	opts.MinIdleConns = 0
	opts.PoolSize = 2 // with 1, go-redis would dial forever after a failure
	opts.PipelinePoolSize = -1
	// Large enough for a message; small enough for thousands of subscriptions in one process.
	opts.ReadBufferSize = 8 << 10
	opts.WriteBufferSize = 1 << 10
	return redis.NewClient(&opts), once, nil
}
