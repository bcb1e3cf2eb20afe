package follower

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/limited"
)

// ConfigCache keeps configs from one start to the next, or for other processes (S6). It is the
// official Go SDK's interface of that name. The values have the official SDKs' format (S91) and
// never expire (S93). The keys are those of the official SDKs, after Config.Namespace and a
// colon if it is set. Both methods must return when their context ends, as it does in
// [Client.Close], and must not wait for the client. One client calls them one at a time.
type ConfigCache interface {
	// Get returns the value of a key, or an empty value if the key does not exist. The
	// returned value must not change.
	Get(ctx context.Context, key string) ([]byte, error)
	// Set sets the value of a key. It must not change the value. After an error the client
	// calls it again.
	Set(ctx context.Context, key string, value []byte) error
}

// RedisCache is a [ConfigCache] on Redis. The official Go SDK can use it, too,
// and then reads the entry that a leader writes. That SDK writes back what it read, even
// offline; wrap the cache for it as examples/adapters/go does, so that it never writes. A
// RedisCache is safe for concurrent use.
type RedisCache struct {
	client redis.Cmdable
	prefix string // of all keys: a namespace and a colon, or nothing
	reader *limited.Reader
}

// NewRedisCache returns a cache on a Redis client, which it does not close.
func NewRedisCache(client redis.Cmdable) *RedisCache {
	return &RedisCache{client: client, reader: &limited.Reader{Warn: func(denial error) {
		slog.Warn("catbridge: values in Redis are read without a size limit: the right to GETRANGE is missing. Grant +getrange and restart.",
			slog.Any("error", denial))
	}}}
}

// WithNamespace returns a cache for a namespace. The official Go SDK then reads from it what
// leaders with the same Config.Namespace write. The cache puts the namespace and a colon before
// each key, unless the key starts with them: those of a [Client] with the same Config.Namespace
// do. Empty: no prefix. The error is that of [cachekeys.CheckNamespace].
func (c *RedisCache) WithNamespace(namespace string) (*RedisCache, error) {
	if err := cachekeys.CheckNamespace(namespace); err != nil {
		return nil, fmt.Errorf("follower: %w", err)
	}
	if namespace == "" {
		return &RedisCache{client: c.client, reader: c.reader}, nil
	}
	return &RedisCache{client: c.client, prefix: namespace + ":", reader: c.reader}, nil
}

func (c *RedisCache) name(key string) string {
	if strings.HasPrefix(key, c.prefix) {
		return key
	}
	return c.prefix + key
}

// Get reads the value of a key; nil if it is empty or the key does not exist. It returns an
// error for a value that is larger than any entry, without reading all of it. Without the
// right to GETRANGE it reads such a value whole, and logs this once to slog.Default.
func (c *RedisCache) Get(ctx context.Context, key string) ([]byte, error) {
	var cmd *redis.StringCmd
	c.reader.Do(ctx, func(get limited.Get) { cmd = get(c.client, c.name(key), cachekeys.MaxEntryBytes) })
	value, err := limited.Bytes(cmd)
	if err == nil && len(value) > cachekeys.MaxEntryBytes {
		err = fmt.Errorf("the value of %s is over the size limit of %d bytes: delete it, and it will be written again", c.name(key), cachekeys.MaxEntryBytes)
	}
	if err != nil {
		return nil, fmt.Errorf("follower: read the cache: %w", err)
	}
	return value, nil
}

// Set writes the value of a key, which does not expire.
func (c *RedisCache) Set(ctx context.Context, key string, value []byte) error {
	if err := c.client.Set(ctx, c.name(key), value, 0).Err(); err != nil {
		return fmt.Errorf("follower: write the cache: %w", err)
	}
	return nil
}
