package leader

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/control"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/internal/script"
)

// BenchmarkControl commits changes of a config of 1 MB and renews, by turns for an SDK key without a
// control and for one with a forced flag. It reports the times of both, and their ratios.
func BenchmarkControl(b *testing.B) {
	client := redistest.Start(b).Client(b, nil)
	batcher := script.NewBatcher(client, func() {})
	defer batcher.Close()
	var contents, effective [2]*script.Content
	force := (&control.Control{}).With(control.Force{Flag: fakecdn.VersionFlag, Value: evaluate.IntValue(77), Order: order(time.Hour)})
	for i := range contents {
		contents[i] = script.NewContent(fakecdn.Config{Version: int64(i + 1), MinBytes: 1 << 20}.JSON(), `"e"`)
		// Another value for each: the configs differ only in this flag.
		other := (&control.Control{}).With(control.Force{Flag: fakecdn.VersionFlag, Value: evaluate.IntValue(int64(i + 77))})
		made, _, err := other.Effective(contents[i].JSON, nil)
		if err != nil {
			b.Fatal(err)
		}
		effective[i] = script.NewContent(made, control.ETag(wire.ContentHash(made)))
	}
	type side struct {
		store              *script.Store
		a                  script.Assertion
		contents           *[2]*script.Content
		committing, renews time.Duration
	}
	sides := [2]*side{{contents: &contents}, {contents: &effective}}
	for i, s := range sides {
		s.store = batcher.NewStore(cachekeys.For(testKey, []string{"plain", "forced"}[i], 0), "ONE", time.Hour)
		g, err := s.store.Acquire(b.Context(), 0)
		if err != nil {
			b.Fatal(err)
		}
		s.a = script.Assertion{Lock: g.Lock, Latest: wire.MaxRev, OverwriteUpTo: wire.MaxRev}
		if i == 1 {
			reply, err := s.store.WriteControl(b.Context(), script.ControlWrite{Control: force})
			if err != nil || reply.Outcome != script.OK {
				b.Fatal(reply, err)
			}
			s.a.InForce, s.a.Seq = reply.Seq, reply.Seq
		}
	}
	n := 0
	for b.Loop() {
		for turn := range sides {
			s := sides[(turn+n)%len(sides)]
			c := s.contents[n%2]
			s.a.ETag = c.StoredETag()
			s.a.Message = wire.Message{Type: wire.Change, Hash: c.Hash, Len: len(c.JSON), Poll: 55 * time.Second, ETag: c.StoredETag(), Control: s.a.InForce}
			if s.a.InForce != 0 {
				s.a.Source, s.a.SourceETag = contents[n%2], contents[n%2].StoredETag()
			}
			began := time.Now()
			w, err := s.store.Commit(b.Context(), s.a, c)
			if err != nil || w.Outcome != script.OK {
				b.Fatal(w, err)
			}
			committed := time.Now()
			s.a.Base, s.a.Message.Type = w.Rev, wire.Heartbeat
			w, err = s.store.Renew(b.Context(), s.a)
			if err != nil || w.Outcome != script.OK {
				b.Fatal(w, err)
			}
			s.committing, s.renews, s.a.Base = s.committing+committed.Sub(began), s.renews+time.Since(committed), w.Rev
		}
		n++
	}
	per := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(n) }
	b.ReportMetric(per(sides[0].committing), "µs/commit")
	b.ReportMetric(per(sides[1].committing), "µs/forced-commit")
	b.ReportMetric(float64(sides[1].committing)/float64(sides[0].committing), "commit-ratio")
	b.ReportMetric(per(sides[0].renews), "µs/renewal")
	b.ReportMetric(per(sides[1].renews), "µs/forced-renewal")
	b.ReportMetric(float64(sides[1].renews)/float64(sides[0].renews), "renewal-ratio")
}
