package leader

import (
	"bytes"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/patch"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
)

const largeBytes = 100 << 10 // of a config that no message can carry

// startLarge starts a leader of a large config with many followers.
func (s *testEnv) startLarge(link *redistest.Link) (l *Leader, stop func()) {
	s.Helper()
	if s.cdn.Config().MinBytes == 0 {
		s.cdn.SetMinBytes(largeBytes)
	}
	l, err := New(Config{
		Redis: s.server.Client(s.T, link), SDKKeys: []SDKKey{mainKey()}, Transport: s.cdn,
		Logger: slog.New(slog.NewTextHandler(s.log, nil)), ExpectedFollowers: 10_000,
	})
	if err != nil {
		s.Fatal(err)
	}
	stop = s.run(l)
	s.wait(5 * time.Second)
	return l, stop
}

// published subscribes and returns a function that returns the last message of a type.
func (s *testEnv) published() func(wire.MessageType) wire.Message {
	s.Helper()
	sub := s.client.Subscribe(s.Context(), s.keys.Events)
	if _, err := sub.Receive(s.Context()); err != nil {
		s.Fatal(err)
	}
	var mu sync.Mutex
	last := map[wire.MessageType]wire.Message{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			raw, err := sub.ReceiveMessage(s.Context())
			if err != nil {
				return
			}
			m, err := wire.ParseMessage([]byte(raw.Payload))
			if err != nil {
				s.Error(err)
			}
			mu.Lock()
			last[m.Type] = m
			mu.Unlock()
		}
	}()
	s.Cleanup(func() {
		_ = sub.Close()
		<-done
	})
	return func(kind wire.MessageType) wire.Message {
		mu.Lock()
		defer mu.Unlock()
		return last[kind]
	}
}

func (s *testEnv) patches() wire.Patches {
	s.Helper()
	patches, err := wire.ParsePatches([]byte(s.client.Get(s.Context(), s.keys.Patches).Val()))
	if err != nil {
		s.Fatal(err)
	}
	return patches
}

func large(version int64) []byte {
	return fakecdn.Config{Version: version, MinBytes: largeBytes}.JSON()
}

// wantChain checks that the patches lead from one version to another in that many steps.
func (s *testEnv) wantChain(from, to int64, steps int) {
	s.Helper()
	json := large(from)
	chain := s.patches().Chain(wire.ContentHash(json), wire.ContentHash(large(to)))
	if len(chain) != steps {
		s.Fatalf("%d steps from version %d to %d, want %d", len(chain), from, to, steps)
	}
	for _, step := range chain {
		var err error
		if json, err = patch.Apply(json, step.Patch, step.Len); err != nil || wire.ContentHash(json) != step.To {
			s.Fatalf("a step to other content than %s: %v", step.To, err)
		}
		if !wire.ValidRev(step.Rev) || step.Rev > s.meta().Rev {
			s.Errorf("a step of rev %d", step.Rev)
		}
	}
}

func TestAChangeIsPublishedAsAPatch(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		published := s.published()
		l, _ := s.startLarge(nil)
		if m := published(wire.Heartbeat); m.Patches != 0 || s.client.Exists(s.Context(), s.keys.Patches).Val() != 0 {
			s.Errorf("before the first change: %+v", m)
		}
		was := large(s.cdn.Version())
		version := s.change(l)
		m := published(wire.Change)
		data, ok := m.Patch()
		if !ok || m.Base != wire.ShortHash(wire.ContentHash(was)) || len(m.Append(nil)) > 1024 {
			s.Fatalf("no patch, or a long one: %+v", m)
		}
		if json, err := patch.Apply(was, data, m.Len); err != nil || !bytes.Equal(json, large(version)) || m.Hash != wire.ContentHash(json) {
			s.Errorf("it makes %d bytes, %v", len(json), err)
		}
		s.wantChain(version-1, version, 1)
		s.wait(3 * time.Second)
		heartbeat := published(wire.Heartbeat)
		if heartbeat.Hash != m.Hash || heartbeat.Patches != m.Patches || heartbeat.Base != "" || heartbeat.Codec != "" {
			s.Errorf("heartbeat %+v after change %+v", heartbeat, m)
		}
	})
}

// I12: followers without the base read the blob, so the spread window is that of the blob. That of
// the patches is smaller, in proportion.
func TestAMessageWithAPatchStatesTheWindowOfTheBlob(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		published := s.published()
		l, _ := s.startLarge(nil)
		before := published(wire.Heartbeat)
		s.change(l)
		m := published(wire.Change)
		if _, ok := m.Patch(); !ok || m.Spread < before.Spread/2 || before.Spread < time.Second {
			s.Errorf("a window of %v, for the blob %v", m.Spread, before.Spread)
		}
		blob := s.client.StrLen(s.Context(), s.keys.Blob).Val()
		patches := s.client.StrLen(s.Context(), s.keys.Patches).Val()
		if want := m.Spread * time.Duration(patches) / time.Duration(blob); m.Patches < time.Millisecond || m.Patches > want*5/4+2*time.Millisecond {
			s.Errorf("a window of %v for the patches, want about %v", m.Patches, want)
		}
	})
}

func TestThePatchesAreTheLastEight(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.startLarge(nil)
		var version int64
		for range wire.MaxPatches + 3 {
			version = s.change(l)
		}
		if n := len(s.patches()); n != wire.MaxPatches {
			s.Errorf("%d steps", n)
		}
		s.wantChain(version-1, version, 1)
		s.wantChain(version-wire.MaxPatches, version, wire.MaxPatches)
	})
}

func TestANewTermContinuesThePatches(t *testing.T) {
	for name, damage := range map[string]string{"sound": "", "unreadable": "garbage"} {
		t.Run(name, func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				published := s.published()
				l, stop := s.startLarge(nil)
				s.change(l)
				stop()
				steps := 2
				if damage != "" {
					s.client.Set(s.Context(), s.keys.Patches, damage, 0)
					steps = 1
				}
				l, _ = s.startLarge(nil)
				if m := published(wire.Heartbeat); (m.Patches != 0) != (damage == "") {
					s.Errorf("first heartbeat %+v", m)
				}
				version := s.change(l)
				s.wantChain(version-int64(steps), version, steps)
			})
		})
	}
}

func TestALostReplyToACommitKeepsThePatches(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		link := new(redistest.Link)
		l, _ := s.startLarge(link)
		link.Drop(func(frame []byte) bool { return bytes.HasPrefix(frame, []byte("*7\r\n$2\r\nOK")) })
		s.cdn.Publish()
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(20 * time.Second)
		version := s.change(l)
		s.wantChain(version-2, version, 2)
	})
}

// A patch from content that is not current any more is not published.
func TestPatchesFromOtherContentAreDropped(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		published := s.published()
		l, _ := s.startLarge(nil)
		s.change(l)
		s.client.HSet(s.Context(), s.keys.Meta, "hash", wire.ContentHash(nil))
		version := s.cdn.Publish()
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(20 * time.Second)
		s.hasVersion(version)
		if n := len(s.patches().Chain(wire.ContentHash(nil), wire.ContentHash(large(version)))); n != 0 {
			s.Errorf("%d steps from content that nobody has", n)
		}
		version = s.change(l)
		s.wantChain(version-1, version, 1)
		if m := published(wire.Change); m.Base != wire.ShortHash(wire.ContentHash(large(version-1))) {
			s.Errorf("%+v", m)
		}
	})
}

// Content that fits a message needs no patch.
func TestASmallConfigHasNoPatches(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		published := s.published()
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		s.change(l)
		if m := published(wire.Change); m.Base != "" || m.Patches != 0 || m.Codec == wire.Patch || s.client.Exists(s.Context(), s.keys.Patches).Val() != 0 {
			s.Errorf("%+v", m)
		}
	})
}

// The first content of another size replaces most of the config.
func TestAChangeOfMostOfTheConfigHasNoPatch(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		published := s.published()
		l, _ := s.startLarge(nil)
		s.change(l)
		s.cdn.SetMinBytes(3 * largeBytes)
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(1500 * time.Millisecond)
		m := published(wire.Change)
		if m.Hash != wire.ContentHash(fakecdn.Config{Version: s.cdn.Version(), MinBytes: 3 * largeBytes}.JSON()) {
			s.Fatalf("not published: %+v", m)
		}
		if m.Base != "" || m.Patches != 0 || m.Codec != "" || m.Spread == 0 || len(s.patches()) != 0 {
			s.Errorf("%+v", m)
		}
	})
}
