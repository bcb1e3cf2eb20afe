package leader

import "github.com/catbridge/catbridge/cachekeys"

// content is one config, ready to be written. It never changes.
type content struct {
	json    []byte
	hash    string
	etag    string // as the CDN sent it, for If-None-Match; after a takeover as stored
	broken  int    // flags with an error in their model
	codec   cachekeys.Codec
	payload []byte
}

func newContent(json []byte, etag string, broken int) *content {
	codec, payload := cachekeys.Encode(json)
	return &content{
		json: json, hash: cachekeys.ContentHash(json), etag: etag, broken: broken,
		codec: codec, payload: payload,
	}
}

// storedETag is the form of the ETag that entry and meta hold.
func (c *content) storedETag() string { return cachekeys.StoredETag(c.etag, c.hash) }
