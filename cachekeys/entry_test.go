package cachekeys_test

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/wire"
)

func TestInvalidEntriesAreRejected(t *testing.T) {
	for name, data := range map[string]string{
		"empty":                   "",
		"no line break":           "1767225600000",
		"one line break":          "1767225600000\ne",
		"empty fetch time":        "\ne\n{}",
		"signed fetch time":       "+176722560000\ne\n{}",
		"negative fetch time":     "-1\ne\n{}",
		"leading zero":            "01767225600\ne\n{}",
		"space":                   " 1767225600000\ne\n{}",
		"carriage return":         "1767225600000\r\ne\n{}",
		"fraction":                "1767225600000.5\ne\n{}",
		"fetch time of 14 digits": "10000000000000\ne\n{}",
		"fetch time beyond int64": strings.Repeat("9", 30) + "\ne\n{}",
		"no JSON":                 "1767225600000\ne\n",
		"cut JSON":                "1767225600000\ne\n{\"f\":",
		"two objects":             "1767225600000\ne\n{}{}",
		"a list":                  "1767225600000\ne\n[]",
		"null":                    "1767225600000\ne\nnull",
		"a text":                  "1767225600000\ne\n\"f\"",
		"white space":             "1767225600000\ne\n \n",
		"endless ETag":            "1767225600000\n" + strings.Repeat("e", 8<<10+1) + "\n{}",
		"JSON nested too deep":    "1767225600000\ne\n" + strings.Repeat(`{"a":`, 100_000),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := cachekeys.ParseEntry([]byte(data))
			requireParseError(t, err)
		})
	}
}

func TestEntryAtItsLimits(t *testing.T) {
	for name, entry := range map[string]cachekeys.Entry{
		"the epoch":           {FetchTime: 0, ETag: "e", JSON: []byte("{}")},
		"the last fetch time": {FetchTime: wire.MaxRev, ETag: "e", JSON: []byte("{}")},
		"the longest ETag":    {FetchTime: rev, ETag: strings.Repeat("e", wire.MaxETagBytes), JSON: []byte("{}")},
		"line breaks in JSON": {FetchTime: rev, ETag: "e", JSON: []byte("\n{\n\"f\":\n{}\r\n}\n")},
		"the largest config":  {FetchTime: rev, ETag: "e", JSON: configOf(wire.MaxConfigBytes)},
	} {
		t.Run(name, func(t *testing.T) {
			data := entry.Append(nil)
			back, err := cachekeys.ParseEntry(data)
			if err != nil {
				t.Fatal(err)
			}
			if back.FetchTime != entry.FetchTime || back.ETag != entry.ETag || !bytes.Equal(back.JSON, entry.JSON) {
				t.Errorf("came back with time %d, ETag %.40q, %d bytes", back.FetchTime, back.ETag, len(back.JSON))
			}
		})
	}
	tooLarge := cachekeys.Entry{FetchTime: rev, ETag: "e", JSON: configOf(wire.MaxConfigBytes + 1)}
	_, err := cachekeys.ParseEntry(tooLarge.Append(nil))
	requireParseError(t, err)
}

// Every official SDK can read a written entry (I9): its ETag is not empty and contains no line
// break.
func TestWrittenEntryHasAReadableETag(t *testing.T) {
	config := []byte(`{"f":{}}`)
	hash := wire.ContentHash
	for etag, want := range map[string]string{
		"":                          hash(config),
		`W/"a b"`:                   `W/"a b"`,
		"a\nb":                      hash([]byte("a\nb")),
		"a\rb":                      hash([]byte("a\rb")),
		strings.Repeat("e", 256):    strings.Repeat("e", 256),
		strings.Repeat("e", 257):    hash([]byte(strings.Repeat("e", 257))),
		strings.Repeat("e", 10_000): hash([]byte(strings.Repeat("e", 10_000))),
	} {
		entry := cachekeys.Entry{FetchTime: rev, ETag: etag, JSON: config}
		back, err := cachekeys.ParseEntry(entry.Append(nil))
		if err != nil {
			t.Errorf("ETag %.20q: %v", etag, err)
			continue
		}
		if back.ETag != want || string(back.JSON) != string(config) {
			t.Errorf("ETag %.20q: stored as %q with %q", etag, back.ETag, back.JSON)
		}
		if stored := wire.StoredETag(etag, hash(config)); stored != want {
			t.Errorf("StoredETag(%.20q) = %q, want %q", etag, stored, want)
		}
	}
}

func TestTheLargestEntryHasTheLargestConfigAndETag(t *testing.T) {
	head := strconv.FormatInt(wire.MaxRev, 10) + "\n" + strings.Repeat("e", 8<<10) + "\n"
	data := append([]byte(head), configOf(wire.MaxConfigBytes)...)
	if _, err := cachekeys.ParseEntry(data); err != nil || len(data) != cachekeys.MaxEntryBytes {
		t.Errorf("an entry of %d bytes, MaxEntryBytes %d: %v", len(data), cachekeys.MaxEntryBytes, err)
	}
}
