package cachekeys_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/wire"
)

func FuzzParseEntry(f *testing.F) {
	f.Add([]byte("1767225600000\nW/\"e\"\n{\"f\":{}}"))
	f.Add([]byte("0\n\n {}\n"))
	f.Add([]byte("1767225600000\n" + strings.Repeat("e", 257) + "\n{}"))
	f.Add([]byte("1767225600000\r\n\r\n{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		entry, err := cachekeys.ParseEntry(data)
		if err != nil {
			requireParseError(t, err)
			return
		}
		if len(entry.JSON) > wire.MaxConfigBytes || entry.FetchTime < 0 || entry.FetchTime > wire.MaxRev {
			t.Errorf("over the limits: time %d, %d bytes", entry.FetchTime, len(entry.JSON))
		}
		back := entry.Append(nil)
		stored := wire.StoredETag(entry.ETag, wire.ContentHash(entry.JSON))
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
