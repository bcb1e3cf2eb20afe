package history

import (
	"errors"
	"fmt"
	"time"

	"github.com/catbridge/catbridge/internal/patch"
	"github.com/catbridge/catbridge/internal/wire"
)

// ErrUnavailable is returned if the content of a version cannot be made.
var ErrUnavailable = errors.New("the content is not available")

// Content returns the config JSON of Versions[i]. The caller must not change it. It panics if i is
// out of range. It makes the content of the one before that it returned, or of the current one, so
// it is fastest in the order of Versions. Each step is verified by its hash. If a gap prevents it,
// the error is [ErrUnavailable].
func (h *History) Content(i int) ([]byte, error) {
	_ = h.Versions[i]
	if i < h.at {
		h.at, h.json = 0, h.current
	}
	for ; h.at < i; h.at++ {
		h.json = h.before(h.at, h.json)
	}
	if h.json == nil {
		return nil, h.unavailable(i)
	}
	return h.json, nil
}

// before makes the content of Versions[i+1] of json, the content of Versions[i]. If it cannot, it
// returns nil.
func (h *History) before(i int, json []byte) []byte {
	v, s := &h.Versions[i], h.steps[i]
	var before []byte
	var err error
	switch {
	case v.Gap != NoGap:
		return nil
	case s.back.Codec != wire.Patch:
		before, err = s.back.Whole(s.from)
	case json == nil:
		return nil
	default:
		before, err = patch.Apply(json, s.back.Payload, s.size)
	}
	if err != nil || wire.ContentHash(before) != h.Versions[i+1].Hash {
		v.Gap = Corrupt
		return nil
	}
	return before
}

// unavailable says why the content of Versions[i] is not available.
func (h *History) unavailable(i int) error {
	for i--; i >= 0; i-- {
		after := func(format string) error {
			return fmt.Errorf("%w: "+format, ErrUnavailable, short(h.Versions[i].Hash), stamp(h.Versions[i].Time))
		}
		switch h.Versions[i].Gap {
		case Unrecorded:
			return after("the history lacks what was in force directly before %s of %s")
		case Unknown:
			return after("the leader that wrote %s of %s did not hold the config before")
		case TooLarge:
			return after("the config before %s of %s did not fit into the history")
		case Corrupt:
			return after("the history's entry for %s of %s is corrupt")
		}
	}
	return fmt.Errorf("%w: Redis does not have the current config; the leader writes it again", ErrUnavailable)
}

const shortHash = 8

// short returns the start of a hash.
func short(hash string) string { return hash[:min(len(hash), shortHash)] }

func stamp(t time.Time) string {
	if t.IsZero() {
		return "now"
	}
	return t.UTC().Format(time.RFC3339)
}
