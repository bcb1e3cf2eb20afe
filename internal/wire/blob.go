package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
)

// MaxConfigBytes is the greatest size of a config JSON anywhere in the bridge: 8 MiB.
const MaxConfigBytes = 8 << 20

// MaxBlobBytes is the greatest size of a stored blob: an incompressible config and the head.
const MaxBlobBytes = MaxConfigBytes + 128

// Blob is the content as followers read it:
//
//	{rev}\n{sha256 of the JSON, hexadecimal}\n{codec}\n{config JSON in that codec}
type Blob struct {
	Rev     int64
	Hash    string // see [ContentHash]
	Codec   Codec
	Payload []byte // the config JSON in Codec; shares memory with the parsed input
}

// ParseBlob reads a blob's head and returns the rest as its payload. It does not examine the
// payload: see [Blob.JSON]. All errors are [*ParseError].
func ParseBlob(data []byte) (Blob, error) {
	if len(data) > MaxBlobBytes {
		return Blob{}, malformed("blob", "", "over the size limit")
	}
	parts := bytes.SplitN(data, []byte{'\n'}, 4)
	if len(parts) < 4 {
		return Blob{}, malformed("blob", "", "fewer than four lines")
	}
	rev, ok := ParseNumber(parts[0])
	if !ok || !ValidRev(rev) {
		return Blob{}, malformed("blob", "line 1", "not a rev: "+Excerpt(parts[0]))
	}
	if !validHash(parts[1]) {
		return Blob{}, malformed("blob", "line 2", "not a content hash: "+Excerpt(parts[1]))
	}
	codec, ok := parseCodec(parts[2])
	if !ok || !codec.known() {
		return Blob{}, malformed("blob", "line 3", "unknown codec "+Excerpt(parts[2])+" (upgrade the follower)")
	}
	return Blob{Rev: rev, Hash: string(parts[1]), Codec: codec, Payload: parts[3]}, nil
}

// Append appends the blob in its stored form.
func (b Blob) Append(dst []byte) []byte {
	dst = AppendNumber(dst, b.Rev)
	dst = append(dst, '\n')
	dst = append(dst, b.Tail()...)
	return append(dst, b.Payload...)
}

// Tail returns the part between the rev's line and the payload. The leader's scripts determine
// the rev and write it before the tail.
func (b Blob) Tail() string { return b.Hash + "\n" + string(b.Codec) + "\n" }

// JSON returns the config JSON after checking it against the blob's hash: a flipped bit or
// truncated content never reaches a follower (I4). The result uses at most [MaxConfigBytes] of
// memory. All errors are [*ParseError].
func (b Blob) JSON() ([]byte, error) {
	json, err := b.Codec.decode(b.Payload)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(json)
	if hex.EncodeToString(sum[:]) != b.Hash {
		return nil, malformed("content", "", "the hash does not match "+Excerpt(b.Hash))
	}
	return json, nil
}
