package follower

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestAChangeReachesAFollower(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		n := newNetwork(t)
		w := newWriter(t, n.client(t))
		w.commit(configJSON(1))
		w.beat()
		c := n.start(t)
		<-c.Ready()
		if got := version(c); got != 1 {
			t.Fatalf("version %d after the first sync, want 1", got)
		}
		time.Sleep(7 * time.Second)
		w.commit(configJSON(2))
		synctest.Wait()
		if got := version(c); got != 2 {
			t.Fatalf("version %d after the change was announced, want 2", got)
		}
		if s := c.Stats(); s.State != Live || s.Rev != w.rev || !s.HasCDN || s.Age != 0 {
			t.Errorf("stats %+v", s)
		}
		if s := c.CacheState(); s != HasUpToDateFlagData {
			t.Errorf("cache state %v", s)
		}
	})
}
