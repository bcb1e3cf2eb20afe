package inspect_test

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/inspect"
	"github.com/catbridge/catbridge/internal/testenv/memory"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
)

// Values of 64 MB are reported with little memory.
func TestValuesAboveTheLimitAreNotReadCompletely(t *testing.T) {
	server := redistest.Start(t)
	client := patient(t, server.Client(t, nil))
	huge := strings.Repeat("x", 64<<20)
	for _, key := range []string{keys.Entry, keys.Blob, keys.Lock} {
		if err := client.Set(t.Context(), key, huge, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	client.HSet(t.Context(), keys.Meta, "etag", huge, "etags", huge)
	now := float64(time.Now().UnixMilli())
	client.ZAdd(t.Context(), keys.Fleet, redis.Z{Member: huge, Score: now}, redis.Z{Member: "y" + huge, Score: now + 1})
	var key inspect.Key
	took := memory.Allocated(func() { key = look(t, client) })
	// Entry and blob are read up to three times, because they do not match meta.
	if took > 9*wire.MaxConfigBytes {
		t.Errorf("took %d bytes", took)
	}
	for name, part := range map[string]*inspect.Part{"entry": key.Entry, "blob": key.Blob} {
		if part == nil || part.State != inspect.Malformed || !strings.Contains(part.Why, "over the size limit") {
			t.Errorf("%s: %+v", name, part)
		}
	}
	if key.Fleet == nil || key.Fleet.Malformed != 2 {
		t.Errorf("fleet: %+v", key.Fleet)
	}
	if key.OK || key.Leader != nil {
		t.Errorf("%+v", key)
	}
}

// patient returns a client like another one that also waits for a slow machine.
func patient(t *testing.T, client *redis.Client) *redis.Client {
	options := *client.Options()
	options.ReadTimeout, options.WriteTimeout = time.Minute, time.Minute
	client = redis.NewClient(&options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}
