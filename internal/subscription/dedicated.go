package subscription

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// errDialled keeps go-redis from reconnecting by itself.
var errDialled = errors.New("subscription: one connection only")

// dedicated returns a client with the options of the given one that dials exactly
// once. It costs no connection until it is used.
func dedicated(ctx context.Context, client redis.UniversalClient) (*redis.Client, error) {
	node, err := pick(ctx, client)
	if err != nil {
		return nil, err
	}
	opts := *node.Options()
	dial := opts.Dialer
	var dialled atomic.Bool
	opts.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if dialled.Swap(true) {
			return nil, errDialled
		}
		return dial(ctx, network, addr)
	}
	opts.DialerRetries = 1
	// Narrow ACL users may not send CLIENT.
	opts.DisableIdentity = true
	opts.ClientName = ""
	opts.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	opts.MinIdleConns = 0
	opts.PoolSize = 1
	opts.PipelinePoolSize = -1
	// A message fits; thousands of subscriptions in one process stay small.
	opts.ReadBufferSize = 8 << 10
	opts.WriteBufferSize = 1 << 10
	return redis.NewClient(&opts), nil
}

func pick(ctx context.Context, client redis.UniversalClient) (*redis.Client, error) {
	switch client := client.(type) {
	case *redis.Client:
		return client, nil
	case *redis.ClusterClient:
		return randomNode(ctx, client)
	}
	return nil, fmt.Errorf("subscription: want a *redis.Client or a *redis.ClusterClient, have %T", client)
}

// randomNode spreads subscribers over a cluster. ClusterClient.Subscribe would send
// all of them to the node that owns the channel's slot.
func randomNode(ctx context.Context, client *redis.ClusterClient) (*redis.Client, error) {
	var (
		mu    sync.Mutex
		nodes []*redis.Client
	)
	err := client.ForEachShard(ctx, func(_ context.Context, node *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		nodes = append(nodes, node)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("subscription: cluster nodes: %w", err)
	}
	if len(nodes) == 0 {
		return nil, errors.New("subscription: the cluster has no nodes")
	}
	return nodes[rand.IntN(len(nodes))], nil
}
