package leader

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/internal/wire"
)

func TestSpreadWindowKeepsReadsWithinTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &elector{leader: &Leader{cfg: Config{ReadBudget: 50_000_000}}}
		for range 3 {
			e.receivers.observe(10_000)
			time.Sleep(10 * time.Second)
		}
		for bytes, want := range map[int]time.Duration{
			wire.MaxInlineBytes: 0, 5000: 1140 * time.Millisecond, 31_000: 7068 * time.Millisecond, 8 << 20: wire.MaxSpread,
		} {
			if got := e.spread(bytes); got != want {
				t.Errorf("%d bytes: %v, want %v", bytes, got, want)
			}
		}
		e.leader.cfg.ExpectedFollowers = 100
		if got := e.spread(24_000); got != 0 {
			t.Errorf("48 ms of the budget are spread over %v", got)
		}
		if got := e.spread(25_000); got != 120*time.Millisecond {
			t.Errorf("50 ms of the budget are spread over %v", got)
		}
		e.leader.cfg.ExpectedFollowers = 0
		e.leader.cfg.ReadBudget = 1
		e.receivers.observe(1 << 40)
		if got := e.spread(8 << 20); got != wire.MaxSpread {
			t.Errorf("a budget of a byte a second: %v", got)
		}
		time.Sleep(2 * time.Minute)
		if got := e.spread(31_000); got != 0 {
			t.Errorf("followers of long ago still count: %v", got)
		}
	})
}
