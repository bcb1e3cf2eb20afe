package cachekeys

import (
	"bytes"
	"encoding/json"
	"time"
)

// MaxConfigBytes is the greatest size of a config JSON anywhere in the bridge.
const MaxConfigBytes = 8 << 20

// maxOtherETagBytes bounds the ETag of an entry that another SDK wrote. It is greater than
// [MaxETagBytes], because other SDKs store any ETag that a server sends.
const maxOtherETagBytes = 8 << 10

// MaxEntryBytes is the greatest size of an entry in its stored form.
const MaxEntryBytes = MaxConfigBytes + maxDigits + maxOtherETagBytes + 2

// Entry is the value that the official SDKs share through a cache (S91):
//
//	{fetch time in ms}\n{etag}\n{config JSON}
type Entry struct {
	FetchTime int64  // milliseconds since the Unix epoch, at most [MaxRev]; the rev if a leader wrote the entry
	ETag      string // no line breaks; empty if another SDK received none
	JSON      []byte // valid JSON; shares memory with the parsed input
}

// ParseEntry reads an entry, splitting it at the first two line breaks (S91). The JSON must be
// one valid object of at most [MaxConfigBytes]. ParseEntry does not check that it is a config.
// All errors are [*ParseError].
func ParseEntry(data []byte) (Entry, error) {
	if len(data) > MaxEntryBytes {
		return Entry{}, malformed("entry", "", "over the size limit")
	}
	first, rest, ok := bytes.Cut(data, []byte{'\n'})
	if !ok {
		return Entry{}, malformed("entry", "", "Number of values is fewer than expected")
	}
	etag, config, ok := bytes.Cut(rest, []byte{'\n'})
	if !ok {
		return Entry{}, malformed("entry", "", "Number of values is fewer than expected")
	}
	fetchTime, ok := parseNumber(first)
	switch {
	case !ok:
		return Entry{}, malformed("entry", "line 1", "Invalid fetch time: "+excerpt(first))
	case len(etag) > maxOtherETagBytes:
		return Entry{}, malformed("entry", "line 2", "ETag over the size limit")
	case len(config) == 0:
		return Entry{}, malformed("entry", "line 3", "Empty config JSON")
	case len(config) > MaxConfigBytes:
		return Entry{}, malformed("entry", "line 3", "Config JSON over the size limit")
	case !isObject(config):
		return Entry{}, malformed("entry", "line 3", "Invalid config JSON: "+excerpt(config))
	}
	return Entry{FetchTime: fetchTime, ETag: string(etag), JSON: config}, nil
}

func isObject(data []byte) bool {
	trimmed := bytes.TrimLeft(data, " \t\r\n")
	return len(trimmed) > 0 && trimmed[0] == '{' && json.Valid(data)
}

// Append appends the entry in its stored form. [StoredETag] normalizes the ETag.
func (e Entry) Append(dst []byte) []byte {
	etag := e.ETag
	if etag == "" {
		etag = ContentHash(e.JSON)
	}
	dst = appendNumber(dst, e.FetchTime)
	dst = append(dst, '\n')
	dst = append(dst, StoredETag(etag, "")...)
	dst = append(dst, '\n')
	return append(dst, e.JSON...)
}

// Time returns the fetch time in UTC.
func (e Entry) Time() time.Time { return time.UnixMilli(e.FetchTime).UTC() }
