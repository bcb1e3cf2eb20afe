package cachekeys

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// MaxETagBytes is the longest ETag that is stored as it is.
	MaxETagBytes = 256
	// MaxMessageETagBytes is the longest ETag that a message carries as it is.
	MaxMessageETagBytes = 64
	// HashBytes is the length of a content hash in its text form.
	HashBytes = 2 * sha256.Size
)

// ContentHash returns the lower-case hexadecimal SHA-256 of a config JSON. Two
// contents are equal when their hashes are (S78).
func ContentHash(json []byte) string {
	sum := sha256.Sum256(json)
	return hex.EncodeToString(sum[:])
}

func validHash[T string | []byte](s T) bool {
	return len(s) == HashBytes && isHex(s)
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

// StoredETag returns the form in which an ETag is stored: as it is, or its hash
// when it is longer than [MaxETagBytes] or has a line break. An empty ETag is never
// stored, since several official SDKs refuse it: contentHash stands in (S92).
func StoredETag(etag, contentHash string) string {
	switch {
	case etag == "":
		return contentHash
	case len(etag) > MaxETagBytes || strings.ContainsAny(etag, "\r\n"):
		return ContentHash([]byte(etag))
	}
	return etag
}

// MessageETag returns the form in which a message carries a stored ETag: as it
// is, or its hash when it is longer than [MaxMessageETagBytes] or has anything but
// printable characters without white space.
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
