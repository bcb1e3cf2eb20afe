package feed

import (
	"testing"
	"time"
)

func TestStatementsAboutControls(t *testing.T) {
	type statement struct {
		after      time.Duration
		epoch, rev int64
		seq        int64
		dead       bool
		want       int64
	}
	const s = time.Second
	for name, statements := range map[string][]statement{
		"begin, change, end":                {{0, 1, 5, 0, false, 0}, {s, 1, 6, 11, false, 11}, {s, 1, 7, 12, true, 12}, {s, 1, 8, 0, true, 0}},
		"the same rev":                      {{0, 1, 5, 11, false, 11}, {s, 1, 5, 11, false, 11}, {s, 2, 5, 0, false, 0}},
		"nothing is stated":                 {{0, 1, 5, 11, false, 11}, {s, 2, 0, 0, false, 11}, {s, 0, 0, 0, false, 11}},
		"another term at a lower rev":       {{0, 1, 5, 11, false, 11}, {s, 2, 4, 0, false, 0}},
		"late":                              {{0, 2, 5, 11, false, 11}, {s, 2, 4, 0, false, 11}, {s, 1, 9, 0, false, 11}, {90 * s, 2, 4, 0, false, 11}},
		"lower, too few":                    {{0, 2, 5, 11, false, 11}, {s, 1, 4, 0, false, 11}, {40 * s, 1, 4, 0, false, 11}},
		"lower, too soon":                   {{0, 2, 5, 11, false, 11}, {s, 1, 4, 0, false, 11}, {15 * s, 1, 4, 0, false, 11}, {14 * s, 1, 5, 0, false, 11}},
		"lower for long":                    {{0, 2, 5, 11, false, 11}, {s, 1, 4, 0, false, 11}, {15 * s, 1, 4, 0, false, 11}, {15 * s, 1, 5, 0, false, 0}},
		"lower, of no leader":               {{0, 2, 5, 11, false, 11}, {s, 1, 4, 0, true, 11}, {30 * s, 1, 4, 0, true, 11}, {30 * s, 1, 5, 0, true, 11}},
		"lower, of two terms":               {{0, 3, 5, 11, false, 11}, {s, 1, 4, 0, false, 11}, {15 * s, 1, 4, 0, false, 11}, {15 * s, 2, 5, 0, false, 11}},
		"lower, with another in between":    {{0, 2, 5, 11, false, 11}, {s, 1, 4, 0, false, 11}, {15 * s, 1, 4, 0, false, 11}, {15 * s, 2, 5, 11, false, 11}, {s, 1, 4, 0, false, 11}},
		"a control of a term that is lower": {{0, 2, 5, 0, false, 0}, {s, 1, 4, 11, false, 0}, {15 * s, 1, 4, 11, false, 0}, {15 * s, 1, 5, 11, false, 11}},
	} {
		var c statedControl
		at := time.Now()
		for i, st := range statements {
			at = at.Add(st.after)
			c.observe(assertion{epoch: st.epoch, rev: st.rev}, st.seq, at, !st.dead)
			if c.seq != st.want {
				t.Errorf("%s: %d after statement %d, want %d", name, c.seq, i, st.want)
			}
		}
	}
}
