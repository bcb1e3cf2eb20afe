package feed

import (
	"testing"
	"time"
)

// Each case removes one condition of the rebase rule.
func TestRebaseRule(t *testing.T) {
	const (
		held  = 5000
		other = "other"
		mine  = "mine"
	)
	type item struct {
		assertion
		at time.Duration
	}
	at := func(s int, epoch, rev, cdn int64, hash string) item {
		return item{assertion{epoch: epoch, rev: rev, cdn: cdn, hash: hash}, time.Duration(s) * time.Second}
	}
	for name, test := range map[string]struct {
		items []item
		due   bool
	}{
		"all conditions hold":                 {[]item{at(0, 7, 10, 10, other), at(15, 7, 10, 10, other), at(30, 7, 11, 11, other)}, true},
		"more items than needed":              {[]item{at(0, 7, 10, 10, other), at(3, 7, 10, 10, other), at(21, 7, 11, 11, other), at(33, 7, 11, 11, other)}, true},
		"an answer that was under way":        {[]item{at(0, 7, 10, 10, other), at(3, 7, 10, 10, other), at(19, 7, 11, 11, other), at(33, 7, 11, 11, other), at(50, 7, 11, 11, other)}, false},
		"then one that was not":               {[]item{at(0, 7, 10, 10, other), at(19, 7, 11, 11, other), at(33, 7, 11, 11, other), at(50, 7, 12, 12, other)}, true},
		"a clock set back once more":          {[]item{at(0, 7, 1000, 1000, other), at(25, 7, 10, 10, other), at(40, 7, 10, 10, other), at(60, 7, 11, 11, other)}, true},
		"other contents, all unlike mine":     {[]item{at(0, 7, 10, 10, "a"), at(15, 7, 20, 20, "b"), at(30, 7, 30, 30, "c")}, true},
		"two items only":                      {[]item{at(0, 7, 10, 10, other), at(30, 7, 11, 11, other)}, false},
		"29 s only":                           {[]item{at(0, 7, 10, 10, other), at(15, 7, 10, 10, other), at(29, 7, 11, 11, other)}, false},
		"no later answer from the CDN":        {[]item{at(0, 7, 10, 10, other), at(15, 7, 10, 10, other), at(30, 7, 11, 10, other)}, false},
		"an earlier answer from the CDN":      {[]item{at(0, 7, 10, 10, other), at(15, 7, 10, 9, other), at(30, 7, 11, 8, other)}, false},
		"another epoch in between":            {[]item{at(0, 7, 10, 10, other), at(15, 8, 10, 11, other), at(30, 8, 11, 12, other)}, false},
		"another epoch, then enough of it":    {[]item{at(0, 7, 10, 10, other), at(15, 8, 10, 11, other), at(36, 8, 11, 12, other), at(45, 8, 11, 12, other)}, true},
		"a rev above mine in between":         {[]item{at(0, 7, 10, 10, other), at(15, 7, held+1, 11, other), at(30, 7, 11, 12, other), at(31, 7, 11, 13, other)}, false},
		"mine in between":                     {[]item{at(0, 7, 10, 10, other), at(15, 7, held, 11, mine), at(30, 7, 11, 12, other), at(31, 7, 11, 13, other)}, false},
		"the same content at a lower rev":     {[]item{at(0, 7, 10, 10, mine), at(15, 7, 10, 11, mine), at(30, 7, 11, 12, mine)}, false},
		"a leader without content":            {[]item{at(0, 7, 0, 0, ""), at(15, 7, 0, 0, ""), at(30, 7, 0, 0, "")}, false},
		"messages that do not name the epoch": {[]item{at(0, 0, 10, 10, other), at(15, 0, 10, 11, other), at(30, 0, 11, 12, other)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var r rebase
			start := time.Now()
			for i, item := range test.items {
				if r.due() {
					t.Fatalf("due before item %d", i)
				}
				r.add(item.assertion, held, mine, start.Add(item.at))
			}
			if r.due() != test.due {
				t.Errorf("due: %v, want %v", r.due(), test.due)
			}
		})
	}
}
