package gateway

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower"
)

// content is a config JSON as it is served, prepared once for all requests. It is immutable.
type content struct {
	hash string // of the config JSON in force, from which it was prepared
	tag  string // of the served JSON, without quotes and without the suffix of an encoding
	// id orders contents of one SDK over processes: the rev at which this process saw the content
	// first, and 16 digits of its hash.
	id     string
	rev    string // that rev
	config *evaluate.Config
	keys   func() []sortedKey
	dates  func() map[string]bool // the attributes that only date conditions use
	values sync.Map               // string → string: values as JSON, shared by all users

	identity *representation
	gzip     func() *representation
	zstd     func() *representation
}

// representation is a content in one encoding. The header values are shared by all answers.
type representation struct {
	body     []byte
	etag     []string
	length   []string
	encoding []string // nil: identity
}

// tagBytes is the length of an ETag, in hexadecimal digits of the hash.
const tagBytes = 32

// newContent prepares the content in force. The encodings are made for the first request that asks
// for them.
func newContent(held *follower.Content) *content {
	served := withoutRedirect(held.JSON)
	sum := sha256.Sum256(served)
	c := &content{hash: held.Hash, tag: hex.EncodeToString(sum[:])[:tagBytes], config: held.Config}
	c.rev = strconv.FormatInt(held.Rev, 10)
	c.id = c.rev + "-" + held.Hash[:16]
	c.keys = sortedKeys(held.Config)
	c.dates = sync.OnceValue(func() map[string]bool { return dateAttributes(served) })
	c.identity = c.represent(served, "")
	c.gzip = sync.OnceValue(func() *representation { return c.smaller(gzipped(served), "gzip") })
	c.zstd = sync.OnceValue(func() *representation { return c.smaller(zstdEncoded(served), "zstd") })
	return c
}

func (c *content) represent(body []byte, encoding string) *representation {
	r := &representation{body: body, etag: []string{`"` + c.tag + `"`}, length: []string{strconv.Itoa(len(body))}}
	if encoding != "" {
		// Representations differ in their strong ETags (RFC 9110, 8.8.3).
		r.etag = []string{`"` + c.tag + "-" + encoding + `"`}
		r.encoding = []string{encoding}
	}
	return r
}

// smaller returns the representation in an encoding, or the identity if that is not larger.
func (c *content) smaller(body []byte, encoding string) *representation {
	if len(body) >= len(c.identity.body) {
		return c.identity
	}
	return c.represent(body, encoding)
}

func gzipped(body []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(body) // a Buffer does not fail
	_ = w.Close()
	return bytes.Clone(out.Bytes())
}

func zstdEncoded(body []byte) []byte {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err) // unreachable: the options are valid
	}
	defer w.Close()
	return bytes.Clone(w.EncodeAll(body, nil))
}

// has reports whether the config has a flag.
func (c *content) has(key string) bool {
	_, found := slices.BinarySearchFunc(c.keys(), key, func(k sortedKey, key string) int { return strings.Compare(k.name, key) })
	return found
}

// shared returns the JSON of a value as a string that all users with that value share. Details are not shared.
func (c *content) shared(json []byte, details bool) string {
	if details {
		return string(json)
	}
	if s, ok := c.values.Load(string(json)); ok {
		return s.(string)
	}
	s, _ := c.values.LoadOrStore(string(json), string(json))
	return s.(string)
}
