package limited

import (
	"bytes"
	"context"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// Reply is a command whose reply uses bounded memory. Longer strings are received to their end,
// so the connection remains usable, but their rest is discarded. It requires no additional round
// trips or permissions.
type Reply struct {
	*redis.RawWriteToCmd
	parser parser
}

// Processor sends or queues a command: a client or a pipeline.
type Processor interface {
	Process(ctx context.Context, cmd redis.Cmder) error
}

// Send sends or queues a command. It keeps at most limit+1 bytes of each string in the reply. The
// extra byte shows that the string is too long.
func Send(ctx context.Context, c Processor, limit int, args ...any) *Reply {
	r := &Reply{parser: parser{limit: limit}}
	r.RawWriteToCmd = redis.NewRawWriteToCmd(ctx, &r.parser, args...)
	_ = c.Process(ctx, r) // r keeps the error
	return r
}

// HMGet sends or queues HMGET, like [Send].
func HMGet(ctx context.Context, c Processor, limit int, key string, fields ...string) *Reply {
	args := []any{"hmget", key}
	for _, field := range fields {
		args = append(args, field)
	}
	return Send(ctx, c, limit, args...)
}

// Values returns the strings of the reply in order, including those of nested arrays. A missing
// one is nil; all others are strings. The errors are those of Redis or of the connection.
func (r *Reply) Values() ([]any, error) {
	if err := r.Err(); err != nil {
		return nil, err
	}
	return r.parser.values, nil
}

// SetErr ends the reply. Further input belongs to a retry.
func (r *Reply) SetErr(err error) {
	r.parser.ended = true
	r.RawWriteToCmd.SetErr(err)
}

// NoRetry reports false: go-redis may retry the command, unlike others that write to an
// [io.Writer].
func (r *Reply) NoRetry() bool { return false }

// parser parses a RESP reply while it is received.
type parser struct {
	limit  int
	values []any
	ended  bool

	begun bool   // the reply's first line was read
	line  []byte // the line being read
	body  []byte // the kept part of the string being read
	keep  int    // how many bytes of the string to keep
	left  int    // bytes of the string and its line break still to read; 0: a line is next
}

func (t *parser) Write(p []byte) (int, error) {
	if t.ended {
		*t = parser{limit: t.limit}
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

// header parses the first line of a value. go-redis has already received the whole line, so an
// error leaves the connection in order.
func (t *parser) header(line []byte) error {
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
	case '*', '~', '%', '>', '|': // the elements follow
	default:
		t.values = append(t.values, string(text[:min(len(text), t.limit+1)]))
	}
	return nil
}

// replyError is an error reply in the form that go-redis recognizes: by its text.
type replyError string

func (e replyError) Error() string { return string(e) }

// RedisError marks it as a [redis.Error].
func (replyError) RedisError() {}
