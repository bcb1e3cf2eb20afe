package leader

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/patch"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/internal/script"
)

// BenchmarkHistory commits changes of a config of 1 MB, without and with a history of 100 changes. It
// reports the time of a commit, of the patch back, which is made while the blob is compressed, and of
// the trim, which follows the commit, and the memory of the full history in Redis.
func BenchmarkHistory(b *testing.B) {
	for name, entries := range map[string]int{"none": 0, "100 changes": 100} {
		b.Run(name, func(b *testing.B) {
			client := redistest.Start(b).Client(b, nil)
			batcher := script.NewBatcher(client, func() {})
			defer batcher.Close()
			keys := cachekeys.For(testKey, "", 0)
			store := batcher.NewStore(keys, "ONE", time.Hour)
			g, err := store.Acquire(b.Context(), 0)
			if err != nil {
				b.Fatal(err)
			}
			contents := make([]*script.Content, 101)
			for i := range contents {
				contents[i] = script.NewContent(fakecdn.Config{Version: int64(i + 1), MinBytes: 1 << 20}.JSON(), `"e"`)
			}
			var rev int64
			var making, committing, trimming time.Duration
			var size script.HistoryState
			n := 0
			change := func() {
				c, before := contents[n%len(contents)], contents[max(0, n-1)%len(contents)]
				a := script.Assertion{
					Lock: g.Lock, Base: rev, Latest: wire.MaxRev, ETag: c.StoredETag(), OverwriteUpTo: wire.MaxRev,
					Message: wire.Message{Type: wire.Change, Hash: c.Hash, Len: len(c.JSON), Poll: 55 * time.Second, ETag: c.StoredETag()},
				}
				began := time.Now()
				if entries > 0 {
					p := patch.Make(b.Context(), c.JSON, before.JSON, 256<<10)
					a.History = script.Record{Entries: entries, Cause: wire.CausePoll, BackTo: before.Hash, BackSize: len(before.JSON), Back: wire.Back{Codec: wire.Patch, Payload: p}.Append(nil)}
				}
				made := time.Now()
				w, err := store.Commit(b.Context(), a, c)
				if err != nil || w.Outcome != script.OK || w.History != "" {
					b.Fatal(w, err)
				}
				committed := time.Now()
				if entries > 0 {
					if _, size, err = store.Trim(b.Context(), g.Lock, 256<<10); err != nil {
						b.Fatal(err)
					}
				}
				making, committing, trimming = making+made.Sub(began), committing+committed.Sub(made), trimming+time.Since(committed)
				rev = w.Rev
				n++
			}
			for range 100 {
				change()
			}
			making, committing, trimming = 0, 0, 0
			for b.Loop() {
				change()
			}
			per := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(b.N) }
			b.ReportMetric(per(committing), "µs/commit")
			if entries > 0 {
				b.ReportMetric(per(making), "µs/patch")
				b.ReportMetric(per(trimming), "µs/trim")
				b.ReportMetric(float64(size.Bytes), "B/history")
				b.ReportMetric(float64(client.MemoryUsage(b.Context(), keys.History).Val()), "B-in-Redis")
			}
		})
	}
}
