package leader

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/internal/redisnode"
	"github.com/catbridge/catbridge/internal/testenv/busy"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// trips counts the commands and pipelines that a client sends.
type trips struct{ single, batches, batched atomic.Int64 }

func (c *trips) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *trips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "evalsha" {
			c.single.Add(1)
		}
		return next(ctx, cmd)
	}
}

func (c *trips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if cmds[0].Name() == "evalsha" {
			c.batches.Add(1)
			c.batched.Add(int64(len(cmds)))
		}
		return next(ctx, cmds)
	}
}

func (c *trips) reset() {
	c.single.Store(0)
	c.batches.Store(0)
	c.batched.Store(0)
}

// startMany starts a leader with that many SDK keys.
func (s *testEnv) startMany(link *redistest.Link, keys int) (*Leader, *trips) {
	s.Helper()
	client, counted := s.server.Client(s.T, link), new(trips)
	client.AddHook(counted)
	l, _ := s.startManyOn(client, keys)
	return l, counted
}

// startManyOn is like startMany, on the given client. stop shuts the leader down and waits.
func (s *testEnv) startManyOn(client *redis.Client, keys int) (l *Leader, stop func()) {
	s.Helper()
	cfg := Config{Redis: client, Transport: s.cdn}
	for i := range keys {
		cfg.SDKKeys = append(cfg.SDKKeys, SDKKey{Name: fmt.Sprint(i), Key: manyKey(i), BaseURL: "http://cdn.test"})
	}
	l, err := New(cfg)
	if err != nil {
		s.Fatal(err)
	}
	return l, s.run(l)
}

func manyKey(i int) string {
	return fmt.Sprintf("configcat-sdk-1/TEST_KEY-%013d/1234567890123456789012", i)
}

func TestScriptsOfManySDKKeysShareRoundTrips(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, sent := s.startMany(nil, 100)
		s.wait(10 * time.Second)
		sent.reset()
		s.wait(30 * time.Second)
		single, batches, batched := sent.single.Load(), sent.batches.Load(), sent.batched.Load()
		if all := single + batched; all < 100*9 || (single+batches)*10 > all {
			t.Errorf("%d scripts made %d round trips", all, single+batches)
		}
		for _, k := range l.Stats().Keys {
			if k.State != StateSteady || k.Terms != 1 || k.Renewals < 12 {
				t.Fatalf("%+v", k)
			}
		}
	})
}

func TestScriptsOfASingleSDKKeyAreSentAtOnce(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		_, sent := s.startMany(nil, 1)
		s.wait(2 * time.Minute)
		if sent.batches.Load() != 0 || sent.single.Load() < 40 {
			t.Errorf("%d by themselves, %d batches", sent.single.Load(), sent.batches.Load())
		}
	})
}

func TestANodeThatHangsDelaysItsOwnSDKKeysOnly(t *testing.T) {
	cluster := redistest.StartCluster(t, 3, 0)
	for _, node := range cluster.Primaries {
		if _, err := node.Do(t, "CONFIG", "SET", "cluster-require-full-coverage", "no"); err != nil {
			t.Fatal(err)
		}
	}
	client := cluster.Client(t, nil)
	within := busy.Bound(4 * time.Second)
	cfg := Config{
		Redis: client, Transport: fakecdn.New(),
		Timings: Timings{RenewInterval: 500 * time.Millisecond, RenewDeadline: within, LeaseDuration: 5 * within},
	}
	const keys = 30
	for i := range keys {
		cfg.SDKKeys = append(cfg.SDKKeys, SDKKey{Key: manyKey(i), Name: manyKey(i)[20:38], BaseURL: "http://cdn.test"})
	}
	l, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = l.Run(ctx) })
	defer running.Wait()
	defer cancel()
	hung := cluster.Primaries[1]
	var onHung, others []int
	for i, e := range l.set.Load().electors {
		node, err := redisnode.Primary(ctx, client, e.store.Keys().Lock)
		if err != nil {
			t.Fatal(err)
		}
		if node.Options().Addr == hung.Addr() {
			onHung = append(onHung, i)
		} else {
			others = append(others, i)
		}
	}
	all := func(which []int, holds func(k KeyStats) bool) bool {
		now := l.Stats().Keys
		return !slices.ContainsFunc(which, func(i int) bool { return !holds(now[i]) })
	}
	eventually(t, "it leads for all", func() bool {
		return all(append(onHung, others...), func(k KeyStats) bool { return k.State == StateSteady && k.Renewals > 2 })
	})
	hung.Pause(t)
	defer hung.Resume(t)
	eventually(t, "the term of those that hang has ended", func() bool {
		return all(onHung, func(k KeyStats) bool { return k.Lapsed > 0 })
	})
	if !all(others, func(k KeyStats) bool { return k.Lapsed == 0 && time.Since(k.LastContact) < within }) {
		t.Error("others hung, too")
	}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}
