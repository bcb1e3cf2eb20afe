package script

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/wire"
)

// Content is one config, ready to be written. It is immutable.
type Content struct {
	JSON    []byte
	Hash    string
	ETag    string // as the CDN sent it, for If-None-Match; as stored if it was read from Redis
	Codec   wire.Codec
	Payload []byte
}

// NewContent encodes the config JSON.
func NewContent(json []byte, etag string) *Content {
	codec, payload := wire.Encode(json)
	return &Content{JSON: json, Hash: wire.ContentHash(json), ETag: etag, Codec: codec, Payload: payload}
}

// StoredETag returns the ETag as it is stored in meta.
func (c *Content) StoredETag() string { return wire.StoredETag(c.ETag, c.Hash) }

// Load reads the current content, which meta says has that hash and ETag. With it a new leader can
// send If-None-Match to the CDN, and can repair Redis while the CDN does not answer.
func (s *Store) Load(ctx context.Context, hash, etag string) (*Content, error) {
	data, err := s.getAtMost(ctx, s.keys.Blob, wire.MaxBlobBytes)
	if err != nil {
		return nil, fmt.Errorf("read blob: %w", err)
	}
	blob, err := wire.ParseBlob(data)
	if err != nil {
		return nil, err
	}
	if blob.Hash != hash {
		return nil, fmt.Errorf("read blob: %w: not the current content", errReply)
	}
	json, err := blob.JSON()
	if err != nil {
		return nil, err
	}
	return &Content{JSON: json, Hash: blob.Hash, ETag: etag, Codec: blob.Codec, Payload: blob.Payload}, nil
}

// Blob reads the blob, regardless of meta. c is nil if the blob is missing or invalid.
func (s *Store) Blob(ctx context.Context) (c *Content, rev int64, err error) {
	data, err := s.getAtMost(ctx, s.keys.Blob, wire.MaxBlobBytes)
	switch {
	case redis.HasErrorPrefix(err, "WRONGTYPE"):
		return nil, 0, nil
	case err != nil:
		return nil, 0, fmt.Errorf("read blob: %w", err)
	}
	blob, err := wire.ParseBlob(data)
	if err != nil {
		return nil, 0, nil //nolint:nilerr // it will be overwritten
	}
	json, err := blob.JSON()
	if err != nil {
		return nil, 0, nil //nolint:nilerr // it will be overwritten
	}
	return &Content{JSON: json, Hash: blob.Hash, Codec: blob.Codec, Payload: blob.Payload}, blob.Rev, nil
}

// Patches reads the patches that lead to the content with that hash. It returns none if they do
// not, or if they are malformed: the next commit overwrites them.
func (s *Store) Patches(ctx context.Context, hash string) (wire.Patches, error) {
	data, err := s.getAtMost(ctx, s.keys.Patches, wire.MaxPatchesBytes)
	if err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE") {
		return nil, fmt.Errorf("read patches: %w", err)
	}
	patches, err := wire.ParsePatches(data)
	if err != nil || patches.To() != hash {
		return nil, nil //nolint:nilerr // they will be overwritten
	}
	return patches, nil
}

// Entry reads the official entry. It returns the zero Entry if the entry is missing or
// malformed.
func (s *Store) Entry(ctx context.Context) (cachekeys.Entry, error) {
	data, err := s.getAtMost(ctx, s.keys.Entry, cachekeys.MaxEntryBytes)
	if err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE") {
		return cachekeys.Entry{}, fmt.Errorf("read entry: %w", err)
	}
	entry, err := cachekeys.ParseEntry(data)
	if err != nil {
		return cachekeys.Entry{}, nil //nolint:nilerr // it will be overwritten
	}
	return entry, nil
}

// getAtMost reads at most limit bytes of a value and one more, which shows that the value is
// too long: any client may have written it. A missing value is empty.
func (s *Store) getAtMost(ctx context.Context, key string, limit int) ([]byte, error) {
	return s.client.GetRange(ctx, key, 0, int64(limit)).Bytes()
}
