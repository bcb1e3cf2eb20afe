package follower

import (
	"container/list"
	"context"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// How many feeds of a process connect to one Redis at the same time: at first, at least,
// and at most.
const (
	initialSlots = 32
	minSlots     = 4
	maxSlots     = 256
)

// connectLimiter limits how many feeds connect, and catch up, at the same time. The handshake of TLS takes milliseconds
// of CPU time: of thousands at once each lasts as long as all of them together, longer than
// anybody waits, so that all are made in vain, again and again. One after the other they are made in the same
// time. As many are made at once as keeps each of them quick, which a far server lets be
// more than a busy one.
type connectLimiter struct {
	mu      sync.Mutex
	limit   int // at once
	inUse   int
	waiting list.List // of chan struct{}, closed by who grants the slot
	cut     time.Time // when limit was lowered last
}

func newConnectLimiter() *connectLimiter { return &connectLimiter{limit: initialSlots} }

// acquire waits for a slot. The function that it returns releases the slot and is idempotent. A
// slot that is held for longer than slow says that there are too many at once.
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
		case <-granted: // at this very moment
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
	case slow && !start.Before(l.cut): // else it is the same slowness again
		l.limit, l.cut = max(l.limit/2, minSlots), time.Now()
	}
	l.grant()
}

// grant gives the free slots to those who wait longest. The caller holds the lock.
func (l *connectLimiter) grant() {
	for l.inUse < l.limit && l.waiting.Len() > 0 {
		l.inUse++
		close(l.waiting.Remove(l.waiting.Front()).(chan struct{}))
	}
}

// addressOf says where a client connects to, as far as its options tell.
func addressOf(client redis.UniversalClient) string {
	switch client := client.(type) {
	case *redis.Client:
		return client.Options().Addr
	case *redis.ClusterClient:
		return strings.Join(client.Options().Addrs, ",")
	}
	return ""
}

// sharedLimiter is the limiter of one Redis, and the number of feeds that share it.
type sharedLimiter struct {
	limiter *connectLimiter
	users   int
}

// limiterTable is a table by address. Its user locks it.
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
