package feed

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower/internal/snapshot"
	"github.com/catbridge/catbridge/internal/wire"
)

// idleSyncer returns a syncer without its goroutine and without Redis.
func idleSyncer(t testing.TB, version int) *syncer {
	t.Helper()
	f := newFeed(Options{Keys: testKeys, Timings: testTimings, Listen: true}, nil)
	f.status.Store(&Status{State: Live, Poll: defaultPoll})
	s := newSyncer(f)
	json := configJSON(version)
	config, err := evaluate.Parse(json)
	if err != nil {
		t.Fatal(err)
	}
	s.apply(&snapshot.Snapshot{Config: config, Rev: 1767225600000, Hash: wire.ContentHash(json), Source: snapshot.SourceBlob})
	return s
}

// I1, I4: whatever messages arrive, in any order, the rev never falls, and the content changes only
// with a higher rev.
func FuzzMessagesNeverTakeAFollowerBack(f *testing.F) {
	json := string(configJSON(2))
	hash := wire.ContentHash([]byte(json))
	f.Add("cb1 change rev=1767225600001 hash="+hash+"\nraw\n"+json, "cb1 heartbeat rev=1767225600000 hash="+hash, "cb1 resign")
	f.Add("cb1 heartbeat rev=1767225600000 cdn=1767225600000 hash="+hash+" epoch=1", "cb1 change rev=1767225600001 hash="+hash+" spread=1000", "")
	f.Add("cb1 change rev=1767225600009 hash="+hash+"\nzstd\n"+json, "cb1 change rev=1767225600008 hash="+hash+"\nraw\n{}", "cb1 x")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		s := idleSyncer(t, 1)
		at := time.Now()
		for _, text := range []string{a, b, c, b, a} {
			before := s.current.Load()
			at = at.Add(20 * time.Second)
			if m, ok := s.parse(text); ok {
				s.onMessage(m, at)
			}
			after := s.current.Load()
			if after.Rev < before.Rev {
				t.Fatalf("rev %d after %d", after.Rev, before.Rev)
			}
			if after.Hash != before.Hash && (after.Rev == before.Rev || after.Config == nil) {
				t.Fatalf("%+v after %+v", after, before)
			}
			if after.Hash == before.Hash && after.Config != before.Config {
				t.Fatal("the same content was compiled again")
			}
		}
	})
}
