package leader

import (
	"math"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
)

// minSpread is how long all reads may take at the budget without being spread: below,
// that is not worth the delay.
const minSpread = 50 * time.Millisecond

// spreadHeadroom makes room for moments at which, by chance, more followers read than on
// the average. Of n reads at random moments of a window the fullest tenth, wherever it
// begins, holds more than (n + spreadHeadroom·√n) ÷ 10 after less than one change in a
// thousand, for n from 2 to 100,000; the usual excess is half of that.
const spreadHeadroom = 14

// spread returns the window over which followers read content of that size, so that
// together they stay within the budget at every tenth of it (I12).
func (e *elector) spread(blobBytes int) time.Duration {
	cfg := &e.leader.cfg
	if blobBytes <= cachekeys.MaxInlineBytes {
		return 0 // the message carries the content: nobody reads
	}
	followers := float64(cfg.ExpectedFollowers)
	if followers == 0 {
		followers = float64(e.receivers.peak())
	}
	read := float64(blobBytes) / float64(cfg.ReadBudget) // seconds of the budget
	if followers*read < minSpread.Seconds() {
		return 0
	}
	seconds := (followers + spreadHeadroom*math.Sqrt(followers)) * read
	seconds = min(seconds, cachekeys.MaxSpread.Seconds()) // a Duration ends at 292 years
	return time.Duration(seconds * float64(time.Second)).Truncate(time.Millisecond)
}

// receiverPeak is the greatest count of receivers of the last one to two minutes.
// It belongs to the goroutine of its elector.
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
