package script

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/internal/wire"
)

// storedSource is content in the form of a [wire.Source]. Without content all parts are empty.
type storedSource struct{ *Content }

func (s storedSource) wire() wire.Source {
	return wire.Source{Hash: s.Hash, ETag: s.StoredETag(), Codec: s.Codec, Payload: s.Payload}
}

func (s storedSource) head() string {
	if s.Content == nil {
		return ""
	}
	return s.wire().Head()
}

func (s storedSource) tail() string {
	if s.Content == nil {
		return ""
	}
	return s.wire().Tail()
}

func (s storedSource) payload() []byte {
	if s.Content == nil {
		return nil
	}
	return s.Payload
}

// Source reads what the CDN serves while a control is in force. It returns nil if Redis does not have
// it for the current content, which has that rev: it will be written again.
func (s *Store) Source(ctx context.Context, rev int64) (*Content, error) {
	data, err := s.getAtMost(ctx, s.keys.Source, wire.MaxSourceBytes)
	if err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE") {
		return nil, fmt.Errorf("read source: %w", err)
	}
	source, err := wire.ParseSource(data)
	if err != nil || source.Rev != rev {
		return nil, nil //nolint:nilerr,nilnil // it will be overwritten
	}
	json, err := source.JSON()
	if err != nil {
		return nil, nil //nolint:nilerr,nilnil // it will be overwritten
	}
	return &Content{JSON: json, Hash: source.Hash, ETag: source.ETag, Codec: source.Codec, Payload: source.Payload}, nil
}
