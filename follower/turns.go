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
	turnsAtFirst = 32
	turnsLeast   = 4
	turnsMost    = 256
)

// turns has feeds connect, and catch up, by turns. The handshake of TLS takes milliseconds
// of CPU time: of thousands at once each lasts as long as all of them together, longer than
// anybody waits, so that all are made in vain, again and again. By turns they are made in the same
// time. As many are made at once as keeps each of them quick, which a far server lets be
// more than a busy one.
type turns struct {
	mu      sync.Mutex
	most    int // at once
	taken   int
	waiting list.List // of chan struct{}, closed by who hands the turn over
	cut     time.Time // when most was lowered last
}

func newTurns() *turns { return &turns{most: turnsAtFirst} }

// take waits for a turn. The function that it gives ends the turn; it may be called often. A
// turn that takes longer than slow says that there are too many at once.
func (t *turns) take(ctx context.Context, slow time.Duration) (end func(), err error) {
	t.mu.Lock()
	mine := make(chan struct{})
	place := t.waiting.PushBack(mine)
	t.handOver()
	t.mu.Unlock()
	select {
	case <-mine:
	case <-ctx.Done():
		t.mu.Lock()
		defer t.mu.Unlock()
		select {
		case <-mine: // at this very moment
			t.taken--
			t.handOver()
		default:
			t.waiting.Remove(place)
		}
		return nil, context.Cause(ctx)
	}
	start := time.Now()
	return sync.OnceFunc(func() { t.end(start, time.Since(start) > slow) }), nil
}

func (t *turns) end(start time.Time, slow bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.taken--
	switch {
	case !slow && t.waiting.Len() > 0:
		t.most = min(t.most+1, turnsMost)
	case slow && !start.Before(t.cut): // else it is the same slowness again
		t.most, t.cut = max(t.most/2, turnsLeast), time.Now()
	}
	t.handOver()
}

// handOver gives those who wait longest the turns that are free. The caller holds the lock.
func (t *turns) handOver() {
	for t.taken < t.most && t.waiting.Len() > 0 {
		t.taken++
		close(t.waiting.Remove(t.waiting.Front()).(chan struct{}))
	}
}

// placeOf says where a client connects to, as far as its options tell.
func placeOf(client redis.UniversalClient) string {
	switch client := client.(type) {
	case *redis.Client:
		return client.Options().Addr
	case *redis.ClusterClient:
		return strings.Join(client.Options().Addrs, ",")
	}
	return ""
}

// sharedTurns are the turns at one Redis, and the number of feeds that take them.
type sharedTurns struct {
	turns *turns
	users int
}

// turnsAt is a table by place. Its user locks it.
type turnsAt map[string]*sharedTurns

func (t turnsAt) join(place string) *turns {
	shared := t[place]
	if shared == nil {
		shared = &sharedTurns{turns: newTurns()}
		t[place] = shared
	}
	shared.users++
	return shared.turns
}

func (t turnsAt) leave(place string) {
	shared := t[place]
	shared.users--
	if shared.users == 0 {
		delete(t, place)
	}
}
