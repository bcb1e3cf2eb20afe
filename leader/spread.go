package leader

import (
	"math"
	"time"

	"github.com/catbridge/catbridge/internal/wire"
)

// minSpread is the least time for reads at the budget to be spread: less is not worth the delay.
const minSpread = 50 * time.Millisecond

// spreadHeadroom is the factor in doc.go. After less than one change in a thousand, the fullest
// tenth of a window, wherever it starts, contains more than (n + spreadHeadroom·√n) ÷ 10 of n
// reads. The usual excess is half of that.
const spreadHeadroom = 14

// spread returns the window over which followers read content of that size (I12).
func (e *elector) spread(blobBytes int) time.Duration {
	cfg := &e.leader.cfg
	if blobBytes <= wire.MaxInlineBytes {
		return 0 // the message carries the content: followers do not read it
	}
	followers := float64(cfg.ExpectedFollowers)
	if followers == 0 {
		followers = float64(e.receivers.peak())
	}
	read := float64(blobBytes) / float64(cfg.ReadBudget) // seconds at the budget
	if followers*read < minSpread.Seconds() {
		return 0
	}
	seconds := (followers + spreadHeadroom*math.Sqrt(followers)) * read
	seconds = min(seconds, wire.MaxSpread.Seconds()) // the conversion might overflow
	return time.Duration(seconds * float64(time.Second)).Truncate(time.Millisecond)
}

// receiverPeak holds the greatest count of receivers of the last one to two minutes. It is
// not safe for concurrent use.
type receiverPeak struct {
	since     time.Time
	now, last int64
}

func (p *receiverPeak) observe(n int64) {
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
