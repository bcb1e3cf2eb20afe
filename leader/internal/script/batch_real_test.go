package script

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/internal/redisnode"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// batched runs a script for each of the keys, all of one node, in one batch.
func batched(t *testing.T, p *Batcher, keys ...string) []error {
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
	p := NewBatcher(client, func() {})
	defer func() { p.Close(); _ = client.Close() }()
	for _, err := range batched(t, p, "a", "b") {
		if err == nil || !strings.Contains(err.Error(), "WRONGPASS") {
			t.Errorf("got %v", err)
		}
	}
}

func TestABatchOnARestartedRedisSucceeds(t *testing.T) {
	s := redistest.Start(t)
	p := NewBatcher(s.Client(t, nil), func() {})
	defer p.Close()
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
	p := NewBatcher(client, func() {})
	defer p.Close()
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
