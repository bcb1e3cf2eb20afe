package feed

import (
	"math/rand/v2"
	"time"
)

// alarm is a timer that can be off. It is not safe for concurrent use.
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

// set makes the alarm fire after d, whatever it was set to before.
func (a *alarm) set(d time.Duration) {
	a.Reset(d)
	a.due, a.on = time.Now().Add(d), true
}

// within makes the alarm fire after d at the latest.
func (a *alarm) within(d time.Duration) {
	if !a.on || time.Until(a.due) > d {
		a.set(d)
	}
}

// off switches the alarm off. After it fired, the caller must call off or set.
func (a *alarm) off() {
	a.Stop()
	a.on = false
}

// upTo returns a random duration below d; 0 if d is not positive.
func upTo(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return rand.N(d)
}

// around returns a random duration of d ± part × d.
func around(d time.Duration, part float64) time.Duration {
	return time.Duration(float64(d) * (1 - part + 2*part*rand.Float64()))
}

// backoff returns the pauses between failed attempts. They are random parts of a span that
// doubles ("full jitter"), which spreads the attempts of many followers.
type backoff struct {
	low, high time.Duration
	span      time.Duration
}

// next returns the next pause. Its span is not below least and never above high.
func (b *backoff) next(least time.Duration) time.Duration {
	b.span = min(max(2*b.span, b.low, least), b.high)
	return upTo(b.span)
}

func (b *backoff) reset() { b.span = 0 }
