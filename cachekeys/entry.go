package cachekeys

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/catbridge/catbridge/internal/wire"
)

// maxOtherETagBytes bounds the ETag of an entry that another SDK wrote. It is greater than
// [wire.MaxETagBytes], because other SDKs store any ETag that a server sends.
const maxOtherETagBytes = 8 << 10

// MaxEntryBytes is the greatest size of an entry in its stored form: a config JSON of 8 MiB, and
// 8 KiB for the other lines.
const MaxEntryBytes = 8<<20 + 8<<10 + 15

// Entry is the value that the official SDKs share through a cache (S91):
//
//	{fetch time in ms}\n{etag}\n{config JSON}
type Entry struct {
	FetchTime int64  // milliseconds since the Unix epoch, at most 13 digits; the rev if a leader wrote the entry
	ETag      string // no line breaks; empty if another SDK received none
	JSON      []byte // valid JSON; shares memory with the parsed input
}

// ParseEntry reads an entry, splitting it at the first two line breaks (S91). The JSON must be
// one valid object of at most 8 MiB. ParseEntry does not check that it is a config.
// All errors are [*ParseError].
func ParseEntry(data []byte) (Entry, error) {
	if len(data) > MaxEntryBytes {
		return Entry{}, malformed(0, "over the size limit")
	}
	first, rest, ok := bytes.Cut(data, []byte{'\n'})
	if !ok {
		return Entry{}, malformed(0, "Number of values is fewer than expected")
	}
	etag, config, ok := bytes.Cut(rest, []byte{'\n'})
	if !ok {
		return Entry{}, malformed(0, "Number of values is fewer than expected")
	}
	fetchTime, ok := wire.ParseNumber(first)
	switch {
	case !ok:
		return Entry{}, invalid(1, "Invalid fetch time", first)
	case len(etag) > maxOtherETagBytes:
		return Entry{}, malformed(2, "ETag over the size limit")
	case len(config) == 0:
		return Entry{}, malformed(3, "Empty config JSON")
	case len(config) > wire.MaxConfigBytes:
		return Entry{}, malformed(3, "Config JSON over the size limit")
	case !isObject(config):
		return Entry{}, invalid(3, "Invalid config JSON", config)
	}
	return Entry{FetchTime: fetchTime, ETag: string(etag), JSON: config}, nil
}

func isObject(data []byte) bool {
	trimmed := bytes.TrimLeft(data, " \t\r\n")
	return len(trimmed) > 0 && trimmed[0] == '{' && json.Valid(data)
}

// Append appends the entry in its stored form. Every official SDK can read it: an ETag that is
// empty becomes the SHA-256 of the JSON, one that contains a line break or is longer than 256
// bytes its own SHA-256 (S92).
func (e Entry) Append(dst []byte) []byte {
	etag := e.ETag
	if etag == "" {
		etag = wire.ContentHash(e.JSON)
	}
	dst = wire.AppendNumber(dst, e.FetchTime)
	dst = append(dst, '\n')
	dst = append(dst, wire.StoredETag(etag, "")...)
	dst = append(dst, '\n')
	return append(dst, e.JSON...)
}

// Time returns the fetch time in UTC.
func (e Entry) Time() time.Time { return time.UnixMilli(e.FetchTime).UTC() }
