package leader

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// call is a script that waits to be sent with a batch.
type call struct {
	ctx    context.Context
	script *redis.Script
	keys   []string
	args   []any
	cmd    *redis.Cmd // valid once the batch is done
}

// refused reports whether Redis answered with an error.
func (c *call) refused() bool {
	_, refused := errors.AsType[redis.Error](c.cmd.Err())
	return refused
}

// batch holds the calls that are sent to a node together.
type batch struct {
	calls  []*call
	closed chan struct{} // closed when no more calls can join
	done   chan struct{} // closed when each call has its outcome
}

// send runs the calls whose context is not done, until the latest of their deadlines.
func (b *batch) send(ctx context.Context, node *redis.Client) {
	defer close(b.done)
	var latest time.Time
	pipe := node.Pipeline()
	for _, c := range b.calls {
		if err := c.ctx.Err(); err != nil {
			c.cmd = redis.NewCmd(ctx)
			c.cmd.SetErr(err)
			continue
		}
		c.cmd = c.script.EvalSha(ctx, pipe, c.keys, c.args...)
		if deadline, ok := c.ctx.Deadline(); ok && deadline.After(latest) {
			latest = deadline
		}
	}
	if pipe.Len() == 0 {
		return
	}
	ctx, cancel := context.WithDeadline(ctx, latest)
	defer cancel()
	_, err := pipe.Exec(ctx)
	for _, c := range b.calls {
		// If Redis refuses the connection, the commands have neither a value nor an error.
		if c.cmd.Err() == nil && c.cmd.Val() == nil {
			c.cmd.SetErr(err)
		}
	}
}
