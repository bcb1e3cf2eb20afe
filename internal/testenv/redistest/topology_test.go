package redistest_test

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

func TestClusterServesAllSlots(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 3, 1)
	client := cluster.Client(t, new(redistest.Link))
	for _, key := range []string{"a", "b", "c", "d", "e"} {
		if err := client.Set(t.Context(), key, "v", 0).Err(); err != nil {
			t.Error(err)
		}
	}
	if n := len(cluster.Replicas); n != 3 {
		t.Errorf("%d replicas", n)
	}
}

func TestSentinelsReplaceAKilledPrimary(t *testing.T) {
	t.Parallel()
	sentinel := redistest.StartSentinel(t, 2)
	client := sentinel.Client(t, nil)
	if err := client.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	old := sentinel.Primary(t)
	if old != sentinel.Nodes[0] {
		t.Errorf("the primary is on port %d", old.Port)
	}
	sentinel.ReplaceSilent(t)
	old.Kill()
	for ctx := within(t, time.Minute); client.Set(ctx, "k", "w", 0).Err() != nil; {
		if ctx.Err() != nil {
			t.Fatal("no primary can be written to")
		}
		time.Sleep(20 * time.Millisecond)
	}
	if sentinel.Primary(t) == old {
		t.Error("the killed one is the primary still")
	}
}
