package leader

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/catbridge/catbridge/internal/wire"
)

// replacedMemory holds the ETags that were replaced within the last two minutes, with the time
// by the local monotonic clock. It is bounded by time alone: a bound on its size would forget
// such ETags too soon. It is not safe for concurrent use.
type replacedMemory struct {
	at map[string]time.Time // by stored ETag
}

// add records that etag was replaced at that time, unless that was more than two minutes ago
// or a later time is known.
func (m *replacedMemory) add(etag string, at time.Time) {
	now := time.Now()
	maps.DeleteFunc(m.at, func(_ string, at time.Time) bool { return now.Sub(at) >= recentFor })
	if etag == "" || now.Sub(at) >= recentFor || !at.After(m.at[etag]) {
		return
	}
	if m.at == nil {
		m.at = map[string]time.Time{}
	}
	m.at[etag] = at
}

// remove forgets an ETag that is believed again.
func (m *replacedMemory) remove(etag string) { delete(m.at, etag) }

func (m *replacedMemory) has(etag string) bool {
	at, ok := m.at[etag]
	return ok && time.Since(at) < recentFor
}

// addMeta adds the replaced ETags of meta. Their times are by Redis's clock, which showed now
// when it replied. A time ahead of that clock counts as now.
func (m *replacedMemory) addMeta(meta wire.Meta, now int64) {
	for _, old := range meta.Recent {
		if old.ETag != meta.ETag { // an equal ETag was replaced and is current again
			m.add(old.ETag, time.Now().Add(min(0, time.UnixMilli(old.Until).Sub(time.UnixMilli(now)))))
		}
	}
}

// lines returns the ETags that were replaced last for commit.lua, the latest first. Each line
// is an age in ms and an ETag.
func (m *replacedMemory) lines() string {
	now := time.Now()
	etags := slices.SortedFunc(maps.Keys(m.at), func(a, b string) int {
		return cmp.Or(m.at[b].Compare(m.at[a]), strings.Compare(a, b))
	})
	var b strings.Builder
	for _, etag := range etags[:min(len(etags), wire.MaxRecentETags)] {
		b.WriteString(strconv.FormatInt(now.Sub(m.at[etag]).Milliseconds(), 10))
		b.WriteByte(' ')
		b.WriteString(etag)
		b.WriteByte('\n')
	}
	return b.String()
}
