package follower

import (
	"math/rand/v2"
	"time"
)

// alarm is a timer of the sync goroutine that may be off.
type alarm struct {
	*time.Timer
	due time.Time
	on  bool
}

func newAlarm() *alarm {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	return &alarm{Timer: timer}
}

// set lets the alarm go off after d, whatever it was set to before.
func (a *alarm) set(d time.Duration) {
	a.Reset(d)
	a.due, a.on = time.Now().Add(d), true
}

// within lets the alarm go off after d at the latest.
func (a *alarm) within(d time.Duration) {
	if !a.on || time.Until(a.due) > d {
		a.set(d)
	}
}

// off silences the alarm; after it went off, it must be called or set be called.
func (a *alarm) off() {
	a.Stop()
	a.on = false
}

// upTo is a random part of d.
func upTo(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return rand.N(d)
}

// around is d, give or take a part of it.
func around(d time.Duration, part float64) time.Duration {
	return time.Duration(float64(d) * (1 - part + 2*part*rand.Float64()))
}

// backoff gives the pauses between tries of which each failed: random parts of a
// span that doubles ("full jitter"), so that many followers spread.
type backoff struct {
	low, high time.Duration
	span      time.Duration
}

// next gives a pause out of a span of at least so much, as far as there is a longest one.
func (b *backoff) next(least time.Duration) time.Duration {
	b.span = min(max(2*b.span, b.low, least), b.high)
	return upTo(b.span)
}

func (b *backoff) reset() { b.span = 0 }
