package leader

import (
	"time"

	"github.com/catbridge/catbridge/cachekeys"
)

// minSpread is the window below which spreading is not worth the delay.
const minSpread = 50 * time.Millisecond

// spread returns the window over which followers read content of that size, so that
// together they stay within the budget (I12).
func (k *keeper) spread(blobBytes int) time.Duration {
	cfg := &k.leader.cfg
	if blobBytes <= cachekeys.MaxInlineBytes {
		return 0 // the message carries the content: nobody reads
	}
	followers := int64(cfg.ExpectedFollowers)
	if followers == 0 {
		followers = k.receivers.peak()
	}
	seconds := float64(followers) * float64(blobBytes) / float64(cfg.ReadBudget)
	seconds = min(seconds, cachekeys.MaxSpread.Seconds()) // a Duration ends at 292 years
	window := time.Duration(seconds * float64(time.Second)).Truncate(time.Millisecond)
	if window < minSpread {
		return 0
	}
	return window
}

// receiverPeak is the greatest count of receivers of the last one to two minutes.
// It belongs to the goroutine of its keeper.
type receiverPeak struct {
	since     time.Time
	now, last int64
}

func (p *receiverPeak) saw(n int64) {
	p.rotate()
	p.now = max(p.now, n)
}

func (p *receiverPeak) peak() int64 {
	p.rotate()
	return max(p.now, p.last)
}

func (p *receiverPeak) rotate() {
	const window = time.Minute
	switch age := time.Since(p.since); {
	case age >= 2*window:
		p.since, p.now, p.last = time.Now(), 0, 0
	case age >= window:
		p.since, p.now, p.last = time.Now(), 0, p.now
	}
}
