package ofrep

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// format distinguishes answers of versions of this package that encode the same differently.
const format = "ofrep 1"

// ETag returns the entity tag, without quotes, of the answer to a request for many flags: a hash of
// the content, of the whole user, of the filter, and of the credential of the stream, which clients
// use again after 304. It is the same in all processes that have the same key for streams. The text
// user must be the same for equal users only.
func (c *Context) ETag(contentHash, user, stream string) string {
	var input []byte
	add := func(text string) { // with the length, so that it cannot run into what follows
		input = append(binary.AppendUvarint(input, uint64(len(text))), text...)
	}
	for _, text := range []string{format, contentHash, user, stream} {
		add(text)
	}
	if c.filtered {
		input = append(input, 'f')
		for _, key := range c.flags {
			add(key)
		}
	}
	sum := sha256.Sum256(input)
	return hex.EncodeToString(sum[:16])
}
