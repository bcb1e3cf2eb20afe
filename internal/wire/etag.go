package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// MaxETagBytes is the length of the longest ETag that is stored unchanged.
	MaxETagBytes = 256
	// MaxMessageETagBytes is the length of the longest ETag that a message carries unchanged.
	MaxMessageETagBytes = 64
	// hashBytes is the length of a content hash in hexadecimal.
	hashBytes = 2 * sha256.Size
)

// ContentHash returns the lower-case hexadecimal SHA-256 of a config JSON. Two contents are equal
// if their hashes are equal (S78).
func ContentHash(json []byte) string {
	sum := sha256.Sum256(json)
	return hex.EncodeToString(sum[:])
}

// shortHashBytes is the length of a [ShortHash].
const shortHashBytes = 16

// ShortHash returns the start of a content hash, which names the base of a patch. It is empty if
// hash is not a content hash.
func ShortHash(hash string) string {
	if len(hash) != hashBytes {
		return ""
	}
	return hash[:shortHashBytes]
}

func validShortHash[T string | []byte](s T) bool {
	return len(s) == shortHashBytes && isHex(s)
}

func validHash[T string | []byte](s T) bool {
	return len(s) == hashBytes && isHex(s)
}

func isHex[T string | []byte](s T) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// StoredETag returns the stored form of an ETag: the ETag itself, or its hash if it is longer
// than [MaxETagBytes] or contains a line break. For an empty ETag it returns contentHash, because
// several official SDKs reject an empty one (S92).
func StoredETag(etag, contentHash string) string {
	switch {
	case etag == "":
		return contentHash
	case len(etag) > MaxETagBytes || strings.ContainsAny(etag, "\r\n"):
		return ContentHash([]byte(etag))
	}
	return etag
}

// MessageETag returns the form of a stored ETag in a message: the ETag itself, or its hash if it
// is longer than [MaxMessageETagBytes] or contains white space or unprintable characters.
func MessageETag(etag string) string {
	if plainETag(etag) {
		return etag
	}
	return ContentHash([]byte(etag))
}

func plainETag(etag string) bool {
	return len(etag) <= MaxMessageETagBytes && utf8.ValidString(etag) &&
		strings.IndexFunc(etag, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) < 0
}
