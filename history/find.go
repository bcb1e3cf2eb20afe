package history

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/catbridge/catbridge/internal/wire"
)

var (
	// ErrReference is returned for a reference that has none of the forms of [History.Find].
	ErrReference = errors.New("not a rev, hash, number or time")
	// ErrNotFound is returned if the history has no version that a reference names.
	ErrNotFound = errors.New("not in the history")
)

// Find returns the index in Versions of the config that was in force at a reference:
//
//	current       now
//	-1, -2, …     the one before the current, the one before that, …
//	1767225600000 at any rev that was ever shown, 13 digits
//	1a2b3c4d      the newest with a hash that starts so: at least 8 hexadecimal digits
//	2h, 90m       that long ago, as time.ParseDuration reads it, by Redis's clock
//	2026-01-31T08:00:00Z
//	              at that time (RFC 3339), by Redis's clock
//
// Thirteen digits are always a rev. The errors are [ErrReference] and [ErrNotFound]. A time or rev in
// a gap of kind Unrecorded is not found: what was in force then is not known.
func (h *History) Find(reference string) (int, error) {
	if len(h.Versions) == 0 {
		return 0, fmt.Errorf("%w: no config yet", ErrNotFound)
	}
	if reference == "current" {
		return 0, nil
	}
	if digits, ok := strings.CutPrefix(reference, "-"); ok {
		n, err := strconv.ParseUint(digits, 10, 31)
		if err != nil {
			return 0, fmt.Errorf("%.40q is %w", reference, ErrReference)
		}
		if int(n) >= len(h.Versions) {
			return 0, fmt.Errorf("%s is %w: it has %d configs", reference, ErrNotFound, len(h.Versions))
		}
		return int(n), nil
	}
	if rev, ok := wire.ParseNumber(reference); ok && wire.ValidRev(rev) {
		if rev > h.Rev {
			return 0, fmt.Errorf("%d is %w: the current rev is %d", rev, ErrNotFound, h.Rev)
		}
		return h.newest(reference, func(v Version) bool { return v.Rev <= rev }, func(v Version) bool { return v.Rev == rev })
	}
	if len(reference) >= shortHash && len(reference) <= 64 && strings.Trim(reference, "0123456789abcdefABCDEF") == "" {
		return h.findHash(strings.ToLower(reference))
	}
	var at time.Time
	if ago, err := time.ParseDuration(reference); err == nil {
		at = h.Now.Add(-ago)
	} else if at, err = time.Parse(time.RFC3339, reference); err != nil {
		return 0, fmt.Errorf("%.40q is %w", reference, ErrReference)
	}
	if at.After(h.Now) {
		return 0, fmt.Errorf("%s is %w: it is in the future", reference, ErrNotFound)
	}
	return h.newest(reference, func(v Version) bool { return v.Recorded() && !v.Time.After(at) }, func(v Version) bool { return v.Time.Equal(at) })
}

// newest returns the newest version that came into force by then. began and exactly report whether a version
// came into force by then, and exactly then.
func (h *History) newest(reference string, began, exactly func(Version) bool) (int, error) {
	for i, v := range h.Versions {
		if !began(v) {
			continue
		}
		if i > 0 && h.Versions[i-1].Gap == Unrecorded && !exactly(v) {
			return 0, fmt.Errorf("%s is %w: it lacks what was in force between rev %d and rev %d", reference, ErrNotFound, v.Rev, h.Versions[i-1].Rev)
		}
		return i, nil
	}
	return 0, fmt.Errorf("%s is %w: it is before the oldest config, rev %d", reference, ErrNotFound, h.Versions[len(h.Versions)-1].Rev)
}

func (h *History) findHash(prefix string) (int, error) {
	found := -1
	for i, v := range h.Versions {
		switch {
		case !strings.HasPrefix(v.Hash, prefix):
		case found < 0:
			found = i
		case v.Hash != h.Versions[found].Hash:
			return 0, fmt.Errorf("%s is %w: several hashes start so; write more digits", prefix, ErrNotFound)
		}
	}
	if found < 0 {
		return 0, fmt.Errorf("%s is %w: no hash starts so", prefix, ErrNotFound)
	}
	return found, nil
}
