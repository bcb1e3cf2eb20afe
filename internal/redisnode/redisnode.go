// Package redisnode finds the nodes behind a client of Redis. It is the only place that
// distinguishes a client of one Redis, with or without Sentinels, from a client of a cluster.
//
// All functions are safe for concurrent use. Unless they say otherwise they expect a client that
// [Check] accepts.
package redisnode

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// split returns client as what it is. Both results are nil if it is neither, or a nil pointer.
func split(client redis.UniversalClient) (*redis.Client, *redis.ClusterClient) {
	switch client := client.(type) {
	case *redis.Client:
		return client, nil
	case *redis.ClusterClient:
		return nil, client
	}
	return nil, nil
}

// Check returns an error unless client is a [*redis.Client] or a [*redis.ClusterClient].
func Check(client redis.UniversalClient) error {
	if single, cluster := split(client); single != nil || cluster != nil {
		return nil
	}
	switch client.(type) {
	case nil:
		return errors.New("a client is required")
	case *redis.Client, *redis.ClusterClient:
		return fmt.Errorf("a client is required, have a nil %T", client)
	}
	return fmt.Errorf("want a *redis.Client or a *redis.ClusterClient, have a %T", client)
}

// Options are the options that both kinds of clients have, and that the bridge depends on.
type Options struct {
	Addr                      string // of the Redis, or of the cluster's seeds, separated by commas
	DB                        int    // always 0 in a cluster
	ContextTimeoutEnabled     bool
	ReadTimeout, WriteTimeout time.Duration
}

// OptionsOf returns the client's options. If a client selects its database by other means, for
// instance in OnConnect, OptionsOf does not know it. It accepts any client.
func OptionsOf(client redis.UniversalClient) Options {
	single, cluster := split(client)
	switch {
	case single != nil:
		o := single.Options()
		return Options{o.Addr, max(0, o.DB), o.ContextTimeoutEnabled, o.ReadTimeout, o.WriteTimeout}
	case cluster != nil:
		o := cluster.Options()
		return Options{strings.Join(o.Addrs, ","), 0, o.ContextTimeoutEnabled, o.ReadTimeout, o.WriteTimeout}
	}
	return Options{}
}

// ReadsReplicas reports whether the client sends commands that only read to replicas of a cluster.
func ReadsReplicas(client redis.UniversalClient) bool {
	_, cluster := split(client)
	return cluster != nil && cluster.Options().ReadOnly
}

// Single returns a client of one Redis, and nil for a client of a cluster. It accepts any client.
func Single(client redis.UniversalClient) *redis.Client {
	single, _ := split(client)
	return single
}

// Primary returns the client of the node that accepts writes of the key.
func Primary(ctx context.Context, client redis.UniversalClient, key string) (*redis.Client, error) {
	single, cluster := split(client)
	if cluster == nil {
		return single, nil
	}
	return found(cluster.MasterForKey(ctx, key))
}

// Replica returns the client of a node that has a copy of the key, at best not the primary. Without
// a cluster it returns the client itself.
func Replica(ctx context.Context, client redis.UniversalClient, key string) (*redis.Client, error) {
	single, cluster := split(client)
	if cluster == nil {
		return single, nil
	}
	return found(cluster.SlaveForKey(ctx, key))
}

func found(node *redis.Client, err error) (*redis.Client, error) {
	if err != nil {
		return nil, fmt.Errorf("find the node: %w", err)
	}
	return node, nil
}

// Each calls f for each node, at the same time, and returns one of the errors.
func Each(ctx context.Context, client redis.UniversalClient, f func(context.Context, *redis.Client) error) error {
	single, cluster := split(client)
	if cluster == nil {
		return f(ctx, single)
	}
	return cluster.ForEachShard(ctx, f)
}

// EachPrimary is like [Each] without replicas.
func EachPrimary(ctx context.Context, client redis.UniversalClient, f func(context.Context, *redis.Client) error) error {
	single, cluster := split(client)
	if cluster == nil {
		return f(ctx, single)
	}
	return cluster.ForEachMaster(ctx, f)
}

// Random returns one of the nodes. It spreads subscribers over a cluster: ClusterClient.Subscribe
// would send them all to the node that owns the channel's slot. It returns an error for a client
// that [Check] rejects.
func Random(ctx context.Context, client redis.UniversalClient) (*redis.Client, error) {
	if err := Check(client); err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var nodes []*redis.Client
	err := Each(ctx, client, func(_ context.Context, node *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		nodes = append(nodes, node)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the cluster's nodes: %w", err)
	}
	if len(nodes) == 0 {
		return nil, errors.New("the cluster has no nodes")
	}
	return nodes[rand.IntN(len(nodes))], nil
}

// Reload makes a client of a cluster read the cluster's topology again. By itself it does so once a
// minute, and would ask a dead primary until then.
func Reload(ctx context.Context, client redis.UniversalClient) {
	if _, cluster := split(client); cluster != nil {
		cluster.ReloadState(ctx)
	}
}
