package follower

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/internal/testenv/memory"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
)

// Values of 64 MB in the entry, the blob, the lock and meta's fields are refused without much memory, and the
// config stays in force (I4).
func TestValuesOverTheLimitAreRefusedWithLittleMemory(t *testing.T) {
	server := redistest.Start(t)
	admin := server.Client(t, nil)
	w := newWriter(t, admin)
	w.commit(configJSON(1))
	log, logging := recorded(slog.LevelInfo)
	client := server.Client(t, nil)
	c := startReal(t, client, logging)
	awaitVersion(t, c, 1)
	huge := strings.Repeat("x", 32<<20)
	for _, key := range []string{w.keys.Entry, w.keys.Blob, w.keys.Lock} {
		if err := admin.Set(t.Context(), key, huge, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if err := admin.HSet(t.Context(), w.keys.Meta, "etag", huge, "etags", huge).Err(); err != nil {
		t.Fatal(err)
	}
	// On a busy machine a read of so much may end at its timeout.
	await(t, c, "entry and blob refused", func() bool {
		if took, limit := memory.Allocated(func() { _ = c.Refresh(t.Context()) }), uint64(6*wire.MaxConfigBytes); took > limit {
			t.Errorf("a read took %d bytes", took)
		}
		return c.Stats().RefusedBlobs > 0 && c.Stats().RefusedEntries > 0
	})
	if v := version(c); v != 1 {
		t.Errorf("version %d", v)
	}
	if refused := log.with(eventid.RefusedContent); len(refused) == 0 || !strings.Contains(refused[0].text, "over the size limit") {
		t.Errorf("%+v", refused)
	}
	cache := NewRedisCache(client)
	var err error
	if took := memory.Allocated(func() { _, err = cache.Get(t.Context(), w.keys.Entry) }); err == nil ||
		!strings.Contains(err.Error(), "over the size limit") || took > 3*wire.MaxConfigBytes {
		t.Errorf("the cache: %v, %d bytes", err, took)
	}
}
