package wire

import (
	"bytes"
	"fmt"
	"strconv"
)

// MaxSourceBytes is the greatest size of a stored [Source]: a blob and the lines that it lacks.
const MaxSourceBytes = MaxBlobBytes + MaxDigits + MaxETagBytes + 2

// Source is the content that the CDN served last, while other content is current because an operator
// pinned it or forced flags (see package control):
//
//	{rev}\n{time}\n{sha256 of the JSON, hexadecimal}\n{ETag}\n{codec}\n{config JSON in that codec}
type Source struct {
	Rev     int64  // of the current content
	CDN     int64  // when the CDN last answered, Unix ms by Redis's clock; 0: unknown, stored as 13 zeros
	Hash    string // see [ContentHash]
	ETag    string // see [StoredETag]
	Codec   Codec
	Payload []byte // the config JSON in Codec; shares memory with the parsed input
}

// ParseSource is like [ParseBlob].
func ParseSource(data []byte) (Source, error) {
	const lines = 6
	if len(data) > MaxSourceBytes {
		return Source{}, malformed("source", "", "over the size limit")
	}
	parts := bytes.SplitN(data, []byte{'\n'}, lines)
	if len(parts) < lines {
		return Source{}, malformed("source", "", "fewer than six lines")
	}
	var s Source
	var ok bool
	if s.Rev, ok = ParseNumber(parts[0]); !ok || !ValidRev(s.Rev) {
		return Source{}, malformed("source", "line 1", "not a rev: "+Excerpt(parts[0]))
	}
	if string(parts[1]) != sourceTime(0) {
		if s.CDN, ok = ParseNumber(parts[1]); !ok || !ValidRev(s.CDN) {
			return Source{}, malformed("source", "line 2", "not a time: "+Excerpt(parts[1]))
		}
	}
	if !validHash(parts[2]) {
		return Source{}, malformed("source", "line 3", "not a content hash: "+Excerpt(parts[2]))
	}
	if len(parts[3]) == 0 || len(parts[3]) > MaxETagBytes || bytes.IndexByte(parts[3], '\r') >= 0 {
		return Source{}, malformed("source", "line 4", "not an ETag: "+Excerpt(parts[3]))
	}
	if s.Codec, ok = parseCodec(parts[4]); !ok || !s.Codec.known() {
		return Source{}, malformed("source", "line 5", "unknown codec "+Excerpt(parts[4])+" (upgrade)")
	}
	s.Hash, s.ETag, s.Payload = string(parts[2]), string(parts[3]), parts[5]
	return s, nil
}

func sourceTime(ms int64) string { return fmt.Sprintf("%013d", ms) }

// Append appends the source in its stored form.
func (s Source) Append(dst []byte) []byte {
	dst = append(strconv.AppendInt(dst, s.Rev, 10), '\n')
	dst = append(append(dst, sourceTime(s.CDN)...), '\n')
	dst = append(dst, s.Tail()...)
	return append(dst, s.Payload...)
}

// Head returns the lines that a renewal compares, which follow those of the rev and the time.
func (s Source) Head() string { return s.Hash + "\n" + s.ETag + "\n" }

// Tail returns the part between the time's line and the payload. The leader's scripts determine the
// rev and the time.
func (s Source) Tail() string { return s.Head() + string(s.Codec) + "\n" }

// JSON is like [Blob.JSON].
func (s Source) JSON() ([]byte, error) {
	return Blob{Rev: s.Rev, Hash: s.Hash, Codec: s.Codec, Payload: s.Payload}.JSON()
}
