package observe

import (
	"slices"
	"strings"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/inspect"
)

const maxSpreads = 50

// spreads records how the last changes reached the followers.
type spreads struct{ changes []Spread }

// add records the content in force. since is when it came into force, and exact reports whether the
// history says so: only then the same content may have come into force again.
func (s *spreads) add(rev int64, hash string, since time.Time, exact bool) {
	if n := len(s.changes); n > 0 {
		if last := &s.changes[n-1]; last.Hash == hash && !(exact && since.After(last.Time)) {
			return
		}
	}
	if len(s.changes) >= maxSpreads {
		s.changes = slices.Delete(s.changes, 0, 1)
	}
	s.changes = append(s.changes, Spread{Rev: rev, Hash: hash, Time: since})
}

// measure takes the times that followers report. A report belongs to the last change to its content that
// came into force before it.
func (s *spreads) measure(reports []inspect.Report) {
	lags := map[int][]time.Duration{}
	for _, r := range reports {
		if r.Lag <= 0 || r.Hash == "" {
			continue
		}
		for i := len(s.changes) - 1; i >= 0; i-- {
			if c := &s.changes[i]; strings.HasPrefix(c.Hash, r.Hash) && !r.At.Before(c.Time) {
				lags[i] = append(lags[i], r.Lag)
				break
			}
		}
	}
	for i, times := range lags {
		c := &s.changes[i]
		if len(times) < c.Reported {
			continue // followers have gone, or have newer content
		}
		slices.Sort(times)
		c.Reported, c.Median, c.Last = len(times), times[(len(times)-1)/2], times[len(times)-1]
	}
}

func (s *spreads) all() []Spread { return slices.Clone(s.changes) }
