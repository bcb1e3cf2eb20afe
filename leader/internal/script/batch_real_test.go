package leader

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/internal/redisnode"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// batched runs a script for each of the keys, all of one node, in one batch.
func batched(t *testing.T, p *pipeline, keys ...string) []error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	node, err := redisnode.Primary(ctx, p.client, keys[0])
	if err != nil {
		t.Fatal(err)
	}
	first, b := p.join(node, nil)
	if b != nil {
		t.Fatal("something is under way")
	}
	errs := make([]error, len(keys))
	var running sync.WaitGroup
	for i, key := range keys {
		running.Go(func() { _, errs[i] = p.run(ctx, echoScript, []string{key}) })
	}
	running.Wait()
	p.done(first)
	return errs
}

func TestABatchWithoutAConnectionReturnsTheError(t *testing.T) {
	s := redistest.Start(t)
	opts := *s.Client(t, nil).Options()
	opts.Username, opts.Password = "nobody", "wrong"
	client := redis.NewClient(&opts)
	p := newPipeline(client)
	defer func() { p.close(); _ = client.Close() }()
	for _, err := range batched(t, p, "a", "b") {
		if err == nil || !strings.Contains(err.Error(), "WRONGPASS") {
			t.Errorf("got %v", err)
		}
	}
}

func TestABatchOnARestartedRedisSucceeds(t *testing.T) {
	s := redistest.Start(t)
	p := newPipeline(s.Client(t, nil))
	defer p.close()
	for range 2 {
		for _, err := range batched(t, p, "a", "b", "c") {
			if err != nil {
				t.Error(err)
			}
		}
		s.Kill()
		s.Restart(t)
	}
}

// F22: the client still assigns the slot to its former node.
func TestABatchSucceedsAfterASlotHasMoved(t *testing.T) {
	cluster := redistest.StartCluster(t, 2, 0)
	client := cluster.Client(t, nil)
	p := newPipeline(client)
	defer p.close()
	var keys []string // of the first node
	for _, key := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		node, err := redisnode.Primary(t.Context(), p.client, key)
		if err != nil {
			t.Fatal(err)
		}
		if node.Options().Addr == cluster.Primaries[0].Addr() {
			keys = append(keys, key)
		}
	}
	if len(keys) < 3 {
		t.Fatalf("the first node has only %v", keys)
	}
	cluster.MoveSlot(t, keys[1], cluster.Primaries[0], cluster.Primaries[1])
	for i, err := range batched(t, p, keys...) {
		if err != nil {
			t.Errorf("%s: %v", keys[i], err)
		}
	}
}

func TestANodeThatHangsDelaysItsOwnSDKKeysOnly(t *testing.T) {
	cluster := redistest.StartCluster(t, 3, 0)
	for _, node := range cluster.Primaries {
		if _, err := node.Do(t, "CONFIG", "SET", "cluster-require-full-coverage", "no"); err != nil {
			t.Fatal(err)
		}
	}
	client := cluster.Client(t, nil)
	cfg := Config{
		Redis: client, Transport: fakecdn.New(),
		Timing: Timing{RenewInterval: 500 * time.Millisecond, RenewDeadline: 4 * time.Second, LeaseDuration: 20 * time.Second},
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
		node, err := redisnode.Primary(ctx, l.scripts.client, e.store.keys.Lock)
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
		return all(append(onHung, others...), func(k KeyStats) bool { return k.State == Steady && k.Renewals > 2 })
	})
	hung.Pause(t)
	defer hung.Resume(t)
	eventually(t, "the term of those that hang has ended", func() bool {
		return all(onHung, func(k KeyStats) bool { return k.Lapsed > 0 })
	})
	if !all(others, func(k KeyStats) bool { return k.Lapsed == 0 && time.Since(k.LastContact) < 4*time.Second }) {
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
