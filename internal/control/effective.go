package control

import (
	"fmt"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/wire"
)

// Effective returns the content that followers must serve: the pinned content or else source, with
// the forced flags reduced to their values (see [evaluate.Force]). pinned is the content of the pin,
// if there is one. The caller omits what has ended, see [Control.InForce]. If nothing is in force, or
// nothing in force makes a difference, the result is source itself.
//
// A forced flag that the content lacks, or that is of another type there, is suspended: it is left
// as it is and returned with the reason. It is forced again as soon as it fits.
//
// An error means that pinned is not the content of the pin, or that a content is not a valid config.
func (c *Control) Effective(source, pinned []byte) (content []byte, suspended []evaluate.Suspended, err error) {
	if c.Empty() {
		return source, nil, nil
	}
	content = source
	if c.Pin != nil {
		if hash := wire.ContentHash(pinned); hash != c.Pin.Hash {
			return nil, nil, fmt.Errorf("pinned content: its hash is %.8s…, the pin's is %.8s…; pin it again", hash, c.Pin.Hash)
		}
		if content = pinned; c.Pin.Hash == wire.ContentHash(source) {
			content = source
		}
	}
	if len(c.Forced) == 0 {
		return content, nil, nil
	}
	forced := make(map[string]evaluate.Value, len(c.Forced))
	for _, f := range c.Forced {
		forced[f.Flag] = f.Value
	}
	return evaluate.Force(content, forced)
}

// ETag returns the ETag of effective content with the given [wire.ContentHash]. ETags are equal
// exactly if the content is. It is never sent to the CDN: content that equals the CDN's has the
// CDN's own ETag.
func ETag(hash string) string {
	const digits = 32
	return `"cb-` + hash[:min(digits, len(hash))] + `"`
}

// IsETag reports whether etag is that of effective content with the given [wire.ContentHash]. An
// official SDK never stores one.
func IsETag(etag, hash string) bool { return etag == ETag(hash) }
