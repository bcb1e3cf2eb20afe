package follower

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// These tests cover what miniredis cannot: rights, killed and stopped processes, real sockets.

func quickTimings() Timings {
	return Timings{
		Idle: 200 * time.Millisecond, Dead: 600 * time.Millisecond, Ack: 2 * time.Second, MetaReread: 2 * time.Second,
		Poll: 200 * time.Millisecond, Resubscribe: 500 * time.Millisecond, BackoffMin: 10 * time.Millisecond, BackoffMax: 200 * time.Millisecond,
	}
}

func startReal(t *testing.T, client redis.UniversalClient, change ...func(*Config)) *Client {
	t.Helper()
	cfg := Config{SDKKey: testSDKKey, Redis: client, Logger: testLogger(t), LogLevel: LogLevelDebug, Timings: quickTimings(), MaxInitWait: time.Minute}
	for _, f := range change {
		f(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	<-c.Ready()
	return c
}

// await waits until holds returns true. The time that this takes is not tested.
func await(t *testing.T, c *Client, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s; %+v", what, c.Stats())
		}
	}
}

func awaitVersion(t *testing.T, c *Client, want int) {
	t.Helper()
	await(t, c, fmt.Sprintf("version %d", want), func() bool { return version(c) == want })
}

func awaitState(t *testing.T, c *Client, want State) {
	t.Helper()
	await(t, c, string(want), func() bool { return c.Stats().State == want })
}

func TestRealKilledConnectionsAreReestablished(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	admin := server.Client(t, nil)
	w := newWriter(t, admin)
	w.commit(configJSON(1))
	c := startReal(t, server.Client(t, nil))
	awaitVersion(t, c, 1)
	for v := range 10 {
		if err := admin.Do(t.Context(), "CLIENT", "KILL", "TYPE", "pubsub").Err(); err != nil {
			t.Fatal(err)
		}
		if v%2 == 0 {
			_ = admin.Do(t.Context(), "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
		}
		w.commit(configJSON(2 + v))
		awaitVersion(t, c, 2+v)
		await(t, c, "subscribed again", func() bool { return c.Stats().Connects == uint64(2+v) })
	}
}

func TestRealLargeAndBrokenMessagesAreIgnored(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	w := newWriter(t, server.Client(t, nil))
	w.commit(configJSON(1))
	c := startReal(t, server.Client(t, nil))
	for _, text := range []string{"", "x", strings.Repeat("x", 1<<20), "cb1 change rev=1", "cb1 weather", "\x00\r\n$5\r\n"} {
		w.publish(text)
	}
	w.inline = true
	w.commit(configJSON(2))
	awaitVersion(t, c, 2)
	if s := c.Stats(); s.Messages != 7 || s.BadMessages != 5 || s.Unknown != 1 || s.Inline != 1 || s.Connects != 1 {
		t.Errorf("%+v", s)
	}
}

// A config of several megabytes passes through blob and entry unchanged.
func TestRealLargeConfigPassesUnchanged(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	w := newWriter(t, server.Client(t, nil))
	large := func(version int) []byte {
		filler := strings.Repeat(`"x":"`+strings.Repeat("y", 1000)+`",`, 5000)
		return []byte(strings.Replace(string(configJSON(version)), `{"p"`, `{`+filler+`"p"`, 1))
	}
	w.commit(large(1))
	c := startReal(t, server.Client(t, nil))
	awaitVersion(t, c, 1)
	w.commit(large(2))
	awaitVersion(t, c, 2)
}

// F15: Redis hangs, and evaluation is not affected.
func TestRealEvaluationContinuesWhileRedisIsStopped(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	w := newWriter(t, server.Client(t, nil))
	w.commit(configJSON(1))
	c := startReal(t, server.Client(t, nil))
	awaitVersion(t, c, 1)
	server.Pause(t)
	awaitState(t, c, StateDisconnected)
	for range 1000 {
		if version(c) != 1 {
			t.Fatal(version(c))
		}
	}
	server.Resume(t)
	w.commit(configJSON(2))
	awaitVersion(t, c, 2)
	await(t, c, "subscribed", func() bool { s := c.Stats().State; return s == StateLive || s == StateNoLeader })
}

func TestRealRedisRestartsWithoutItsData(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	w := newWriter(t, server.Client(t, nil))
	w.commit(configJSON(1))
	c := startReal(t, server.Client(t, nil))
	awaitVersion(t, c, 1)
	server.Restart(t)
	awaitState(t, c, StateNoLeader)
	awaitVersion(t, c, 1)
	w = newWriter(t, server.Client(t, nil))
	w.commit(configJSON(2))
	awaitVersion(t, c, 2)
	awaitState(t, c, StateLive)
}

// followerRights are the documented rights of a follower.
var followerRights = []any{
	"on", ">secret", "resetkeys", "resetchannels", "%R~" + strings.Repeat("?", 40), "%R~catbridge:{*}:*", "&catbridge:{*}:events",
	"-@all", "+get", "+getrange", "+hmget", "+subscribe", "+unsubscribe", "+ping",
}

func setUser(t *testing.T, admin *redis.Client, rights ...any) {
	t.Helper()
	if err := admin.Do(t.Context(), append([]any{"ACL", "SETUSER", "follower"}, rights...)...).Err(); err != nil {
		t.Fatal(err)
	}
}

func restricted(t *testing.T, server *redistest.Process) *redis.Client {
	t.Helper()
	opts := *server.Client(t, nil).Options()
	opts.Username, opts.Password = "follower", "secret"
	client := redis.NewClient(&opts)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// I11: the documented rights suffice for a follower, and it tries no other command.
func TestRealRightsToReadAndSubscribeAreEnough(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	admin := server.Client(t, nil)
	setUser(t, admin, followerRights...)
	w := newWriter(t, admin)
	w.commit(configJSON(1))
	c := startReal(t, restricted(t, server), func(c *Config) { c.Timings.Dead = 4 * time.Second })
	awaitVersion(t, c, 1)
	w.commit(configJSON(2))
	awaitVersion(t, c, 2)
	admin.Del(t.Context(), w.keys.Lock, w.keys.Blob) // so that the entry is read
	awaitState(t, c, StateNoLeader)                  // after some PINGs
	if err := c.Refresh(t.Context()); err != nil {
		t.Error(err)
	}
	s := c.Stats()
	if s.EntryReads == 0 || s.HeadReads == 0 || s.FailedReads != 0 {
		t.Errorf("%+v", s)
	}
	denied, err := admin.Do(context.Background(), "ACL", "LOG").Slice()
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range denied {
		// go-redis sends HELLO first, and continues without it.
		if text := fmt.Sprint(entry); !strings.Contains(text, "object hello") && !strings.Contains(text, "object:hello") {
			t.Errorf("denied: %v", text)
		}
	}
}

// F24: rights are withdrawn while the follower runs, one at a time.
func TestRealWithdrawnRights(t *testing.T) {
	for name, test := range map[string]struct {
		without []any
		event   int
		polls   bool
	}{
		"channel":   {[]any{"resetchannels"}, eventid.Polling, true},
		"subscribe": {[]any{"-subscribe"}, eventid.Polling, true},
		"ping":      {[]any{"-ping"}, eventid.Polling, true},
		"get":       {[]any{"-get", "-getrange"}, eventid.CacheRead, false},
		"hmget":     {[]any{"-hmget"}, eventid.CacheRead, false},
		"keys":      {[]any{"resetkeys"}, eventid.CacheRead, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			admin := server.Client(t, nil)
			setUser(t, admin, followerRights...)
			w := newWriter(t, admin)
			w.commit(configJSON(1))
			log, logging := recorded(slog.LevelInfo)
			c := startReal(t, restricted(t, server), logging)
			awaitVersion(t, c, 1)
			setUser(t, admin, test.without...)
			if name == "subscribe" { // Redis does not disconnect subscribers
				admin.Do(t.Context(), "CLIENT", "KILL", "TYPE", "pubsub")
			}
			w.commit(configJSON(2))
			if test.polls {
				awaitState(t, c, StatePolling)
				awaitVersion(t, c, 2)
			} else {
				var beats sync.WaitGroup // they arrive, but do not help
				defer beats.Wait()
				beats.Go(func() {
					for range 10 {
						w.heartbeat()
					}
				})
			}
			await(t, c, "the event", func() bool { return len(log.with(test.event)) > 0 })
			if e := log.with(test.event)[0]; e.level != slog.LevelError {
				t.Errorf("not loud: %+v", e)
			}
			setUser(t, admin, followerRights...)
			w.commit(configJSON(3))
			awaitVersion(t, c, 3)
			w.heartbeat()
			await(t, c, "subscribed", func() bool { s := c.Stats().State; return s == StateLive || s == StateNoLeader })
		})
	}
}
