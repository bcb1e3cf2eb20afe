package e2e

import (
	"testing"

	"github.com/catbridge/catbridge/test/harness"
)

// One packet in twenty is lost: the leader stays, and no follower gives up its connection.
func TestF31_LostPacketsDoNotReplaceTheLeader(t *testing.T) {
	harness.OnLAN(t, harness.DefaultProfile(), func(l *harness.LAN) {
		first, _ := l.StartAll(3)
		l.Net.Filter(l.T, "numgen random mod 100 < 5 counter drop")
		l.SteadyFor(first, 2*l.Leader.LeaseDuration)
		if n := l.Net.Counted(l.T); n == 0 {
			l.Error("no packet was lost")
		}
		l.Reconnect()
		l.Settle()
	})
}
