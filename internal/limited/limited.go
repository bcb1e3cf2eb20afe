// Package limited reads values from Redis that anybody may have written, without taking
// memory for more than they are allowed to have.
package limited

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// Get sends or queues a read of a key's value, of at most limit bytes and one, which tells
// that there are too many.
type Get func(c redis.Cmdable, key string, limit int) *redis.StringCmd

// Reader reads with GETRANGE. Where Redis refuses that command it reads whole values with
// GET, as long as it lives. The zero Reader is ready, and it is safe for concurrent use.
type Reader struct {
	// Warn is told once that whole values are read, and why; nil: nobody is told.
	Warn func(refusal error)

	whole atomic.Bool
	warn  sync.Once
}

// Do calls send, which sends what it makes with the Get that it is given. Where Redis
// refuses GETRANGE, Do calls it again with a Get that reads whole values: all that send
// reads is then read again, in its order.
func (r *Reader) Do(ctx context.Context, send func(Get)) {
	var sent []*redis.StringCmd
	whole := func(c redis.Cmdable, key string, _ int) *redis.StringCmd {
		sent = append(sent, c.Get(ctx, key))
		return sent[len(sent)-1]
	}
	if r.whole.Load() {
		send(whole)
		return
	}
	send(func(c redis.Cmdable, key string, limit int) *redis.StringCmd {
		sent = append(sent, c.GetRange(ctx, key, 0, int64(limit)))
		return sent[len(sent)-1]
	})
	refusal := refusalIn(sent)
	if refusal == nil {
		return
	}
	sent = nil
	send(whole)
	for _, cmd := range sent {
		if err := cmd.Err(); err == nil || errors.Is(err, redis.Nil) {
			r.whole.Store(true)
			if r.Warn != nil {
				r.warn.Do(func() { r.Warn(refusal) })
			}
			return
		}
	}
}

// refusalIn is the error of a command that Redis does not let this user send to any key, or
// does not know; nil: there is none.
func refusalIn(sent []*redis.StringCmd) error {
	for _, cmd := range sent {
		reply, ok := errors.AsType[redis.Error](cmd.Err())
		if !ok {
			continue
		}
		text := strings.ToLower(reply.Error())
		if strings.Contains(text, "getrange") && (redis.IsPermissionError(reply) || strings.HasPrefix(text, "err unknown command")) {
			return reply
		}
	}
	return nil
}

// Bytes is the value that was read; nil: it is empty, or there is none.
func Bytes(cmd *redis.StringCmd) ([]byte, error) {
	data, err := cmd.Bytes()
	if errors.Is(err, redis.Nil) || err == nil && len(data) == 0 {
		return nil, nil
	}
	return data, err
}
