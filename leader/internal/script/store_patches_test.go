package script

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/internal/wire"
)

// The patches always lead to the content that meta names, or there are none.
func TestACommitWritesThePatchesOrDeletesThem(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "ONE")
		a.mustAcquire()
		a.mustCommit(testContent(1))
		var patches wire.Patches
		commit := func(from *Content, to int) WriteReply {
			t.Helper()
			c := testContent(to)
			as := a.assertionFor(c, wire.Change, 0)
			as.From = from.Hash
			as.Patches = patches.With(wire.PatchStep{From: wire.ShortHash(from.Hash), To: c.Hash, Len: len(c.JSON), Patch: fmt.Appendf(nil, "to %d", to)})
			w, err := a.Commit(t.Context(), as, c)
			if err != nil {
				t.Fatal(err)
			}
			if w.Outcome == OK {
				a.rev = w.Rev
				as.Patches[len(as.Patches)-1].Rev = w.Rev
				patches = as.Patches
			}
			return w
		}
		stored := func() string { return client.Get(t.Context(), a.keys.Patches).Val() }
		want := func(what string, want wire.Patches) {
			t.Helper()
			if have := stored(); have != string(want.Append(nil)) {
				t.Errorf("%s: %q", what, have)
			}
		}
		for i := range 3 {
			commit(testContent(1+i), 2+i)
			want("after a change", patches)
		}
		before := patches
		if w := commit(testContent(4), 4); w.Outcome != OK {
			t.Fatal(w)
		}
		want("after the same content", before)
		if read, err := a.Patches(t.Context(), testContent(4).Hash); err != nil || len(read) != 3 {
			t.Errorf("%d steps, %v", len(read), err)
		}
		if read, err := a.Patches(t.Context(), testContent(1).Hash); err != nil || len(read) != 0 {
			t.Errorf("%d steps that lead elsewhere, %v", len(read), err)
		}

		patches = before
		stale := a.rev
		a.rev--
		if w := commit(testContent(4), 5); w.Outcome != Stale {
			t.Fatal(w)
		}
		want("after a write that was refused", before)
		a.rev = stale
		commit(testContent(3), 5) // meta names 4
		want("after a patch from other content", nil)
		patches = nil
		commit(testContent(5), 6)
		want("after another change", patches)
		a.mustCommit(testContent(7))
		want("after a change without a patch", nil)
		client.LPush(t.Context(), a.keys.Patches, "not a string")
		if read, err := a.Patches(t.Context(), testContent(7).Hash); err != nil || read != nil {
			t.Errorf("of a list: %d steps, %v", len(read), err)
		}
		patches = nil
		commit(testContent(7), 8)
		want("over a list", patches)
	})
}

// A message carries a patch up to the limit of inline content.
func TestOnlyAShortPatchIsInTheMessage(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "ONE")
		a.mustAcquire()
		sub := client.Subscribe(t.Context(), a.keys.Events)
		defer func() { _ = sub.Close() }()
		if _, err := sub.Receive(t.Context()); err != nil {
			t.Fatal(err)
		}
		receive := func() wire.Message {
			t.Helper()
			raw, err := sub.ReceiveMessage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			m, err := wire.ParseMessage([]byte(raw.Payload))
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
		large := func(n byte) *Content {
			c := *testContent(int(n))
			c.Payload = bytes.Repeat([]byte{n}, wire.MaxInlineBytes+1)
			return &c
		}
		a.mustCommit(large(1))
		receive()
		for i, length := range []int{0, 1, wire.MaxInlineBytes, wire.MaxInlineBytes + 1} {
			from, c := large(byte(1+i)), large(byte(2+i))
			as := a.assertionFor(c, wire.Change, 0)
			as.From, as.Message.Base = from.Hash, wire.ShortHash(from.Hash)
			as.Patches = wire.Patches{{From: as.Message.Base, To: c.Hash, Len: len(c.JSON), Patch: make([]byte, length)}}
			w, err := a.Commit(t.Context(), as, c)
			if err != nil || w.Outcome != OK {
				t.Fatal(w, err)
			}
			a.rev = w.Rev
			m := receive()
			patch, ok := m.Patch()
			if want := length <= wire.MaxInlineBytes; ok != want || ok && len(patch) != length || m.Base == "" {
				t.Errorf("%d bytes: %v, %d bytes", length, ok, len(patch))
			}
		}
	})
}
