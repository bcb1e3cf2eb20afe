package redistest_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// onBoth runs a test on a real server and on a virtual one.
func onBoth(t *testing.T, test func(t *testing.T, server redistest.Server)) {
	t.Run("virtual", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { test(t, redistest.Virtual(t)) })
	})
	t.Run("real", func(t *testing.T) { test(t, redistest.Start(t)) })
}

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestScriptsAndMessagesWork(t *testing.T) {
	onBoth(t, func(t *testing.T, server redistest.Server) {
		ctx := t.Context()
		client := server.Client(t, nil)
		listener := server.Client(t, new(redistest.Link)).Subscribe(ctx, "c")
		t.Cleanup(func() { _ = listener.Close() })
		if _, err := listener.Receive(ctx); err != nil {
			t.Fatal(err)
		}
		script := redis.NewScript(`redis.call('SET', KEYS[1], ARGV[1], 'PX', 5000)
			return {redis.call('TIME')[1], redis.call('PTTL', KEYS[1]), redis.call('PUBLISH', 'c', ARGV[1])}`)
		reply, err := script.Run(ctx, client, []string{"k"}, "hello\r\nworld").Slice()
		if err != nil || reply[2] != int64(1) {
			t.Fatalf("reply %v, %v", reply, err)
		}
		if message, err := listener.ReceiveMessage(ctx); err != nil || message.Payload != "hello\r\nworld" {
			t.Errorf("message %v, %v", message, err)
		}
	})
}

func TestVirtualKeysExpireByTheBubblesClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := redistest.Virtual(t).Client(t, nil)
		if now := client.Time(t.Context()).Val(); now.UnixMilli() < 1e12 {
			t.Errorf("Redis's clock says %v", now)
		}
		client.Set(t.Context(), "k", "v", time.Hour)
		time.Sleep(time.Hour - time.Second)
		if n := client.Exists(t.Context(), "k").Val(); n != 1 {
			t.Error("expired too early")
		}
		time.Sleep(2 * time.Second)
		if n := client.Exists(t.Context(), "k").Val(); n != 0 {
			t.Error("did not expire")
		}
	})
}

func TestCutLinkIsNoticedAndCanBeDialledAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, server redistest.Server) {
		var link redistest.Link
		client := server.Client(t, &link)
		pubsub := client.Subscribe(t.Context(), "c")
		t.Cleanup(func() { _ = pubsub.Close() })
		if _, err := pubsub.Receive(t.Context()); err != nil {
			t.Fatal(err)
		}
		link.Cut()
		if _, err := pubsub.Receive(t.Context()); err == nil {
			t.Error("the subscription still works")
		}
		link.Down()
		if err := client.Ping(t.Context()).Err(); err == nil {
			t.Error("PING came through a link that is down")
		}
		link.Up()
		if err := client.Ping(t.Context()).Err(); err != nil {
			t.Error(err)
		}
	})
}

// The data of a frozen sender arrives after the thaw, even if the sender has given up.
func TestWriteArrivesLateThroughAFrozenLink(t *testing.T) {
	onBoth(t, func(t *testing.T, server redistest.Server) {
		var link redistest.Link
		client, other := server.Client(t, &link), server.Client(t, nil)
		if err := client.Set(t.Context(), "k", "old", 0).Err(); err != nil {
			t.Fatal(err)
		}
		link.Freeze()
		err := client.Set(within(t, 100*time.Millisecond), "k", "late", 0).Err()
		if !errors.Is(err, context.DeadlineExceeded) && !isTimeout(err) {
			t.Errorf("SET through a frozen link: %v", err)
		}
		if !link.Holds("late") || link.Holds("early") {
			t.Error("the held data is not the data that was sent")
		}
		if err := client.Ping(within(t, 100*time.Millisecond)).Err(); err == nil {
			t.Error("connected through a frozen link")
		}
		if value := other.Get(t.Context(), "k").Val(); value != "old" {
			t.Errorf("%q while frozen", value)
		}
		link.Thaw()
		for other.Get(within(t, time.Minute), "k").Val() != "late" {
			time.Sleep(time.Millisecond)
		}
	})
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

func TestDroppedMessageIsLostAlone(t *testing.T) {
	onBoth(t, func(t *testing.T, server redistest.Server) {
		var link redistest.Link
		client := server.Client(t, nil)
		pubsub := server.Client(t, &link).Subscribe(t.Context(), "c")
		t.Cleanup(func() { _ = pubsub.Close() })
		if _, err := pubsub.Receive(t.Context()); err != nil {
			t.Fatal(err)
		}
		link.Drop(func(frame []byte) bool { return bytes.Contains(frame, []byte("lost")) })
		for _, text := range []string{"first", "lost", "last"} {
			client.Publish(t.Context(), "c", text)
		}
		for _, want := range []string{"first", "last"} {
			if message, err := pubsub.ReceiveMessage(t.Context()); err != nil || message.Payload != want {
				t.Errorf("message %v, %v, want %s", message, err, want)
			}
		}
		if n := link.Dropped(); n != 1 {
			t.Errorf("%d dropped", n)
		}
	})
}

func TestPausedServerKeepsConnectionsAndData(t *testing.T) {
	server := redistest.Start(t)
	client := server.Client(t, nil)
	client.Set(t.Context(), "k", "v", 0)
	server.Pause(t)
	if err := client.Ping(within(t, 50*time.Millisecond)).Err(); err == nil {
		t.Error("a stopped server answers")
	}
	server.Resume(t)
	if value, err := client.Get(t.Context(), "k").Result(); value != "v" {
		t.Errorf("%q, %v after going on", value, err)
	}
}

func TestRestartedServerHasLostItsData(t *testing.T) {
	server := redistest.Start(t)
	client := server.Client(t, nil)
	client.Set(t.Context(), "k", "v", 0)
	server.Kill()
	if err := client.Ping(within(t, time.Second)).Err(); err == nil {
		t.Error("a killed server answers")
	}
	server.Restart(t)
	if n, err := server.Client(t, nil).DBSize(t.Context()).Result(); n != 0 || err != nil {
		t.Errorf("%d keys, %v after the restart", n, err)
	}
}

func TestOptionsReachTheServer(t *testing.T) {
	server := redistest.Start(t, "--maxmemory", "7mb")
	limit, err := server.Client(t, nil).ConfigGet(t.Context(), "maxmemory").Result()
	if err != nil || limit["maxmemory"] != "7340032" {
		t.Errorf("maxmemory %v, %v", limit, err)
	}
}

// ended records how a test was ended, instead of ending it.
type ended struct {
	testing.TB
	skipped, failed string
}

func (e *ended) Helper()                        {}
func (e *ended) Skipf(format string, _ ...any)  { e.skipped = format; panic(e) }
func (e *ended) Fatalf(format string, _ ...any) { e.failed = format; panic(e) }

func TestMissingProgramSkipsOrFails(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv(redistest.ProgramVariable, "") // which may be an absolute path
	start := func() *ended {
		e := &ended{TB: t}
		func() {
			defer func() { _ = recover() }()
			redistest.Start(e)
		}()
		return e
	}
	t.Setenv("CATBRIDGE_REQUIRE_ALL", "")
	if e := start(); e.skipped == "" || e.failed != "" {
		t.Errorf("want it skipped: %+v", e)
	}
	t.Setenv("CATBRIDGE_REQUIRE_ALL", "1")
	if e := start(); e.failed == "" || e.skipped != "" {
		t.Errorf("want it failed: %+v", e)
	}
}

func TestOtherProcessesConnectThroughALink(t *testing.T) {
	var link redistest.Link
	first, second := redistest.Start(t), redistest.Start(t)
	addr := link.Listen(t, first.Addr())
	client := redis.NewClient(&redis.Options{Addr: addr, DialerRetries: 1, MaxRetries: -1})
	t.Cleanup(func() { _ = client.Close() })
	ctx := within(t, time.Minute)
	if err := client.Set(ctx, "k", "first", 0).Err(); err != nil {
		t.Fatal(err)
	}
	link.Route(second.Addr())
	link.Cut()
	if err := client.Get(ctx, "k").Err(); err == nil {
		t.Error("the connection was not cut")
	}
	if err := client.Get(ctx, "k").Err(); !errors.Is(err, redis.Nil) {
		t.Errorf("from the other server: %v", err)
	}
	link.Down()
	if err := client.Get(ctx, "k").Err(); err == nil {
		t.Error("an answer through a link that is down")
	}
}

// A replica receives every write byte by byte, and the commands of a script together.
func TestReplicaReceivesAllWrites(t *testing.T) {
	server := redistest.Start(t)
	client := server.Client(t, nil)
	client.Set(t.Context(), "before", "x", 0)
	ctx, cancel := context.WithCancel(t.Context())
	received, ended := make(chan [][]string, 100), make(chan error)
	var seen atomic.Int64
	go func() {
		ended <- server.Replicate(ctx, func(commands [][]string, offset int64) {
			if len(commands) > 0 {
				received <- commands
			}
			seen.Store(offset)
		})
	}()
	next := func() [][]string {
		t.Helper()
		for {
			select {
			case commands := <-received:
				if commands[0][1] != "begun" {
					return commands
				}
			case <-time.After(time.Minute):
				t.Fatal("nothing is received")
			}
		}
	}
	for seen.Load() == 0 { // until the replica is attached
		if err := client.Set(within(t, time.Minute), "begun", "", 0).Err(); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-ended:
			t.Fatal(err)
		case <-time.After(time.Millisecond):
		}
	}

	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	value := `"quoted" "twice" \n` + string(all) + "\r\n"
	client.Set(t.Context(), "k", value, 0)
	if have := next(); len(have) != 1 || !slices.Equal(have[0], []string{"SET", "k", value}) {
		t.Errorf("received %q", have)
	}
	script := redis.NewScript(`redis.call('GET', KEYS[1]) redis.call('SET', KEYS[1], ARGV[1]) redis.call('PUBLISH', 'c', ARGV[1])`)
	script.Run(t.Context(), client, []string{"k"}, value)
	if have := next(); len(have) != 2 || !slices.Equal(have[0], []string{"SET", "k", value}) || !slices.Equal(have[1], []string{"PUBLISH", "c", value}) {
		t.Errorf("received of the script %q", have)
	}
	offset, err := server.Offset(t.Context())
	for deadline := time.Now().Add(time.Minute); seen.Load() < offset && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
	}
	if err != nil || seen.Load() != offset {
		t.Errorf("received up to %d of %d, %v", seen.Load(), offset, err)
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("it ended without a reason")
	}
}
