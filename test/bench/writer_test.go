package bench_test

import (
	"context"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/test/bench"
	"github.com/redis/go-redis/v9"
)

// writer runs a leader's scripts at any rate: a leader asks the CDN once a second at most.
// The content is prepared in advance, so that a write costs little.
type writer struct {
	t        testing.TB
	client   *redis.Client
	content  bench.Content
	keys     cachekeys.Keys
	epoch    int64
	rev      int64
	prepared []prepared
}

type prepared struct {
	version int64
	len     int
	hash    string
	payload []byte
	codec   wire.Codec
}

// newWriter prepares a few versions of a content of that size.
func newWriter(t testing.TB, client *redis.Client, bytes int) *writer {
	t.Helper()
	w := &writer{
		t: t, client: client, content: bench.NewContent(bytes), keys: cachekeys.For(sdkKey, "", 0),
		epoch: time.Now().UnixMilli(), rev: time.Now().UnixMilli(),
	}
	for version := int64(1); version <= 16; version++ {
		w.prepared = append(w.prepared, prepare(w.content.JSON(version), version))
	}
	return w
}

func prepare(json []byte, version int64) prepared {
	p := prepared{version: version, len: len(json), hash: wire.ContentHash(json)}
	p.codec, p.payload = wire.Encode(json)
	return p
}

// write makes the next version current and returns it.
func (w *writer) write() int64 {
	return w.send(w.prepared[(w.rev+1)%int64(len(w.prepared))])
}

// publish makes a config JSON current.
func (w *writer) publish(json []byte, version int64) { w.send(prepare(json, version)) }

func (w *writer) send(p prepared) (version int64) {
	w.rev++
	m := wire.Message{
		Type: wire.Change, Rev: w.rev, CDN: w.rev, Hash: p.hash, Len: p.len, Poll: time.Minute, Epoch: w.epoch,
	}
	if len(p.payload) <= wire.MaxInlineBytes {
		m.Codec, m.Content = p.codec, p.payload
	}
	blob := wire.Blob{Rev: w.rev, Hash: p.hash, Codec: p.codec, Payload: p.payload}
	ctx := context.Background()
	_, err := w.client.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.Set(ctx, w.keys.Lock, wire.LockValue("writer", w.epoch), time.Minute)
		pipe.Set(ctx, w.keys.Blob, blob.Append(nil), 0)
		pipe.HSet(ctx, w.keys.Meta, "epoch", w.epoch, "rev", w.rev, "hash", p.hash, "len", p.len, "cdn", w.rev, "poll", 60_000)
		pipe.Publish(ctx, w.keys.Events, m.Append(nil))
		return nil
	})
	if err != nil {
		w.t.Fatalf("write: %v", err)
	}
	return p.version
}

// writeAt writes at the given rate until ctx ends, and returns the number of writes.
func (w *writer) writeAt(ctx context.Context, perSecond int) (writes int) {
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return writes
		case <-tick.C:
			w.write()
			writes++
		}
	}
}
