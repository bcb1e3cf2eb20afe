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
				c := n.ready(t)
				time.Sleep(w.poll + 4*time.Second) // the CDN answered 304
				for range 300 {
					time.Sleep(time.Second)
					synctest.Wait()
					var actual time.Duration
					w.with(func() { actual = time.Duration(w.now()-w.cdn) * time.Millisecond })
					s := c.Stats()
					if s.LastConfirmed.IsZero() || confirmedAgo(s) < actual || confirmedAgo(s) > actual+3*time.Second {
						t.Fatalf("age %v, it is %v (%+v)", confirmedAgo(s), actual, s)
					}
					if c.CacheState() != HasUpToDateFlagData {
						t.Fatalf("%v at age %v", c.CacheState(), confirmedAgo(s))
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
		c := n.ready(t)
		var age time.Duration
		for range 100 {
			w.heartbeat()
			time.Sleep(3 * time.Second)
			synctest.Wait()
			next := confirmedAgo(c.Stats())
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
		w := n.writer(t, 1)
		c := n.ready(t)
		time.Sleep(29 * time.Second) // not when the follower looks for a leader
		w.spread = 20 * time.Second
		w.commit(configJSON(2))
		synctest.Wait()
		if s := c.Stats(); s.Applied != 1 || s.LastConfirmed.IsZero() || confirmedAgo(s) < 29*time.Second {
			t.Errorf("%d applied; age %v, of content that the answer replaced", s.Applied, confirmedAgo(s))
		}
		time.Sleep(w.spread)
		wantVersion(t, c, 2)
		if s := c.Stats(); confirmedAgo(s) < w.spread-time.Second || confirmedAgo(s) > w.spread+30*time.Second {
			t.Errorf("age %v after the read", confirmedAgo(s))
		}
	})
}
