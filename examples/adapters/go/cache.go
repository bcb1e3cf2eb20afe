// Package adapter has a cache for the official ConfigCat SDK for Go that reads the entry which a
// catbridge leader writes to Redis.
package adapter

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/follower"
)

// Cache implements configcat.ConfigCache of github.com/configcat/go-sdk/v9 (S6). It is safe for
// concurrent use.
type Cache struct{ redis *follower.RedisCache }

// New returns a cache on a Redis client, which it does not close and whose options select the
// database. The namespace is that of the leaders, "" if they have none; an invalid one is an error.
func New(client redis.Cmdable, namespace string) (*Cache, error) {
	cache, err := follower.NewRedisCache(client).WithNamespace(namespace)
	if err != nil {
		return nil, err
	}
	return &Cache{cache}, nil
}

// Get returns the entry.
func (c *Cache) Get(ctx context.Context, key string) ([]byte, error) { return c.redis.Get(ctx, key) }

// Set does nothing, because the leader alone writes: the official SDK for Go writes back what it has
// read, offline, too, and might replace newer content that the leader wrote in between.
func (c *Cache) Set(context.Context, string, []byte) error { return nil }
