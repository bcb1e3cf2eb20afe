package wire_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/memory"
	"github.com/catbridge/catbridge/internal/wire"
)

func FuzzParseBlob(f *testing.F) {
	for _, json := range [][]byte{[]byte("{}"), configOf(600)} {
		f.Add(blobOf(json).Append(nil))
	}
	head := "1767225600000\n" + hash + "\nzstd\n"
	f.Add(append([]byte(head), frame(4<<30, raw([]byte("{}")))...))
	f.Add(append([]byte(head), frame(2, raw([]byte("{}")))...))
	f.Fuzz(func(t *testing.T, data []byte) {
		blob, err := wire.ParseBlob(data)
		if err != nil {
			requireParseError(t, err, "blob")
			return
		}
		if back := blob.Append(nil); !bytes.Equal(back, data) {
			t.Errorf("%q written as %q", data, back)
		}
		json, err := blob.JSON()
		if err != nil {
			requireParseError(t, err, "content")
			return
		}
		if len(json) > wire.MaxConfigBytes || wire.ContentHash(json) != blob.Hash {
			t.Errorf("content of %d bytes that is not the blob's", len(json))
		}
	})
}

// FuzzPayload fuzzes the payload behind a valid head.
func FuzzPayload(f *testing.F) {
	_, payload := wire.Encode(configOf(600))
	f.Add(payload)
	f.Add(frame(4<<30, raw([]byte("{}"))))
	f.Add(append(frame(2, raw([]byte("{}"))), frame(2, raw([]byte("{}")))...))
	f.Fuzz(func(t *testing.T, data []byte) {
		blob := wire.Blob{Rev: rev, Hash: hash, Codec: wire.Zstd, Payload: data}
		var err error
		if took := memory.Allocated(func() { _, err = blob.JSON() }); took > 4*wire.MaxConfigBytes {
			t.Errorf("%d bytes took %d bytes of memory", len(data), took)
		}
		if err != nil {
			requireParseError(t, err, "content")
		}
	})
}

func FuzzParseMessage(f *testing.F) {
	for _, kind := range []wire.MessageType{wire.Change, wire.Heartbeat, wire.Resign, wire.Refresh, wire.Control} {
		message := longest(kind)
		f.Add(message.Append(nil))
		message.Extra = "x=1"
		message.Codec, message.Content = wire.Raw, []byte("{}")
		f.Add(message.Append(nil))
		message.Codec = "later"
		f.Add(message.Append(nil))
	}
	f.Add([]byte("cb1 change early=1 seq=1 late=2 now=1767225600000"))
	f.Fuzz(func(t *testing.T, data []byte) {
		message, err := wire.ParseMessage(data)
		if err != nil {
			requireParseError(t, err, "message")
			return
		}
		// Fields of later versions are written before now, wherever they appeared.
		back := message.Append(nil)
		if message.Extra == "" && !bytes.Equal(back, data) {
			t.Errorf("%q written as %q", data, back)
		}
		if again, err := wire.ParseMessage(back); err != nil || !reflect.DeepEqual(again, message) {
			t.Errorf("%q written as %q, read as %+v, %v", data, back, again, err)
		}
		if blob, ok := message.Blob(); ok {
			if _, err := wire.ParseBlob(blob.Append(nil)); err != nil {
				t.Errorf("%q returns an invalid blob: %v", data, err)
			}
		}
	})
}

func FuzzParseMeta(f *testing.F) {
	f.Add("3", "1767225600000", hash, "2", "e", "1767225600000", "55000", "4", "1767225600000 old\n1767225500000 older", "1767225600009", "1767225600002", "1 3")
	f.Add("4", "1767225600000", hash, "2", "e", "1767225600000", "55000", "4", "", "", "x", "1 3")
	f.Add("", "", "", "", "", "", "", "", "", "", "", "")
	fields := len(wire.MetaFields())
	f.Fuzz(func(t *testing.T, epoch, rev, hash, length, etag, cdn, poll, refresh, etags, waits, control, proto string) {
		values := []any{epoch, rev, hash, length, etag, cdn, poll, refresh, etags, waits, control, proto}
		if len(values) != fields {
			t.Fatalf("%d fields, want %d", len(values), fields)
		}
		meta, err := wire.ParseMeta(values)
		if err != nil {
			requireParseError(t, err, "meta")
			return
		}
		if meta.Control != 0 && (!wire.ValidRev(meta.Control) || !meta.HasProto()) {
			t.Errorf("control %d is believed of %+v", meta.Control, meta)
		}
		var lines []string
		for _, recent := range meta.Recent {
			lines = append(lines, wire.LockValue("", recent.Until)[1:]+" "+recent.ETag)
		}
		if back := strings.Join(lines, "\n"); back != etags {
			t.Errorf("recent ETags %q read as %q", etags, back)
		}
		if meta.Hash != hash || meta.ETag != etag || len(meta.Recent) > wire.MaxRecentETags ||
			meta.Rev != 0 && !wire.ValidRev(meta.Rev) || meta.Poll < 0 || meta.Poll > wire.MaxPoll {
			t.Errorf("read as %+v", meta)
		}
	})
}

func FuzzParseLock(f *testing.F) {
	f.Add("leader:1767225600000")
	f.Add(":")
	f.Fuzz(func(t *testing.T, value string) {
		leader, epoch, err := wire.ParseLock(value)
		if err != nil {
			requireParseError(t, err, "lock")
			return
		}
		if back := wire.LockValue(leader, epoch); back != value {
			t.Errorf("%q written as %q", value, back)
		}
	})
}
