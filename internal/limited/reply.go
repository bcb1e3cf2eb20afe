package limited

import (
	"bytes"
	"context"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// Reply is a command whose reply takes no more memory than its texts are allowed to have:
// what is longer is received to its end, so that the connection can be used on, but dropped.
// It costs no round trip and no right more than the command itself.
type Reply struct {
	*redis.RawWriteToCmd
	texts texts
}

// Processor sends or queues a command: a client, or a pipeline.
type Processor interface {
	Process(ctx context.Context, cmd redis.Cmder) error
}

// Send sends or queues a command. Of each text in the reply no more is kept than limit bytes
// and one, which tells that there are too many.
func Send(ctx context.Context, c Processor, limit int, args ...any) *Reply {
	r := &Reply{texts: texts{limit: limit}}
	r.RawWriteToCmd = redis.NewRawWriteToCmd(ctx, &r.texts, args...)
	_ = c.Process(ctx, r) // r holds it
	return r
}

// HMGet sends or queues HMGET, as [Send] does.
func HMGet(ctx context.Context, c Processor, limit int, key string, fields ...string) *Reply {
	args := []any{"hmget", key}
	for _, field := range fields {
		args = append(args, field)
	}
	return Send(ctx, c, limit, args...)
}

// Values returns the texts of the reply in their order, those of arrays within arrays, too.
// One that is missing is nil, all others are strings. The errors are those of
// Redis or of the connection to it.
func (r *Reply) Values() ([]any, error) {
	if err := r.Err(); err != nil {
		return nil, err
	}
	return r.texts.values, nil
}

// SetErr ends the reply: what comes after it is of another try.
func (r *Reply) SetErr(err error) {
	r.texts.ended = true
	r.RawWriteToCmd.SetErr(err)
}

// NoRetry tells go-redis that the command can be sent again, unlike others that write to an
// [io.Writer].
func (r *Reply) NoRetry() bool { return false }

// texts takes a reply of RESP apart while it comes.
type texts struct {
	limit  int
	values []any
	ended  bool

	begun bool   // the reply's first line was read
	line  []byte // the line being read
	body  []byte // the text being read, as far as it is kept
	keep  int    // bytes of it that are kept
	left  int    // bytes of it and of its end that are still to come; 0: a line comes
}

func (t *texts) Write(p []byte) (int, error) {
	if t.ended {
		*t = texts{limit: t.limit}
	}
	for rest := p; len(rest) > 0; {
		if t.left > 0 {
			n := min(t.left, len(rest))
			t.body = append(t.body, rest[:min(n, t.keep-len(t.body))]...)
			rest, t.left = rest[n:], t.left-n
			if t.left == 0 {
				t.values, t.body = append(t.values, string(t.body)), nil
			}
			continue
		}
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			t.line = append(t.line, rest...)
			break
		}
		line := bytes.TrimSuffix(append(t.line, rest[:i]...), []byte("\r"))
		rest, t.line = rest[i+1:], t.line[:0]
		if err := t.header(line); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// header reads the line that a value begins with. go-redis has read all of it, so that an
// error leaves the connection in order.
func (t *texts) header(line []byte) error {
	first := !t.begun
	t.begun = true
	if len(line) == 0 {
		return nil
	}
	text := line[1:]
	switch line[0] {
	case '-':
		if first {
			return replyError(text)
		}
		t.values = append(t.values, nil)
	case '_':
		t.values = append(t.values, nil)
	case '$', '=':
		n, err := strconv.Atoi(string(text))
		if err != nil || n < 0 {
			t.values = append(t.values, nil)
			return nil
		}
		t.keep, t.left = min(n, t.limit+1), n+len("\r\n")
	case '*', '~', '%', '>', '|': // its elements follow
	default:
		t.values = append(t.values, string(text[:min(len(text), t.limit+1)]))
	}
	return nil
}

// replyError is an error reply, as go-redis knows it: by its text.
type replyError string

func (e replyError) Error() string { return string(e) }

// RedisError marks it as a [redis.Error].
func (replyError) RedisError() {}
