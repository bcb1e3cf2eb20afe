package leader

import "github.com/catbridge/catbridge/internal/wire"

// content is one config, ready to be written. It is immutable.
type content struct {
	json    []byte
	hash    string
	etag    string // as the CDN sent it, for If-None-Match; as stored if it was read from Redis
	broken  int    // flags whose evaluation can fail
	codec   wire.Codec
	payload []byte
}

func newContent(json []byte, etag string, broken int) *content {
	codec, payload := wire.Encode(json)
	return &content{
		json: json, hash: wire.ContentHash(json), etag: etag, broken: broken,
		codec: codec, payload: payload,
	}
}

func (c *content) storedETag() string { return wire.StoredETag(c.etag, c.hash) }
