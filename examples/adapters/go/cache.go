// Package adapter provides a cache for the official ConfigCat SDK for Go that reads the entry of a
// catbridge leader from Redis.
package adapter

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/follower"
)

// Cache implements configcat.ConfigCache of github.com/configcat/go-sdk/v9 (S6). It is safe for
// concurrent use.
type Cache struct{ redis *follower.RedisCache }

// New returns a cache that reads through client. The cache does not close client, whose options
// select the database. namespace is the leaders' namespace, "" if they have none. New returns an
// error if it is invalid.
func New(client redis.Cmdable, namespace string) (*Cache, error) {
	cache, err := follower.NewRedisCache(client).WithNamespace(namespace)
	if err != nil {
		return nil, err
	}
	return &Cache{cache}, nil
}

// Get returns the entry of key, the SDK's cache key.
func (c *Cache) Get(ctx context.Context, key string) ([]byte, error) { return c.redis.Get(ctx, key) }

// Set does nothing, because only the leader writes. The official SDK for Go writes back what it has
// read, even offline, and might replace newer content that the leader wrote in between.
func (c *Cache) Set(context.Context, string, []byte) error { return nil }
