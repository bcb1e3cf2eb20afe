package follower

import (
	"testing"
	"testing/synctest"
	"time"
)

// The age is right though Redis's clock and the local one differ, once a message has reported an
// answer of the CDN (I14).
func TestAgeIsCorrectWithAWrongLocalClock(t *testing.T) {
	for name, skew := range map[string]time.Duration{
		"the local clock is right":           0,
		"the local clock is an hour behind":  time.Hour,
		"the local clock is an hour ahead":   -time.Hour,
		"the local clock is a second behind": time.Second,
		"the local clock is a second ahead":  -time.Second,
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				w := n.writer(t)
				w.skew = skew
				w.acquire()
				w.commit(configJSON(1))
				w.beat()
				c := n.start(t)
				<-c.Ready()
				time.Sleep(w.poll + 4*time.Second) // the CDN answered 304
				for range 300 {
					time.Sleep(time.Second)
					synctest.Wait()
					var actual time.Duration
					w.with(func() { actual = time.Duration(w.now()-w.cdn) * time.Millisecond })
					s := c.Stats()
					if !s.HasCDN || s.Age < actual || s.Age > actual+3*time.Second {
						t.Fatalf("age %v, it is %v (%+v)", s.Age, actual, s)
					}
					if c.CacheState() != HasUpToDateFlagData {
						t.Fatalf("%v at age %v", c.CacheState(), s.Age)
					}
				}
			})
		})
	}
}

// Heartbeats of a leader that cannot reach the CDN do not lower the age.
func TestALeaderWithoutTheCDNConfirmsNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t)
		w.poll = time.Minute
		w.commit(configJSON(1))
		c := n.start(t)
		<-c.Ready()
		var age time.Duration
		for range 100 {
			w.heartbeat()
			time.Sleep(3 * time.Second)
			synctest.Wait()
			next := c.Stats().Age
			if next < age+3*time.Second {
				t.Fatalf("age %v after %v", next, age)
			}
			age = next
			if up := c.CacheState() == HasUpToDateFlagData; up != (age < w.poll+15*time.Second) {
				t.Fatalf("%v at age %v", c.CacheState(), age)
			}
		}
	})
}

// An answer that a message reports confirms the content that the message names, and no other.
func TestAnAnswerAboutOtherContentConfirmsNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t)
		w.commit(configJSON(1))
		c := n.start(t)
		<-c.Ready()
		time.Sleep(30 * time.Second)
		w.spread = 20 * time.Second
		w.commit(configJSON(2))
		synctest.Wait()
		if s := c.Stats(); s.Applied == 1 && s.Age < 30*time.Second {
			t.Errorf("age %v, of content that the answer replaced", s.Age)
		}
		time.Sleep(w.spread)
		wantVersion(t, c, 2)
		if s := c.Stats(); s.Age < w.spread-time.Second || s.Age > w.spread+30*time.Second {
			t.Errorf("age %v after the read", s.Age)
		}
	})
}

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
