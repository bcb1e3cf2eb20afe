package feed

import (
	"testing"
	"time"
)

func TestFreshness(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	ms := func(s int) int64 { return start.Add(time.Duration(s) * time.Second).UnixMilli() }
	type step struct {
		at      int // by the local clock
		epoch   int64
		cdn     int // by Redis's clock
		primary bool
		taken   bool
		age     int
	}
	for name, steps := range map[string][]step{
		"first, by the clock":        {{at: 10, epoch: 1, cdn: 4, taken: true, age: 6}},
		"first, from the future":     {{at: 10, epoch: 1, cdn: 400, taken: true, age: 0}},
		"later, within the bound":    {{at: 10, epoch: 1, cdn: 4, taken: true, age: 6}, {at: 13, epoch: 1, cdn: 12, taken: true, age: 1}},
		"later, the clock is ahead":  {{at: 1000, epoch: 1, cdn: 4, taken: true, age: 996}, {at: 1003, epoch: 1, cdn: 12, taken: true, age: 3}},
		"later, the clock is behind": {{at: 10, epoch: 1, cdn: 1000, taken: true, age: 0}, {at: 13, epoch: 1, cdn: 1001, taken: true, age: 3}},
		"the same again only ages":   {{at: 10, epoch: 1, cdn: 4, taken: true, age: 6}, {at: 13, epoch: 1, cdn: 4, taken: true, age: 9}},
		"an older one is late":       {{at: 10, epoch: 1, cdn: 4, taken: true, age: 6}, {at: 13, epoch: 1, cdn: 3, taken: false, age: 9}},
		"an earlier term":            {{at: 10, epoch: 2, cdn: 4, taken: true, age: 6}, {at: 13, epoch: 1, cdn: 12, taken: false, age: 9}},
		"a new term, and the clock went back": {{at: 1000, epoch: 1, cdn: 990, taken: true, age: 10}, {at: 1003, epoch: 2, cdn: 4, taken: true, age: 13},
			{at: 1006, epoch: 2, cdn: 7, taken: true, age: 3}},
		"Redis restarted with older terms": {{at: 1000, epoch: 2, cdn: 990, taken: true, age: 10}, {at: 1003, epoch: 1, cdn: 4, taken: false, age: 13},
			{at: 1004, epoch: 1, cdn: 4, primary: true, taken: true, age: 14}, {at: 1006, epoch: 1, cdn: 7, taken: true, age: 2}},
		"Redis lost its last answers, and they are written again": {{at: 10, epoch: 1, cdn: 4, taken: true, age: 6}, {at: 63, epoch: 1, cdn: 61, taken: true, age: 2},
			{at: 90, epoch: 2, cdn: 4, taken: true, age: 86}, {at: 93, epoch: 2, cdn: 61, taken: true, age: 32}, {at: 96, epoch: 2, cdn: 95, taken: true, age: 1}},
		"no answer yet": {{at: 10, epoch: 1, cdn: -1, taken: false}},
	} {
		t.Run(name, func(t *testing.T) {
			var f freshness
			for i, s := range steps {
				now := start.Add(time.Duration(s.at) * time.Second)
				o := observation{epoch: s.epoch, cdn: ms(s.cdn), asked: now, received: now, primary: s.primary}
				if s.cdn < 0 {
					o.cdn = 0
				}
				if taken := f.observe(o); taken != s.taken {
					t.Errorf("step %d: taken %v", i, taken)
				}
				if f.cdn == 0 {
					continue
				}
				if age := now.Sub(f.answered); age != time.Duration(s.age)*time.Second {
					t.Errorf("step %d: age %v, want %d s", i, age, s.age)
				}
			}
		})
	}
}

func TestFreshnessAfterARebase(t *testing.T) {
	now := time.Date(2026, 1, 1, 1, 0, 0, 0, time.UTC)
	var f freshness
	f.restart(observation{epoch: 1, cdn: now.Add(-time.Minute).UnixMilli(), asked: now, received: now})
	if age := now.Sub(f.answered); age != time.Minute {
		t.Errorf("age %v where nothing was known before", age)
	}
	f.restart(observation{epoch: 1, cdn: now.Add(-time.Second).UnixMilli(), asked: now, received: now})
	if age := now.Sub(f.answered); age != time.Minute {
		t.Errorf("age %v: a rebase counted as an answer", age)
	}
}
