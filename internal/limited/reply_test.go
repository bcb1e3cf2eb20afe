package limited_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/internal/limited"
	"github.com/catbridge/catbridge/internal/testenv/memory"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// connect returns a client with one connection.
func connect(t *testing.T, server *redistest.Process, protocol int) *redis.Client {
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), Protocol: protocol, PoolSize: 1})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// forEachProtocol runs f over connections of RESP2 and of RESP3.
func forEachProtocol(t *testing.T, f func(t *testing.T, admin, client *redis.Client)) {
	server := redistest.Start(t)
	admin := server.Client(t, nil)
	for _, protocol := range []int{2, 3} {
		t.Run(fmt.Sprintf("RESP%d", protocol), func(t *testing.T) {
			admin.FlushAll(t.Context())
			f(t, admin, connect(t, server, protocol))
		})
	}
}

// The rest of a long string is discarded while it is received, and the next reply on the same
// connection is read correctly.
func TestReplyIsKeptOnlyUpToTheLimit(t *testing.T) {
	forEachProtocol(t, func(t *testing.T, admin, client *redis.Client) {
		const limit = 100
		huge := strings.Repeat("x", 64<<20)
		admin.HSet(t.Context(), "hash", "empty", "", "small", "a\r\nb", "exact", huge[:limit], "huge", huge)
		admin.ZAdd(t.Context(), "set", redis.Z{Member: "one", Score: 1.5}, redis.Z{Member: huge, Score: 2})
		admin.Set(t.Context(), "key", "value", 0)
		var hash, set, none *limited.Reply
		var after *redis.StringCmd
		took := memory.Allocated(func() {
			pipe := client.Pipeline()
			hash = limited.HMGet(t.Context(), pipe, limit, "hash", "missing", "empty", "small", "huge", "exact")
			set = limited.Send(t.Context(), pipe, limited.Limits{Value: limit}, "zrange", "set", 0, -1, "withscores")
			none = limited.Send(t.Context(), pipe, limited.Limits{Value: limit}, "get", "missing")
			after = pipe.Get(t.Context(), "key")
			if _, err := pipe.Exec(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
		for _, test := range []struct {
			name  string
			reply *limited.Reply
			want  []any
		}{
			{"hash", hash, []any{nil, "", "a\r\nb", huge[:limit+1], huge[:limit]}},
			{"set", set, []any{"one", "1.5", huge[:limit+1], "2"}},
			{"none", none, []any{nil}},
		} {
			if values, err := test.reply.Values(); err != nil || !reflect.DeepEqual(values, test.want) {
				t.Errorf("%s: %.200q, %v", test.name, values, err)
			}
		}
		if after.Val() != "value" {
			t.Errorf("after it: %q, %v", after.Val(), after.Err())
		}
		if took > 4<<20 {
			t.Errorf("%d bytes allocated", took)
		}
		if stats := client.PoolStats().PipelineStats; stats == nil || stats.Misses != 1 || stats.IdleConns != 1 {
			t.Errorf("the connection was not used on: %+v", stats)
		}
	})
}

// Any number of values, however small, uses bounded memory. The next reply on the same connection is read
// correctly.
func TestAReplyThatIsTooLargeInTotalIsRefused(t *testing.T) {
	forEachProtocol(t, func(t *testing.T, admin, client *redis.Client) {
		const total = 1 << 20
		var members []any
		for i := range 100_000 {
			members = append(members, fmt.Sprint(i))
		}
		admin.RPush(t.Context(), "small values", members...)
		admin.RPush(t.Context(), "large values", strings.Repeat("x", total/2), strings.Repeat("x", total/2), strings.Repeat("x", 8*total))
		admin.RPush(t.Context(), "fits", "a", strings.Repeat("x", total/2))
		for _, list := range []string{"small values", "large values"} {
			var reply *limited.Reply
			took := memory.Allocated(func() {
				reply = limited.Send(t.Context(), client, limited.Limits{Value: total, Total: total}, "lrange", list, 0, -1)
			})
			if values, err := reply.Values(); !errors.Is(err, limited.ErrTotal) || values != nil || took > 8*total {
				t.Errorf("%s: %d values, %v, %d bytes allocated", list, len(values), err, took)
			}
		}
		reply := limited.Send(t.Context(), client, limited.Limits{Value: total, Total: total}, "lrange", "fits", 0, -1)
		if values, err := reply.Values(); err != nil || len(values) != 2 || values[0] != "a" || reply.Size() <= total/2 || reply.Size() > total {
			t.Errorf("after it: %d values of %d bytes, %v", len(values), reply.Size(), err)
		}
	})
}

// Redis's errors are those that go-redis itself would return.
func TestRefusalIsAnErrorOfRedis(t *testing.T) {
	server := redistest.Start(t)
	admin := server.Client(t, nil)
	admin.Set(t.Context(), "text", "x", 0)
	if err := limited.HMGet(t.Context(), admin, 1, "text", "f").Err(); !redis.HasErrorPrefix(err, "WRONGTYPE") {
		t.Errorf("%v", err)
	}
	user := redistest.User{Name: "nobody", Password: "secret"}
	if err := admin.Do(t.Context(), "ACL", "SETUSER", user.Name, "on", ">"+user.Password, "~*", "+ping", "+get").Err(); err != nil {
		t.Fatal(err)
	}
	client := server.ClientAs(t, user, nil)
	pipe := client.Pipeline()
	refused := limited.HMGet(t.Context(), pipe, 1, "hash", "f")
	next := limited.Send(t.Context(), pipe, limited.Limits{Value: 1}, "get", "text")
	_, _ = pipe.Exec(t.Context())
	if values, err := refused.Values(); !redis.IsPermissionError(err) || values != nil {
		t.Errorf("%v, %v", values, err)
	}
	if values, err := next.Values(); err != nil || len(values) != 1 || values[0] != "x" {
		t.Errorf("after it: %v, %v", values, err)
	}
}

// go-redis sends a pipeline again if its connection broke. Earlier input does not belong to the
// new reply.
func TestBrokenReplyIsReadAgain(t *testing.T) {
	server := redistest.Start(t)
	admin := server.Client(t, nil)
	admin.HSet(t.Context(), "hash", "f", "value", "g", "other")
	client := connect(t, server, 3)
	client.AddHook(again(func() { // the same commands again
		admin.HSet(t.Context(), "hash", "f", "later")
	}))
	pipe := client.Pipeline()
	reply := limited.HMGet(t.Context(), pipe, 10, "hash", "f", "g")
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	if values, err := reply.Values(); err != nil || !reflect.DeepEqual(values, []any{"later", "other"}) {
		t.Errorf("%v, %v", values, err)
	}
	if reply.NoRetry() {
		t.Error("a pipeline with it is not sent again")
	}
	if err := admin.ClientKillByFilter(t.Context(), "TYPE", "normal", "SKIPME", "yes").Err(); err != nil && !errors.Is(err, redis.Nil) {
		t.Fatal(err)
	}
	if values, err := limited.HMGet(t.Context(), client, 10, "hash", "f").Values(); err != nil || len(values) != 1 {
		t.Errorf("after the connection was closed: %v, %v", values, err)
	}
}

// again runs every pipeline twice and calls f in between.
type again func()

func (again) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (again) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }
func (f again) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if err := next(ctx, cmds); err != nil {
			return err
		}
		f()
		return next(ctx, cmds)
	}
}
