package feed

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// Numbers of slots of a connectLimiter.
const (
	initialSlots = 32
	minSlots     = 4
	maxSlots     = 256
)

// connectLimiter limits how many feeds connect, and read what is current, at the same time, so
// that each is quick: more for a distant server than for a busy one. The package documentation
// says why.
type connectLimiter struct {
	mu      sync.Mutex
	limit   int // number of slots
	inUse   int
	waiting list.List // of chan struct{}, which grant closes
	cut     time.Time // when limit was last lowered
}

func newConnectLimiter() *connectLimiter { return &connectLimiter{limit: initialSlots} }

// acquire waits for a slot. The returned function releases it and is idempotent. A slot that is
// held for longer than slow shows that there are too many.
func (l *connectLimiter) acquire(ctx context.Context, slow time.Duration) (release func(), err error) {
	l.mu.Lock()
	granted := make(chan struct{})
	element := l.waiting.PushBack(granted)
	l.grant()
	l.mu.Unlock()
	select {
	case <-granted:
	case <-ctx.Done():
		l.mu.Lock()
		defer l.mu.Unlock()
		select {
		case <-granted: // at the same time
			l.inUse--
			l.grant()
		default:
			l.waiting.Remove(element)
		}
		return nil, context.Cause(ctx)
	}
	start := time.Now()
	return sync.OnceFunc(func() { l.release(start, time.Since(start) > slow) }), nil
}

func (l *connectLimiter) release(start time.Time, slow bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inUse--
	switch {
	case !slow && l.waiting.Len() > 0:
		l.limit = min(l.limit+1, maxSlots)
	case slow && !start.Before(l.cut): // earlier starts were slow for the same reason
		l.limit, l.cut = max(l.limit/2, minSlots), time.Now()
	}
	l.grant()
}

// grant grants free slots to the feeds that have waited longest. The caller holds l.mu.
func (l *connectLimiter) grant() {
	for l.inUse < l.limit && l.waiting.Len() > 0 {
		l.inUse++
		close(l.waiting.Remove(l.waiting.Front()).(chan struct{}))
	}
}

// sharedLimiter is the limiter of one Redis, and the number of feeds that share it.
type sharedLimiter struct {
	limiter *connectLimiter
	users   int
}

// limiterTable contains limiters by address. It is not safe for concurrent use.
type limiterTable map[string]*sharedLimiter

func (t limiterTable) join(address string) *connectLimiter {
	shared := t[address]
	if shared == nil {
		shared = &sharedLimiter{limiter: newConnectLimiter()}
		t[address] = shared
	}
	shared.users++
	return shared.limiter
}

func (t limiterTable) leave(address string) {
	shared := t[address]
	shared.users--
	if shared.users == 0 {
		delete(t, address)
	}
}
