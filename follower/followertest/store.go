package followertest

import (
	"context"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/wire"
)

// poll is the leader's poll interval in messages and meta. Content counts as up to date for that
// long, which is longer than any test.
const poll = 24 * time.Hour

// store writes to Redis what a leader writes. It is not safe for concurrent use.
type store struct {
	redis redis.Cmdable
	keys  cachekeys.Keys
	rev   int64
}

func newStore(client redis.Cmdable, sdkKey, namespace string) *store {
	return &store{redis: client, keys: cachekeys.For(sdkKey, namespace, 0)}
}

// write makes a config current and announces it.
func (s *store) write(ctx context.Context, content []byte) error {
	// The clock of a bubble starts in 2000, before the lowest valid rev.
	s.rev = max(s.rev+1, time.Now().UnixMilli(), wire.MinRev)
	hash := wire.ContentHash(content)
	etag := strconv.Quote(hash[:16])
	codec, payload := wire.Encode(content)
	blob := wire.Blob{Rev: s.rev, Hash: hash, Codec: codec, Payload: payload}
	entry := cachekeys.Entry{FetchTime: s.rev, ETag: etag, JSON: content}
	message := wire.Message{
		Type: wire.Change, Epoch: wire.MinRev, Poll: poll,
		Rev: s.rev, CDN: s.rev, Hash: hash, Len: len(content), ETag: wire.MessageETag(etag),
	}
	_, err := s.redis.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.Set(ctx, s.keys.Lock, wire.LockValue("followertest", message.Epoch), 0)
		p.Set(ctx, s.keys.Entry, entry.Append(nil), 0)
		p.Set(ctx, s.keys.Blob, blob.Append(nil), 0)
		p.HSet(ctx, s.keys.Meta, "epoch", message.Epoch, "rev", s.rev, "hash", hash, "len", len(content),
			"etag", etag, "cdn", message.CDN, "poll", poll.Milliseconds())
		p.Publish(ctx, s.keys.Events, string(message.Append(nil)))
		return nil
	})
	return err
}
