// Package limited reads values from Redis with bounded memory. The values are not trusted.
package limited

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// Get sends or queues a read of a key's value, of at most limit+1 bytes. The extra byte shows
// that the value is too large.
type Get func(c redis.Cmdable, key string, limit int) *redis.StringCmd

// Reader reads with GETRANGE. If Redis refuses that command, the Reader reads whole values with
// GET from then on. The zero Reader is ready to use. It is safe for concurrent use.
type Reader struct {
	// Warn is called once when the Reader starts to read whole values, with the refusal. It may
	// be nil.
	Warn func(refusal error)

	whole atomic.Bool
	warn  sync.Once
}

// Do calls send, which must execute the reads that it makes with the Get. If Redis refuses
// GETRANGE, Do calls send again with a Get that reads whole values: send must then repeat all its
// reads in the same order.
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

// refusalIn returns the error of a command that Redis does not know, or does not allow this user
// to send for any key. It returns nil if there is no such error.
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

// Bytes returns the value that was read, or nil if it is empty or missing.
func Bytes(cmd *redis.StringCmd) ([]byte, error) {
	data, err := cmd.Bytes()
	if errors.Is(err, redis.Nil) || err == nil && len(data) == 0 {
		return nil, nil
	}
	return data, err
}

// Exec runs a pipeline. It returns an error only if no command has one: if the connection
// fails, for example because of a wrong password, go-redis sets none, as if there were no
// data.
func Exec(ctx context.Context, pipe redis.Pipeliner) error {
	commands, err := pipe.Exec(ctx)
	for _, command := range commands {
		if command.Err() != nil {
			return nil //nolint:nilerr // each command has its own error
		}
	}
	return err
}
