package follower

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2/server"
	"github.com/klauspost/compress/zstd"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/internal/wire"
)

// largeJSON returns a config that no message can carry, whose flag "version" has the given value.
func largeJSON(version int) []byte {
	var flags bytes.Buffer
	for i := range 300 {
		fmt.Fprintf(&flags, `"flag%d":{"t":1,"v":{"s":"%s"}},`, i, wire.ContentHash([]byte{byte(i), byte(i >> 8)}))
	}
	return bytes.Replace(configJSON(version), []byte(`"f":{`), append([]byte(`"f":{`), flags.Bytes()...), 1)
}

// patchWriter returns a simulated leader that writes patches, and has committed a large config.
func (n *network) patchWriter(t *testing.T) *writer {
	w := n.writer(t)
	w.patching, w.spread = true, time.Minute
	w.commit(largeJSON(1))
	return w
}

// patched returns a patchWriter, and a client that has the writer's first config, with its state.
func (n *network) patched(t *testing.T) (*writer, *Client, Stats) {
	w := n.patchWriter(t)
	c := n.ready(t)
	synctest.Wait()
	return w, c, c.Stats()
}

// Who holds the content before makes the new one of the message, at once, whatever the window.
func TestAPatchInAMessageNeedsNoRead(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w, c, before := n.patched(t)
		for version := 2; version < 20; version++ {
			w.commit(largeJSON(version))
			wantVersion(t, c, version)
		}
		after := c.Stats()
		if after.Reads != before.Reads || after.HeadReads != before.HeadReads || after.PatchReads != before.PatchReads {
			t.Errorf("before %+v, after %+v", before, after)
		}
		if after.Patched != 18 || after.Applied != before.Applied+18 || after.Source != SourceMessage || after.Hash != wire.ContentHash(largeJSON(19)) {
			t.Errorf("%+v", after)
		}
		time.Sleep(2 * time.Minute)
		if s := c.Stats(); s.Reads != before.Reads || s.PatchReads != 0 {
			t.Errorf("read later: %+v", s)
		}
	})
}

// F38: a patch that does not start from the content in force, or does not make the announced
// content, changes nothing. The blob is read, within the spread window.
func TestAPatchThatDoesNotMakeTheContentIsReadWhole(t *testing.T) {
	bomb := func() string {
		enc, _ := zstd.NewWriter(nil)
		defer func() { _ = enc.Close() }()
		return "0 0 zstd\n" + string(enc.EncodeAll(make([]byte, 64<<20), nil))
	}
	for name, test := range map[string]struct {
		change  func(m *wire.Message)
		refused uint64
	}{
		"its base is not held": {func(m *wire.Message) { m.Base = wire.ShortHash(wire.ContentHash(nil)) }, 0},
		"it has no base":       {func(m *wire.Message) { m.Base = "" }, 0},
		"another hash":         {func(m *wire.Message) { m.Content = bytes.Replace(m.Content, []byte("\n"), []byte("\n9"), 1); m.Len++ }, 1},
		"another length":       {func(m *wire.Message) { m.Len++ }, 1},
		"the greatest length":  {func(m *wire.Message) { m.Len = wire.MaxConfigBytes }, 1},
		"a bomb":               {func(m *wire.Message) { m.Content = []byte(bomb()[:wire.MaxInlineBytes/4]) }, 1},
		"an unknown codec":     {func(m *wire.Message) { m.Content = bytes.Replace(m.Content, []byte("raw"), []byte("lz4"), 1) }, 1},
		"malformed":            {func(m *wire.Message) { m.Content = []byte("1 2 3") }, 1},
		"empty":                {func(m *wire.Message) { m.Content = nil }, 1},
		"longer than the base": {func(m *wire.Message) { m.Content = []byte("8000000 8000000 raw\n") }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				w, c, before := n.patched(t)
				w.mute = true
				w.commit(largeJSON(2))
				m := w.describe(wire.Change)
				m.Patches = 0 // the blob is all there is
				test.change(&m)
				w.publish(string(m.Append(nil)))
				wantVersion(t, c, 1)
				if s := c.Stats(); s.Reads != before.Reads || s.RefusedPatches != test.refused || s.BadMessages != 0 || s.Patched != 0 {
					t.Errorf("at once: %+v", s)
				}
				time.Sleep(w.spread)
				wantVersion(t, c, 2)
				if s := c.Stats(); s.Reads != before.Reads+1 || s.PatchReads != 0 || s.Source != SourceBlob || s.RefusedBlobs != 0 {
					t.Errorf("after the window: %+v", s)
				}
			})
		})
	}
}

// Patches that are each wrong in their own way do not fill the log.
func TestBadPatchesAreLoggedOnceAMinute(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.patchWriter(t)
		log, logging := recorded(slog.LevelInfo)
		c := n.ready(t, logging)
		synctest.Wait()
		w.mute = true
		bad := func(number int) {
			w.commit(largeJSON(number))
			m := w.describe(wire.Change)
			m.Base, m.Content = wire.ShortHash(c.Stats().Hash), fmt.Appendf(nil, "not a patch %d\n", number)
			w.publish(string(m.Append(nil)))
			synctest.Wait()
		}
		for number := 2; number < 12; number++ {
			bad(number)
		}
		if s := c.Stats(); s.RefusedPatches != 10 {
			t.Errorf("%+v", s)
		}
		wantEvents(t, log, eventid.RefusedContent, 1)
		time.Sleep(2 * time.Minute)
		for number := 12; number < 14; number++ {
			bad(number)
		}
		if s := c.Stats(); s.RefusedPatches != 12 {
			t.Errorf("%+v", s)
		}
		wantEvents(t, log, eventid.RefusedContent, 2)
	})
}

// A patch that does not fit into the message is read within its own window.
func TestALongPatchIsReadInsteadOfTheBlob(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.patchWriter(t)
		w.window = 2 * time.Second
		c := n.ready(t)
		synctest.Wait()
		before := c.Stats()
		next := bytes.Replace(largeJSON(2), []byte(`"text"`), []byte(`"more":{"t":1,"v":{"s":"`+noise(8<<10)+`"}},"text"`), 1)
		w.commit(next)
		if m := w.describe(wire.Change); m.Base == "" || m.Codec != "" {
			t.Fatalf("the message has it: %s", m.Codec)
		}
		wantVersion(t, c, 1)
		time.Sleep(w.window)
		wantVersion(t, c, 2)
		if s := c.Stats(); s.Reads != before.Reads || s.PatchReads != 1 || s.Patched != 1 || s.Source != SourcePatches || s.Hash != wire.ContentHash(next) {
			t.Errorf("%+v", s)
		}
	})
}

// noise returns text that cannot be compressed to half its length.
func noise(length int) string {
	var b strings.Builder
	for i := 0; b.Len() < length; i++ {
		b.WriteString(wire.ContentHash([]byte{byte(i), byte(i >> 8), 7}))
	}
	return b.String()[:length]
}

// A follower that missed changes reads how they differ, not the content.
func TestAFollowerThatComesBackReadsThePatches(t *testing.T) {
	for name, changes := range map[string][]int{"one change": {2}, "as many as are kept": {2, 3, 4, 5, 6, 7, 8, 9}, "back and forth": {2, 1, 3}} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				w := n.patchWriter(t)
				w.commit(largeJSON(0))
				w.commit(largeJSON(1))
				stop := w.beat()
				c := n.ready(t)
				time.Sleep(10 * time.Second)
				before := c.Stats()
				n.link.Down()
				for _, version := range changes {
					w.commit(largeJSON(version))
				}
				time.Sleep(time.Second)
				n.link.Up()
				time.Sleep(2*time.Minute + w.spread)
				wantVersion(t, c, changes[len(changes)-1])
				if s := c.Stats(); s.Reads != before.Reads || s.PatchReads != before.PatchReads+1 || s.Patched != 1 || s.Source != SourcePatches {
					t.Errorf("before %+v, after %+v", before, s)
				}
				stop()
			})
		})
	}
}

// F38: what other writers leave in the patches changes nothing. The blob is read, within its own
// window, not within that of the patches.
func TestPatchesThatDoNotMakeTheContentAreReadWhole(t *testing.T) {
	step := func(change func(*wire.PatchStep)) func(*writer) string {
		return func(w *writer) string {
			steps := append(wire.Patches(nil), w.patches...)
			change(&steps[len(steps)-2])
			return string(steps.Append(nil))
		}
	}
	for name, test := range map[string]struct {
		stored          func(w *writer) string
		refused, unused uint64
	}{
		"a hole":         {step(func(s *wire.PatchStep) { s.To = wire.ContentHash(nil) }), 0, 1},
		"another base":   {step(func(s *wire.PatchStep) { s.From = wire.ShortHash(wire.ContentHash(nil)) }), 0, 1},
		"missing":        {func(*writer) string { return "" }, 0, 1},
		"too old":        {func(w *writer) string { return string(w.patches[:1].Append(nil)) }, 0, 1},
		"malformed":      {func(*writer) string { return "garbage" }, 1, 0},
		"cut off":        {func(w *writer) string { return string(w.patches.Append(nil))[:200] }, 1, 0},
		"too large":      {func(*writer) string { return strings.Repeat("x", wire.MaxPatchesBytes+1) }, 1, 0},
		"another length": {step(func(s *wire.PatchStep) { s.Len++ }), 1, 0},
		"not a patch":    {step(func(s *wire.PatchStep) { s.Patch = []byte("x") }), 1, 0},
		"a step is skipped": {step(func(s *wire.PatchStep) {
			s.Patch = []byte("0 0 raw\n" + string(largeJSON(7)))
			s.Len = len(largeJSON(7))
		}), 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				w, c, before := n.patched(t)
				w.mute = true
				w.commit(largeJSON(2))
				w.commit(largeJSON(3))
				if err := n.Set(w.keys.Patches, test.stored(w)); err != nil {
					t.Fatal(err)
				}
				m := w.describe(wire.Heartbeat)
				w.publish(string(m.Append(nil)))
				time.Sleep(m.Patches)
				synctest.Wait()
				if s := c.Stats(); s.PatchReads != 1 || s.Reads != before.Reads || s.RefusedPatches != test.refused || s.UnusedPatches != test.unused {
					t.Errorf("within the window of the patches: %+v", s)
				}
				wantVersion(t, c, 1)
				time.Sleep(w.spread)
				wantVersion(t, c, 3)
				if s := c.Stats(); s.PatchReads != 1 || s.Reads != before.Reads+1 || s.Patched != 0 || s.Source != SourceBlob {
					t.Errorf("after the spread window: %+v", s)
				}
			})
		})
	}
}

// Redis lost what was announced. An SDK's entry is newer than the content in force: it is taken as
// soon as it would be without patches.
func TestPatchesDoNotHideTheEntryWhenRedisLostItsData(t *testing.T) {
	for name, lost := range map[string]func(*writer) []string{
		"meta":              func(w *writer) []string { return []string{w.keys.Meta} },
		"meta and the lock": func(w *writer) []string { return []string{w.keys.Meta, w.keys.Lock} },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				w := n.patchWriter(t)
				c := n.ready(t)
				w.mute, w.spread = true, 0
				w.commit(largeJSON(2))
				for _, key := range lost(w) {
					n.Del(key)
				}
				e := cachekeys.Entry{FetchTime: w.rev + 1, ETag: `"x"`, JSON: largeJSON(3)}
				if err := n.Set(w.keys.Entry, string(e.Append(nil))); err != nil {
					t.Fatal(err)
				}
				w.publish(w.message(wire.Heartbeat))
				time.Sleep(time.Second)
				wantVersion(t, c, 3)
				if s := c.Stats(); s.Source != SourceEntry || s.PatchReads != 1 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// A user with rights to single keys may lack the one to the patches.
func TestWithoutTheRightToThePatchesTheBlobIsRead(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.patchWriter(t)
		w.spread = 0
		c := n.ready(t)
		synctest.Wait()
		n.intercept(func(peer *server.Peer, cmd string, args ...string) bool {
			if cmd != "GET" && cmd != "GETRANGE" || args[0] != w.keys.Patches {
				return false
			}
			peer.WriteError("NOPERM No permissions to access a key")
			return true
		})
		w.mute = true
		w.commit(largeJSON(2))
		w.publish(w.message(wire.Heartbeat))
		time.Sleep(time.Second)
		wantVersion(t, c, 2)
		if s := c.Stats(); s.Source != SourceBlob || s.PatchReads != 1 || s.FailedReads != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// A leader of an earlier version writes no patches, and does not announce any.
func TestPatchesThatAreNotAnnouncedAreNotRead(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.patchWriter(t)
		w.patching = false
		w.commit(largeJSON(1))
		c := n.ready(t)
		synctest.Wait()
		w.commit(largeJSON(2))
		time.Sleep(w.spread)
		wantVersion(t, c, 2)
		if s := c.Stats(); s.PatchReads != 0 || s.UnusedPatches != 0 || s.Source != SourceBlob {
			t.Errorf("%+v", s)
		}
	})
}

// A patch that leads to content that is not a config is refused once.
func TestAPatchToAnInvalidConfigIsReadOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w, c, before := n.patched(t)
		w.commit(bytes.Replace(largeJSON(2), []byte(`"f":{`), []byte(`"f":[`), 1))
		for range 5 {
			w.heartbeat()
			time.Sleep(w.spread)
		}
		wantVersion(t, c, 1)
		if s := c.Stats(); s.RefusedConfigs != 1 || s.Reads > before.Reads+1 {
			t.Errorf("%+v", s)
		}
		w.commit(largeJSON(3))
		time.Sleep(w.spread)
		wantVersion(t, c, 3)
	})
}

// Clients with connections of their own share one compiled config, whether it came as a patch or
// as a blob.
func TestPatchedAndWholeContentIsShared(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.patchWriter(t)
		patched := n.ready(t)
		synctest.Wait()
		w.commit(largeJSON(2))
		wantVersion(t, patched, 2)
		whole := n.ready(t)
		wantVersion(t, whole, 2)
		if a, b := patched.holder.Current(), whole.holder.Current(); a.Config != b.Config || a.Source != "message" || b.Source != "blob" {
			t.Errorf("%s and %s: two configs", a.Source, b.Source)
		}
	})
}
