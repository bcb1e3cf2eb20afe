// Package localcdn serves a config JSON from a file as ConfigCat's CDN does, and follows the
// changes of the file.
package localcdn

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/wire"
)

// Content is one version of a config that leaders accept. It is immutable.
type Content struct {
	JSON   []byte
	Config *evaluate.Config // the same, compiled
	Hash   string           // see [wire.ContentHash]
	ETag   string           // with its quotes
}

// NewContent checks a config JSON. Errors in the JSON name line and column.
func NewContent(json []byte) (*Content, error) {
	config, err := evaluate.Parse(json)
	if err != nil {
		if parse, ok := errors.AsType[*evaluate.ParseError](err); ok && parse.Offset >= 0 {
			line, column := position(json, max(parse.Offset-1, 0)) // the offset counts the bad byte
			return nil, fmt.Errorf("line %d, column %d: invalid JSON: %s", line, column, parse.Reason)
		}
		return nil, err
	}
	sum := sha256.Sum256(json)
	return &Content{
		JSON: json, Config: config, Hash: wire.ContentHash(json), ETag: `"` + hex.EncodeToString(sum[:16]) + `"`,
	}, nil
}

// position returns the line and column, from 1, of the byte at offset.
func position(text []byte, offset int64) (line, column int) {
	before := text[:min(offset, int64(len(text)))]
	return bytes.Count(before, []byte{'\n'}) + 1, len(before) - bytes.LastIndexByte(before, '\n')
}

// parse's errors name the file.
func parse(path string, data []byte) (*Content, error) {
	content, err := NewContent(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return content, nil
}
