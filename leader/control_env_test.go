package leader

import (
	"bytes"
	"time"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/control"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/internal/script"
)

// operate changes the control as an operator does, who is asked to wait until it has settled.
func (s *testEnv) operate(change func(c *control.Control) *control.Control, pinned []byte) int64 {
	s.Helper()
	seq := s.putInForce(change, pinned)
	s.wait(100 * time.Millisecond)
	return seq
}

// putInForce changes the control and returns its seq.
func (s *testEnv) putInForce(change func(c *control.Control) *control.Control, pinned []byte) int64 {
	s.Helper()
	store := script.NewBatcher(s.client, func() {}).NewStore(s.keys, "", time.Second)
	stored, err := store.Control(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	w := script.ControlWrite{Expected: stored.Seq, Control: change(stored.Control)}
	if pinned != nil {
		w.Pinned = script.NewContent(pinned, "")
	}
	reply, err := store.WriteControl(s.Context(), w)
	if err != nil || reply.Outcome != script.OK {
		s.Fatalf("%+v, %v", reply, err)
	}
	return reply.Seq
}

func order(d time.Duration) control.Order {
	now := time.Now()
	return control.Order{By: "ann@host", Reason: "a test", Since: now.UnixMilli(), Until: now.Add(d).UnixMilli()}
}

func forced(flag string, v evaluate.Value, d time.Duration) func(*control.Control) *control.Control {
	return func(c *control.Control) *control.Control {
		return c.With(control.Force{Flag: flag, Value: v, Order: order(d)})
	}
}

func pinned(json []byte, d time.Duration) func(*control.Control) *control.Control {
	return func(c *control.Control) *control.Control {
		changed := c.Unpinned()
		changed.Pin = &control.Pin{Hash: wire.ContentHash(json), Order: order(d)}
		return changed
	}
}

func unforced(flag string) func(*control.Control) *control.Control {
	return func(c *control.Control) *control.Control { return c.Without(flag) }
}

func unpinned(c *control.Control) *control.Control { return c.Unpinned() }

const forcedVersion = 77

func forceVersion(d time.Duration) func(*control.Control) *control.Control {
	return forced(fakecdn.VersionFlag, evaluate.IntValue(forcedVersion), d)
}

// served returns what the entry serves for the flag with the version.
func (s *testEnv) served() int64 {
	s.Helper()
	config, err := evaluate.Parse(s.entry().JSON)
	if err != nil {
		s.Fatal(err)
	}
	return config.Evaluate(fakecdn.VersionFlag, nil, evaluate.IntValue(0), nil).Value.Int()
}

func (s *testEnv) wantServed(version int64) {
	s.Helper()
	if have := s.served(); have != version {
		s.Errorf("version %d is served, want %d", have, version)
	}
}

// wantControlled checks that entry, blob, meta and source agree, and that the control in force is the
// one with that seq; 0: none.
func (s *testEnv) wantControlled(seq int64, source fakecdn.Config) {
	s.Helper()
	meta, entry := s.meta(), s.entry()
	blob, err := wire.ParseBlob([]byte(s.client.Get(s.Context(), s.keys.Blob).Val()))
	if err != nil || blob.Rev != meta.Rev || blob.Hash != meta.Hash || entry.FetchTime != meta.Rev ||
		entry.ETag != meta.ETag || wire.ContentHash(entry.JSON) != meta.Hash {
		s.Errorf("meta %+v, entry %d %s, blob %d %.8s, %v", meta, entry.FetchTime, entry.ETag, blob.Rev, blob.Hash, err)
	}
	for _, old := range meta.Recent {
		if old.ETag == source.ETag() {
			s.Errorf("meta lists what the CDN serves as replaced: %+v", meta.Recent)
		}
	}
	if meta.Control != seq {
		s.Errorf("meta names the control %d, want %d", meta.Control, seq)
	}
	text := s.client.Get(s.Context(), s.keys.Source).Val()
	if seq == 0 {
		if text != "" || entry.ETag != source.ETag() || !bytes.Equal(entry.JSON, source.JSON()) {
			s.Errorf("nothing is in force: the source is %.60q, the entry's ETag is %s, want %s", text, entry.ETag, source.ETag())
		}
		return
	}
	stored, err := wire.ParseSource([]byte(text))
	if err != nil {
		s.Fatal(err)
	}
	json, err := stored.JSON()
	if err != nil || !bytes.Equal(json, source.JSON()) || stored.ETag != source.ETag() || stored.Rev != meta.Rev || stored.CDN != meta.CDN {
		s.Errorf("source %+v of version %d, want version %d; meta %+v; %v", stored, source.Version, source.Version, meta, err)
	}
}
