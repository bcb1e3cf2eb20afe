package limited

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Limits bound the memory of a [Reply].
type Limits struct {
	// Value is the greatest length of a string. Of a longer one, Value+1 bytes are kept, which shows that
	// it is too long.
	Value int
	// Total is the greatest size of all strings together, as [Reply.Size] counts it. 0 means no bound: that is
	// for commands that fix the number of values.
	Total int
}

// ErrTotal is returned if a reply is larger than [Limits.Total].
var ErrTotal = errors.New("the reply of Redis is too large")

// valueBytes is the memory of a value beside the bytes of its string.
const valueBytes = 32

// Reply is a command whose reply uses bounded memory. What is beyond the limits is received,
// so the connection remains usable, but discarded. It requires no additional round
// trips or permissions.
type Reply struct {
	*redis.RawWriteToCmd
	parser parser
}

// Processor sends or queues a command: a client or a pipeline.
type Processor interface {
	Process(ctx context.Context, cmd redis.Cmder) error
}

// Send sends or queues a command.
func Send(ctx context.Context, c Processor, limits Limits, args ...any) *Reply {
	r := &Reply{parser: parser{limits: limits}}
	r.RawWriteToCmd = redis.NewRawWriteToCmd(ctx, &r.parser, args...)
	_ = c.Process(ctx, r) // r keeps the error
	return r
}

// HMGet sends or queues HMGET, like [Send]. limit is that of [Limits.Value].
func HMGet(ctx context.Context, c Processor, limit int, key string, fields ...string) *Reply {
	args := []any{"hmget", key}
	for _, field := range fields {
		args = append(args, field)
	}
	return Send(ctx, c, Limits{Value: limit}, args...)
}

// Values returns the strings of the reply in order, including those of nested arrays. A missing
// one is nil; all others are strings. The errors are those of Redis or of the connection, and [ErrTotal].
func (r *Reply) Values() ([]any, error) {
	if err := r.Err(); err != nil {
		return nil, err
	}
	if r.parser.over() {
		return nil, ErrTotal
	}
	return r.parser.values, nil
}

// Size returns the size of the values: the kept bytes of their strings, and 32 for each value.
func (r *Reply) Size() int { return r.parser.size }

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
	limits Limits
	values []any
	size   int // see [Reply.Size]
	ended  bool

	begun bool            // the reply's first line was read
	line  []byte          // the line being read
	body  strings.Builder // the kept part of the string being read
	keep  int             // how many bytes of the string to keep
	left  int             // bytes of the string and its line break still to read; 0: a line is next
}

// over reports whether the reply is too large. Then no further values are kept.
func (t *parser) over() bool { return t.limits.Total > 0 && t.size > t.limits.Total }

// reserve counts a value with n kept bytes, and reports whether to keep it.
func (t *parser) reserve(n int) bool {
	if !t.over() {
		t.size += n + valueBytes
	}
	if t.over() {
		t.values = nil
		return false
	}
	return true
}

// add keeps a value, unless the reply is too large.
func (t *parser) add(value any) {
	text, _ := value.(string)
	if t.reserve(len(text)) {
		t.values = append(t.values, value)
	}
}

func (t *parser) Write(p []byte) (int, error) {
	if t.ended {
		*t = parser{limits: t.limits}
	}
	for rest := p; len(rest) > 0; {
		if t.left > 0 {
			n := min(t.left, len(rest))
			t.body.Write(rest[:min(n, t.keep-t.body.Len())])
			rest, t.left = rest[n:], t.left-n
			if t.left == 0 && !t.over() {
				t.values = append(t.values, t.body.String())
				t.body.Reset()
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
		t.add(nil)
	case '_':
		t.add(nil)
	case '$', '=':
		n, err := strconv.Atoi(string(text))
		if err != nil || n < 0 {
			t.add(nil)
			return nil //nolint:nilerr // -1 is null
		}
		t.keep, t.left = min(n, t.limits.Value+1), n+len("\r\n")
		if !t.reserve(t.keep) {
			t.keep = 0
		}
		t.body.Grow(t.keep)
	case '*', '~', '%', '>', '|': // the elements follow
	default:
		t.add(string(text[:min(len(text), t.limits.Value+1)]))
	}
	return nil
}

// replyError is an error reply in the form that go-redis recognizes: by its text.
type replyError string

func (e replyError) Error() string { return string(e) }

// RedisError marks it as a [redis.Error].
func (replyError) RedisError() {}
