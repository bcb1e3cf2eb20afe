package gateway

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// content is a config JSON as it is served, prepared once for all requests. It is immutable.
type content struct {
	hash string // of the config JSON in force, from which it was prepared
	tag  string // of the served JSON, without quotes and without the suffix of an encoding

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

// newContent prepares a config JSON, whose hash is that of the content in force. The encodings are
// made for the first request that asks for them.
func newContent(hash string, config []byte) *content {
	served := withoutRedirect(config)
	sum := sha256.Sum256(served)
	c := &content{hash: hash, tag: hex.EncodeToString(sum[:])[:tagBytes]}
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

// withoutRedirect returns the config JSON with 0 as the redirect p.r of its preferences. Official
// SDKs that see 2 leave their base URL for good, and with 1 and another URL some have no config
// (S86). All other bytes stay. SDKs that ignore the case of names see p.r as P.R, too.
func withoutRedirect(config []byte) []byte {
	var out []byte
	done := 0
	for _, span := range redirects(config) {
		out = append(append(out, config[done:span.start]...), '0')
		done = span.end
	}
	if done == 0 {
		return config
	}
	return append(out, config[done:]...)
}

type span struct{ start, end int }

// redirects returns where the values of p.r are, except those that are 0 already. JSON may repeat
// a name, and SDKs differ in which one they take.
func redirects(config []byte) []span {
	var spans []span
	dec := json.NewDecoder(bytes.NewReader(config))
	_ = members(dec, func(name string) error {
		if !strings.EqualFold(name, "p") {
			return skip(dec)
		}
		return members(dec, func(name string) error {
			var value json.RawMessage
			if err := dec.Decode(&value); err != nil {
				return err
			}
			if strings.EqualFold(name, "r") && string(value) != "0" {
				end := int(dec.InputOffset())
				spans = append(spans, span{end - len(value), end})
			}
			return nil
		})
	})
	return spans
}

// members calls f with the name of each member of the next value. f must read the member's value.
// A value that is not an object has no members.
func members(dec *json.Decoder, f func(name string) error) error {
	first, err := dec.Token()
	if err != nil {
		return err
	}
	switch first {
	case json.Delim('{'):
	case json.Delim('['):
		for dec.More() {
			if err := skip(dec); err != nil {
				return err
			}
		}
		_, err := dec.Token()
		return err
	default:
		return nil
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		if err := f(name.(string)); err != nil {
			return err
		}
	}
	_, err = dec.Token()
	return err
}

func skip(dec *json.Decoder) error {
	var value json.RawMessage
	return dec.Decode(&value)
}
