package ofrep

import (
	"errors"
	"strconv"
	"strings"
)

// hashDigits is how many digits of a content's hash a [Version] has.
const hashDigits = 16

// Version names a content in the events of streams: a rev that it had, and the first digits of its
// hash. The same content may have several versions.
type Version struct {
	Rev  int64
	Hash string
}

// VersionOf returns the version of a content with a rev and the whole hash.
func VersionOf(rev int64, hash string) Version {
	return Version{rev, hash[:min(len(hash), hashDigits)]}
}

// String returns the version as {rev}-{digits}.
func (v Version) String() string { return strconv.FormatInt(v.Rev, 10) + "-" + v.Hash }

// ParseVersion parses the text of a [Version].
func ParseVersion(text string) (Version, error) {
	rev, hash, _ := strings.Cut(text, "-")
	n, err := strconv.ParseInt(rev, 10, 64)
	if err != nil || n < 0 || rev[0] == '+' || len(hash) != hashDigits || strings.Trim(hash, "0123456789abcdef") != "" {
		return Version{}, errors.New("it is not the etag of an event: it has the form {rev}-{16 hexadecimal digits}")
	}
	return Version{n, hash}, nil
}

// Reaches reports whether a content with a rev and a hash is the content of the version or a newer
// one. A content that a host fetched itself can have the rev of the one that it replaced: with an equal rev, other
// content may be the older one.
func (v Version) Reaches(wanted Version) bool { return v.Hash == wanted.Hash || v.Rev > wanted.Rev }
