package cachekeys_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/memory"
)

func FuzzParseEntry(f *testing.F) {
	f.Add([]byte("1767225600000\nW/\"e\"\n{\"f\":{}}"))
	f.Add([]byte("0\n\n {}\n"))
	f.Add([]byte("1767225600000\n" + strings.Repeat("e", 257) + "\n{}"))
	f.Add([]byte("1767225600000\r\n\r\n{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		entry, err := cachekeys.ParseEntry(data)
		if err != nil {
			requireParseError(t, err, "entry")
			return
		}
		if len(entry.JSON) > cachekeys.MaxConfigBytes || entry.FetchTime < 0 || entry.FetchTime > cachekeys.MaxRev {
			t.Errorf("over the limits: time %d, %d bytes", entry.FetchTime, len(entry.JSON))
		}
		back := entry.Append(nil)
		stored := cachekeys.StoredETag(entry.ETag, cachekeys.ContentHash(entry.JSON))
		lines := bytes.SplitN(data, []byte{'\n'}, 3)
		lines[1] = []byte(stored)
		if want := bytes.Join(lines, []byte{'\n'}); !bytes.Equal(back, want) {
			t.Errorf("%q written as %q", data, back)
		}
		again, err := cachekeys.ParseEntry(back)
		if err != nil || again.ETag != stored || again.FetchTime != entry.FetchTime || !bytes.Equal(again.JSON, entry.JSON) {
			t.Errorf("%q: read again as %+v, %v", data, again, err)
		}
	})
}

func FuzzParseBlob(f *testing.F) {
	for _, json := range [][]byte{[]byte("{}"), configOf(600)} {
		f.Add(blobOf(json).Append(nil))
	}
	head := "1767225600000\n" + hash + "\nzstd\n"
	f.Add(append([]byte(head), frame(4<<30, raw([]byte("{}")))...))
	f.Add(append([]byte(head), frame(2, raw([]byte("{}")))...))
	f.Fuzz(func(t *testing.T, data []byte) {
		blob, err := cachekeys.ParseBlob(data)
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
		if len(json) > cachekeys.MaxConfigBytes || cachekeys.ContentHash(json) != blob.Hash {
			t.Errorf("content of %d bytes that is not the blob's", len(json))
		}
	})
}

// FuzzPayload fuzzes the payload behind a valid head.
func FuzzPayload(f *testing.F) {
	_, payload := cachekeys.Encode(configOf(600))
	f.Add(payload)
	f.Add(frame(4<<30, raw([]byte("{}"))))
	f.Add(append(frame(2, raw([]byte("{}"))), frame(2, raw([]byte("{}")))...))
	f.Fuzz(func(t *testing.T, data []byte) {
		blob := cachekeys.Blob{Rev: rev, Hash: hash, Codec: cachekeys.Zstd, Payload: data}
		var err error
		if took := memory.Allocated(func() { _, err = blob.JSON() }); took > 4*cachekeys.MaxConfigBytes {
			t.Errorf("%d bytes took %d bytes of memory", len(data), took)
		}
		if err != nil {
			requireParseError(t, err, "content")
		}
	})
}

func FuzzParseMessage(f *testing.F) {
	for _, kind := range []cachekeys.MessageType{cachekeys.Change, cachekeys.Heartbeat, cachekeys.Resign, cachekeys.Refresh} {
		message := longest(kind)
		f.Add(message.Append(nil))
		message.Extra = "x=1"
		message.Codec, message.Content = cachekeys.Raw, []byte("{}")
		f.Add(message.Append(nil))
		message.Codec = "later"
		f.Add(message.Append(nil))
	}
	f.Add([]byte("cb1 change early=1 seq=1 late=2 now=1767225600000"))
	f.Fuzz(func(t *testing.T, data []byte) {
		message, err := cachekeys.ParseMessage(data)
		if err != nil {
			requireParseError(t, err, "message")
			return
		}
		// Fields of later versions are written before now, wherever they appeared.
		back := message.Append(nil)
		if message.Extra == "" && !bytes.Equal(back, data) {
			t.Errorf("%q written as %q", data, back)
		}
		if again, err := cachekeys.ParseMessage(back); err != nil || !reflect.DeepEqual(again, message) {
			t.Errorf("%q written as %q, read as %+v, %v", data, back, again, err)
		}
		if blob, ok := message.Blob(); ok {
			if _, err := cachekeys.ParseBlob(blob.Append(nil)); err != nil {
				t.Errorf("%q returns an invalid blob: %v", data, err)
			}
		}
	})
}

func FuzzParseMeta(f *testing.F) {
	f.Add("3", "1767225600000", hash, "2", "e", "1767225600000", "55000", "4", "1767225600000 old\n1767225500000 older")
	f.Add("", "", "", "", "", "", "", "", "")
	f.Fuzz(func(t *testing.T, epoch, rev, hash, length, etag, cdn, poll, refresh, etags string) {
		meta, err := cachekeys.ParseMeta([]any{epoch, rev, hash, length, etag, cdn, poll, refresh, etags})
		if err != nil {
			requireParseError(t, err, "meta")
			return
		}
		var lines []string
		for _, recent := range meta.Recent {
			lines = append(lines, cachekeys.LockValue("", recent.Until)[1:]+" "+recent.ETag)
		}
		if back := strings.Join(lines, "\n"); back != etags {
			t.Errorf("recent ETags %q read as %q", etags, back)
		}
		if meta.Hash != hash || meta.ETag != etag || len(meta.Recent) > cachekeys.MaxRecentETags ||
			meta.Rev != 0 && !cachekeys.ValidRev(meta.Rev) || meta.Poll < 0 || meta.Poll > cachekeys.MaxPoll {
			t.Errorf("read as %+v", meta)
		}
	})
}

func FuzzParseLock(f *testing.F) {
	f.Add("leader:1767225600000")
	f.Add(":")
	f.Fuzz(func(t *testing.T, value string) {
		leader, epoch, err := cachekeys.ParseLock(value)
		if err != nil {
			requireParseError(t, err, "lock")
			return
		}
		if back := cachekeys.LockValue(leader, epoch); back != value {
			t.Errorf("%q written as %q", value, back)
		}
	})
}
