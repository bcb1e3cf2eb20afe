package feed

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower/internal/snapshot"
)

// The evidence must be later than the request. The content named last is taken.
func TestEvidenceMustBeLaterThanTheRequest(t *testing.T) {
	const mine, other, third = "mine", "other", "third"
	start := time.Now()
	named := func(s int, epoch, cdn int64, hash string) item {
		return item{assertion: assertion{epoch: epoch, rev: 1 + cdn, cdn: cdn, hash: hash}, at: start.Add(time.Duration(s) * time.Second), counts: true}
	}
	uncounted := func(i item) item { i.counts = false; return i }
	for name, test := range map[string]struct {
		items []item
		later string
		ends  bool // the wait is over
	}{
		"all conditions hold":          {[]item{named(0, 7, 10, other), named(15, 7, 10, other), named(30, 7, 11, other)}, other, false},
		"an answer that was under way": {[]item{named(0, 7, 10, other), named(19, 7, 11, other), named(40, 7, 11, other), named(50, 7, 11, other)}, "", false},
		"no later answer":              {[]item{named(0, 7, 10, other), named(15, 7, 10, other), named(40, 7, 10, other)}, "", false},
		"29 s":                         {[]item{named(0, 7, 10, other), named(15, 7, 10, other), named(29, 7, 11, other)}, "", false},
		"two items":                    {[]item{named(0, 7, 10, other), named(30, 7, 11, other)}, "", false},
		"two epochs":                   {[]item{named(0, 7, 10, other), named(15, 8, 10, other), named(30, 8, 11, other)}, "", false},
		"reads of a replica":           {[]item{uncounted(named(0, 7, 10, other)), uncounted(named(15, 7, 10, other)), named(30, 7, 11, other)}, "", false},
		"from before the request":      {[]item{named(-9, 7, 10, other), named(15, 7, 10, other), named(30, 7, 11, other)}, "", false},
		"other content at the end":     {[]item{named(0, 7, 10, other), named(15, 7, 10, other), named(30, 7, 11, third)}, third, false},
		"the same":                     {[]item{named(0, 7, 10, mine), named(15, 7, 10, mine), named(30, 7, 11, mine)}, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			m := &Member{holder: snapshot.NewHolder(nil), own: &own{asked: start}}
			m.holder.Put(&snapshot.Snapshot{Hash: mine})
			for _, i := range test.items {
				m.note(i, new(redisClock))
			}
			if m.own == nil != test.ends {
				t.Fatalf("%+v, ends: %v", m.own, test.ends)
			}
			if test.ends {
				return
			}
			if m.own.later != test.later {
				t.Errorf("%q, want %q", m.own.later, test.later)
			}
			for _, hash := range []string{other, third} {
				if got := m.offer(&snapshot.Snapshot{Hash: hash, Rev: 20}, false); got != (hash == test.later) {
					t.Errorf("%s taken: %v", hash, got)
				}
			}
		})
	}
}
